"""A name server on loopback with generated zones, and the manifests that declare them: everything is in sync.

NSD answers from one core, whatever is measured runs on the other one. Response rate limiting is off, and nothing
listens on anything but loopback.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from fleet_manifests import domain_of, token_of, write_manifests
from servers.processes import end, free_port, serves

ADDRESS = "127.0.0.1"
AT_ONCE = 200  # the program's own default; every client gets as many
READY_SECONDS = 180
PROGRAMS = ("nsd", "nsd-control", "dnsperf", "taskset")
ZONE = """$TTL 3600
@ IN SOA ns1 hostmaster 2026010101 3600 600 86400 300
@ IN NS ns1
@ IN NS ns2
ns1 IN A 127.0.0.1
ns2 IN A 127.0.0.1
@ IN MX 0 inbound-smtp.eu-west-1.amazonaws.com.
@ IN TXT "v=spf1 -all"
mail IN A 192.0.2.1
_amazonses IN TXT "a foreign value"
_amazonses IN TXT "{token}"
"""


@dataclass(frozen=True)
class Cores:
    """Which core the server has, and which one the clients take turns on."""

    client: int = 0
    server: int = 1

    def as_client(self, command: list[str]) -> list[str]:
        """The command on the clients' core."""
        return ["taskset", "-c", str(self.client), *command]

    def as_server(self, command: list[str]) -> list[str]:
        """The command on the server's core."""
        return ["taskset", "-c", str(self.server), *command]


@dataclass(frozen=True)
class Laboratory:
    """A running server with `count` zones; `folder` is also a workspace with manifests and settings for it."""

    folder: Path
    count: int
    port: int
    cores: Cores

    def taken_queries(self) -> int:
        """How many queries the server has answered since the last time that this was asked."""
        command = ["nsd-control", "-c", str(self.folder / "nsd.conf"), "stats"]
        output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
        figures = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
        return int(figures["num.queries"])


def missing_programs() -> list[str]:
    """What a laboratory needs and is not installed."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


def write_workspace(folder: Path, count: int, port: int, origin: str = "") -> None:
    """Manifests, and settings that observe at the server; `origin` is more of each service, as `ALLOWLISTS`."""
    write_manifests(folder / "manifests", count, origin)
    (folder / "reconciler.yaml").write_text(f'observe: {{dns: {{servers: ["{ADDRESS}:{port}"]}}}}\n')


@contextmanager
def run_laboratory(folder: Path, count: int, cores: Cores) -> Iterator[Laboratory]:
    """NSD from its readiness to the end of the block."""
    laboratory = Laboratory(folder, count, free_port(ADDRESS), cores)
    folder.mkdir(parents=True)
    _write_zones(laboratory)
    write_workspace(folder, count, laboratory.port)
    command = cores.as_server(["nsd", "-d", "-c", str(folder / "nsd.conf")])
    with (folder / "nsd.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _await_ready(laboratory, process)
            yield laboratory
        finally:
            end(process)


def _await_ready(laboratory: Laboratory, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not serves(ADDRESS, laboratory.port, [f"{domain_of(laboratory.count - 1)}."]):
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"nsd does not serve:\n{(laboratory.folder / 'nsd.log').read_text()[-2000:]}")
        time.sleep(0.1)


def _write_zones(laboratory: Laboratory) -> None:
    """Master files, and NSD's configuration without anything that limits or listens elsewhere."""
    folder = laboratory.folder
    zones = folder / "zones"
    zones.mkdir()
    server = {
        "ip-address": f"{ADDRESS}@{laboratory.port}",
        "username": '""',
        "chroot": '""',
        "zonesdir": f'"{zones}"',
        "database": '""',
        "pidfile": '""',
        "xfrdfile": f'"{folder}/xfrd.state"',
        "zonelistfile": f'"{folder}/zone.list"',
        "xfrdir": f'"{folder}"',
        "rrl-ratelimit": "0",
        "server-count": "1",
        "tcp-count": "200",
        "receive-buffer-size": "4194304",  # the kernel's default drops what comes at once
        "send-buffer-size": "4194304",
    }
    lines = ["server:", *(f"  {name}: {value}" for name, value in server.items())]
    lines += ["remote-control:", "  control-enable: yes", f'  control-interface: "{folder}/control"']
    for number in range(laboratory.count):
        name = domain_of(number)
        (zones / name).write_text(ZONE.format(token=token_of(number)))
        lines += ["zone:", f"  name: {name}", f"  zonefile: {name}", f"  provide-xfr: {ADDRESS} NOKEY"]
    (folder / "nsd.conf").write_text("\n".join(lines) + "\n")
