"""The person at the desk: writes manifests, runs the real command, and does by hand what the plan leaves to people.

Nobody here knows in which order things are safe: whatever the plan calls manual is done at once from what `emit` wrote,
and the command is run again until it says that nothing is left.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from mail_lab.gateway import SECONDARY
from mail_lab.laboratory import DOMAINS, NEXT_HOP
from mail_lab.network import NAME_SERVER, RESOLVERS

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from mail_lab.laboratory import Laboratory

EXPORT = "exports/acme/hq-postfix.txt"
_EMITTED = "emitted/acme/hq/postfix-access"
_SETTLED_CODES = {0, 3}
_BY_HAND = {"manual", "unknown"}
STAGE_SECONDS = 180.0
LONGEST_WAIT = 15.0
# seconds where an installation has hours or days; the order of the waits is theirs
_WAITS = {
    "settle_minutes": 2 / 60,
    "assumed_ttl_hours": 8 / 3600,
    "absent_ttl_hours": 6 / 3600,
    "restrict_hours": 3 / 3600,
    "restrict_hard_hours": 6 / 3600,
}


@dataclass
class Declared:
    """What the manifest says: the state of the organization, and each domain's verification values by their role."""

    region: str = "eu"
    multi_region: bool = False
    is_leaving: bool = False
    primary: str = "eu"
    secondary: str | None = None


