"""A network namespace of a test's own: firewalls are loaded there and are gone with it; the machine's stay."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from servers.processes import end, require

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COMMAND_SECONDS = 20.0


@dataclass(frozen=True)
class Namespace:
    """A namespace that lives as long as the process `pid`."""

    pid: int

    def run(
        self, command: Sequence[str], *, text: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """What a command inside does and prints; `text` is its standard input."""
        ran = subprocess.run(
            [require("nsenter"), *self._entry(), *command],
            input=text,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        if check and ran.returncode:
            pytest.fail(f"{' '.join(command)}: exit {ran.returncode}: {ran.stderr}")
        return ran

    def _entry(self) -> list[str]:
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return ["--target", str(self.pid), "--net", *user]


@contextmanager
def network_namespace() -> Iterator[Namespace]:
    """A fresh namespace; without root's rights it is one of a user namespace where the test is root."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    command = [require("unshare"), *user, "--net", "sh", "-c", "echo ready && exec cat"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            if holder.stdout.readline() != b"ready\n":
                _refuse(holder)
            yield Namespace(holder.pid)
        finally:
            end(holder)


def _refuse(holder: subprocess.Popen[bytes]) -> None:
    _, complaint = holder.communicate(timeout=COMMAND_SECONDS)
    reason = f"no network namespace can be made: {complaint.decode(errors='replace').strip()}"
    if os.environ.get("RECONCILER_REQUIRE_SERVERS") == "1":
        pytest.fail(f"{reason}, and RECONCILER_REQUIRE_SERVERS is 1")
    pytest.skip(reason)
