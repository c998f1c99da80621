"""A user's repository in a temporary folder, the real command run in it, a real backend and a real mail server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import trustme
from backends import BACKENDS, Backend, Content
from servers.mail_peers import run_peer, server_context, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

__all__ = ["ATTESTED", "BACKENDS", "NEXT_HOP", "Backend", "Content", "Ran", "Workspace", "laboratory", "manifest"]

COMMAND_SECONDS = 120
NEXT_HOP = "mail.elsewhere.example"
ATTESTED = ("allowlist", "console", "verified", "multi-region", "next-hop-tls")
NEXT_HOP_ZONE = """$ORIGIN elsewhere.example.
@ 3600 IN SOA ns hostmaster 1 3600 600 86400 300
@ 3600 IN NS ns
ns 3600 IN A 127.0.0.1
mail 3600 IN A 127.0.0.1
"""


@dataclass(frozen=True)
class Ran:
    """What one run of the command left behind."""

    code: int
    out: str
    err: str

    @property
    def plan(self) -> dict[str, Any]:
        """The plan document on stdout."""
        document: dict[str, Any] = json.loads(self.out)
        return document


@dataclass
class Workspace:
    """A folder with manifests and settings, as a user has it; `now` is the time that every run is told, if any."""

    directory: Path
    environment: dict[str, str] = field(default_factory=dict)
    before_run: Callable[[], None] = lambda: None
    now: datetime | None = None

    def write(self, name: str, text: str) -> Path:
        """Write a file below the folder."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def append(self, name: str, text: str) -> None:
        """Add to a file below the folder."""
        self.write(name, (self.directory / name).read_text(encoding="utf-8") + text)

    def run(self, *arguments: str) -> Ran:
        """Run the command as a user does."""
        return self.run_program([sys.executable, "-m", "reconciler"], *arguments)

    def run_program(self, program: list[str], *arguments: str) -> Ran:
        """Run another program that takes the command's arguments."""
        self.before_run()
        done = subprocess.run(
            [*program, *self.options(), *arguments],
            cwd=self.directory,
            env=self.variables(),
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def options(self) -> list[str]:
        """What stands before the verb."""
        return [] if self.now is None else ["--now", self.now.isoformat()]

    def variables(self) -> dict[str, str]:
        """The environment of a run."""
        return {**_clean_environment(), **self.environment}

    def plan(self, *arguments: str) -> dict[str, Any]:
        """The plan of now, as a document."""
        return self.run("plan", "--format", "json", *arguments).plan

    def steps(self) -> dict[str, dict[str, Any]]:
        """Every step of the plan of now, by its id."""
        return {s["id"]: s for d in self.plan()["domains"] for s in d["steps"]}

    def statuses(self) -> dict[str, str]:
        """The status of every step of the plan of now."""
        return {name: step["status"] for name, step in self.steps().items()}


def _clean_environment() -> dict[str, str]:
    # a user's Python keeps the bytecode of what it has imported once
    others = ("AWS_", "GITHUB_", "CI", "NO_COLOR", "PYTHONDONTWRITEBYTECODE")
    return {k: v for k, v in os.environ.items() if not k.startswith(others)}


def manifest(
    *domains: str,
    organization: str = "acme",
    region: str = "eu",
    multi_region: bool = False,
    lifecycle: str = "active",
    attested: Sequence[str] = ATTESTED,
    on: date | None = None,
) -> str:
    """A manifest where people vouch on a day (today), for both multi-region states, for what only they can see."""
    day = on or datetime.now(UTC).date()
    lines = [
        f"organization: {organization}",
        f"region: {region}",
        f"multi_region: {str(multi_region).lower()}",
        f"lifecycle: {lifecycle}",
        "escalation_contacts: [secops@acme.example]",
        "attestations:",
        *(f"  - {{what: {what}, by: ops@acme.example, on: {day}{_state(what, region)}}}" for what in attested),
        *(["waivers: [{gate: residency, owner: dpo@acme.example, reason: test, expires: 2099-01-01}]"] * multi_region),
        "services:",
        "  - name: hq",
        "    kind: exchange",
        "    domains:",
    ]
    for domain in domains:
        lines += [
            f"      - name: {domain}",
            f"        next_hops: [{NEXT_HOP}]",
            f'        verification: {{primary: "one-{domain}", secondary: "two-{domain}"}}',
        ]
    return "\n".join(lines) + "\n"


def _state(what: str, region: str) -> str:
    """For which state it was seen, as far as that can be said."""
    both = ", multi_region: true" if what in {"allowlist", "verified"} else ""
    return f", region: {region}{both}" if both or what in {"console", "multi-region"} else ""


@contextmanager
def laboratory(kind: str, zones: Mapping[str, str], directory: Path) -> Iterator[tuple[Workspace, Backend]]:
    """A workspace whose settings point at a fresh backend with these zones, and at the next hop's mail server."""
    authority = trustme.CA()
    tls = server_context(authority.issue_cert(NEXT_HOP))
    world = {**zones, "elsewhere.example.": NEXT_HOP_ZONE}
    with BACKENDS[kind](world, directory / "backend") as backend, run_peer(serving("SIZE 52428800", tls=tls)) as peer:
        workspace = Workspace(directory / "repository", backend.environment, backend.before_run)
        probes = f"probes: {{smtp_port: {peer.port}, ca_file: authority.pem, timeout: 10, helo: desk.example}}\n"
        workspace.write("reconciler.yaml", probes + backend.settings)
        authority.cert_pem.write_to_path(str(workspace.directory / "authority.pem"))
        yield workspace, backend