@dataclass
class Postmaster:
    """The person, with a folder of manifests, settings and exports."""

    lab: Laboratory
    declared: Declared = field(default_factory=Declared)
    attested: list[dict[str, object]] = field(default_factory=list)
    done_by_hand: list[str] = field(default_factory=list)
    runs: int = 0

    @property
    def folder(self) -> Path:
        """The repository."""
        return self.lab.directory / "repository"

    def set_up(self) -> None:
        """Settings, and the export of a server that has no table yet."""
        self.folder.mkdir()
        key = self.lab.dns.key
        provider = {
            "class": "octodns_bind.Rfc2136Provider",
            "host": NAME_SERVER,
            "port": 53,
            "key_name": key.name,
            "key_algorithm": key.algorithm,
            "key_secret": "env/TSIG_SECRET",
        }
        settings = {
            "observe": {"dns": {"resolvers": [RESOLVERS[0]]}},
            "default_provider": "primary",
            "providers": {"primary": provider},
            "new_rrset_ttl": 60,
            "journal": "sqlite:///journal.sqlite3",
            "waits": _WAITS,
            "probes": {"ca_file": str(self.lab.directory / "origin" / "certificate.pem"), "helo": "desk.example"},
        }
        self._write("reconciler.yaml", settings)

    def declare(self, declared: Declared) -> None:
        """A new target state: the console first, then the manifest."""
        self.declared = declared
        self.attested = []
        if not declared.is_leaving:
            self._do_in_console()
        self._write_manifest()

    def until_in_sync(self, *, seconds: float = STAGE_SECONDS) -> None:
        """Apply, look, and do what is left to people, until nothing is left; come back when the plan says."""
        deadline, wait = time.monotonic() + seconds, 0.0
        while True:
            self._attest_what_the_console_shows()
            self._apply(wait)
            plan = self._plan()
            if plan is None:
                return
            if time.monotonic() > deadline:
                pytest.fail(f"not in sync within {seconds} s; the last plan:\n{self.run('plan').stdout}")
            by_hand = [s for s in _steps(plan) if s["resource"]["kind"] == "allowlist" and s["status"] in _BY_HAND]
            if by_hand:
                self._work_at_the_origin(by_hand)
            wait = 0.0 if by_hand else _seconds_left(plan)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The real command, from inside of the network."""
        self.runs += 1
        hidden = ("GITHUB_", "CI", "NO_COLOR", "AWS_")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
        command = (sys.executable, "-m", "reconciler", *arguments)
        more = {"TSIG_SECRET": self.lab.dns.key.secret, "GIT_CEILING_DIRECTORIES": str(self.lab.directory)}
        return self.lab.network.internet.run(*command, folder=self.folder, environment={**environment, **more})

    def _apply(self, wait: float) -> None:
        applied = self.run("apply", "--auto-approve", *(["--wait", str(wait)] if wait else []))
        if applied.returncode not in _SETTLED_CODES:
            pytest.fail(f"apply: exit {applied.returncode}: {applied.stderr}{applied.stdout}")

    def _plan(self) -> dict[str, Any] | None:
        """What is left; None when the plan says that nothing is."""
        ran = self.run("plan", "--format", "json", "--detailed-exitcode")
        if ran.returncode not in {0, 2, 3}:
            pytest.fail(f"plan: exit {ran.returncode}: {ran.stderr}")
        plan: dict[str, Any] = json.loads(ran.stdout)
        return plan if ran.returncode else None

    def _work_at_the_origin(self, steps: list[dict[str, Any]]) -> None:
        emitted = self.run("emit", "allowlists", "--out", "emitted")
        if emitted.returncode not in _SETTLED_CODES:
            pytest.fail(f"emit: exit {emitted.returncode}: {emitted.stderr}")
        folder, origin, restriction = self.folder / _EMITTED, self.lab.origin, self.lab.restriction
        if any(s["status"] == "manual" for s in steps):
            self.done_by_hand += [s["id"] for s in steps]
            is_restricting = "0.0.0.0/0" in (folder / origin.table.name).read_text()
            if not is_restricting:
                restriction.end(time.time())
            origin.install(folder)
            if is_restricting:
                restriction.begin(time.time())
        origin.export(folder / "export.sh", self.folder / EXPORT)

    def _do_in_console(self) -> None:
        declared = self.declared
        for domain in DOMAINS:
            self.lab.gateway.declare(domain, declared.region, value_of(domain, declared.primary))
            if declared.multi_region and declared.secondary is not None:
                self.lab.gateway.declare(domain, SECONDARY, value_of(domain, declared.secondary))
        self._attest("console", next_hops=[NEXT_HOP])
        if declared.multi_region:
            self._attest("multi-region")

    def _attest_what_the_console_shows(self) -> None:
        """Verified is what the console shows once every value that it gave is in DNS."""
        declared = self.declared
        if declared.is_leaving or any(a["what"] == "verified" for a in self.attested):
            return
        roles = [declared.primary, *([declared.secondary] if declared.multi_region else [])]
        wanted = {(d, f'"{value_of(d, role)}"') for d in DOMAINS for role in roles if role is not None}
        if all(value in self.lab.dns.values(f"_amazonses.{domain}.", "TXT") for domain, value in wanted):
            self._attest("verified", **({"multi_region": True} if declared.multi_region else {}))
            self._write_manifest()

    def _attest(self, what: str, **more: object) -> None:
        seen = {"what": what, "by": "postmaster@acme.example", "on": datetime.now(UTC).date().isoformat()}
        self.attested.append({**seen, "region": self.declared.region, **more})

    def _write_manifest(self) -> None:
        declared = self.declared
        roles = {"primary": declared.primary, "secondary": declared.secondary}
        domains = [
            {
                "name": domain,
                "next_hops": [NEXT_HOP],
                "verification": {k: value_of(domain, role) for k, role in roles.items() if role is not None},
            }
            for domain in DOMAINS
        ]
        service = {
            "name": "hq",
            "kind": "postfix",
            "allowlists": [{"target": "postfix-access", "intent": "restrict", "export": EXPORT}],
            "domains": domains,
        }
        waiver = {"gate": "residency", "owner": "dpo@acme.example", "reason": "a laboratory", "expires": "2099-01-01"}
        manifest = {
            "organization": "acme",
            "region": declared.region,
            "multi_region": declared.multi_region,
            "lifecycle": "offboarded" if declared.is_leaving else "active",
            "escalation_contacts": ["secops@acme.example"],
            "attestations": self.attested,
            "waivers": [waiver] if declared.multi_region else [],
            "services": [service],
        }
        self._write("manifests/acme.yaml", manifest)

    def _write(self, name: str, content: dict[str, Any]) -> None:
        # JSON is YAML 1.2
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1))


def value_of(domain: str, role: str) -> str:
    """The verification value that the console of a region gives for a domain."""
    return f"{role}-{domain}"


def _steps(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for part in (*plan["services"], *plan["domains"]) for step in part["steps"]]


def _seconds_left(plan: dict[str, Any]) -> float:
    """How long the next step waits for its time, within a bound; 0 where none does."""
    now = datetime.now(UTC)
    times = [datetime.fromisoformat(s["not_before"]) for s in _steps(plan) if s["not_before"] and s["status"] == "held"]
    left = min(((moment - now).total_seconds() for moment in times), default=0.0)
    return min(max(left, 0.0), LONGEST_WAIT)
