"""A team that has its manifests in a repository at the forge, and its DNS in a real name server or in master files."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dns.name
import dns.query
import dns.tsigkeyring
import dns.update
from backends import DnsBackend
from laboratory import Backend, laboratory, manifest
from servers.github_rest import GithubApi, github_api

from workflows.forge import Forge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from workflows.runner import WorkflowRun

Json = dict[str, Any]

TTL, SETTLE = 1, 2  # seconds
WAITS = f"waits: {{settle_minutes: {SETTLE / 60}, assumed_ttl_hours: {TTL / 3600}, absent_ttl_hours: {TTL / 3600}}}\n"
ZONE = f"""$ORIGIN {{name}}.example.
@ 600 IN SOA ns hostmaster 1 3600 600 86400 {TTL}
@ 600 IN NS ns
@ {TTL} IN MX 10 mail.elsewhere.example.
ns 600 IN A 127.0.0.1
_amazonses {TTL} IN TXT "a foreign value"
"""
GATEWAY = "inbound-smtp.eu-west-1.amazonaws.com."
MINE = "manifests/acme.yaml"
ACME = manifest("acme.example")
SECRETS = {"NOTIFICATION_URL": "json://127.0.0.1:9/a-secret-path"}


@dataclass(frozen=True)
class Artifact:
    """What a run kept."""

    name: str
    members: list[str]
    octets: dict[str, bytes]

    @property
    def document(self) -> Json:
        """The one JSON document in it."""
        [octets] = self.octets.values()
        found: Json = json.loads(octets)
        return found


@dataclass
class Team:
    """The repository, GitHub and DNS; `other` is the manifest that main begins with."""

    forge: Forge
    api: GithubApi
    backend: Backend
    other: str = field(default_factory=lambda: manifest("other.example", organization="other"))

    def comments(self, number: int) -> list[Json]:
        """The comments of a pull request or an issue."""
        return self.api.state.comments_of(number)

    def artifacts(self, run: WorkflowRun) -> list[Artifact]:
        """What a run kept, in its order."""
        found = []
        for number, artifact in self.api.state.artifacts.items():
            if artifact["workflow_run"]["id"] == run.number:
                with zipfile.ZipFile(io.BytesIO(self.api.state.archives[number])) as archive:
                    octets = {name: archive.read(name) for name in archive.namelist()}
                found.append(Artifact(artifact["name"], list(octets), octets))
        return found

    def artifact(self, run: WorkflowRun, name: str, member: str) -> str:
        """A file of an artifact of a run, as text."""
        [found] = [a for a in self.artifacts(run) if a.name == name]
        return found.octets[member].decode()

    def mx_hosts(self, domain: str = "acme.example.") -> set[str]:
        """Where the server's MX leads to."""
        rdatas = self.backend.content(domain)[domain, "MX"][1]
        return {dns.name.from_wire(rdata, 2)[0].to_text() for rdata in rdatas}

    def update(self, zone: str, change: Callable[[dns.update.UpdateMessage], None]) -> None:
        """Somebody else changes a zone."""
        assert isinstance(self.backend, DnsBackend)
        key, server = self.backend.key, self.backend.server
        keyring = dns.tsigkeyring.from_text({key.name: key.secret})
        message = dns.update.UpdateMessage(zone, keyring=keyring, keyalgorithm=key.algorithm)
        change(message)
        answer = dns.query.tcp(message, server.address, port=server.port, timeout=5)
        assert answer.rcode() == 0, answer

    def take_next_hop_away(self) -> None:
        """The next hop's name has no address any more: the gate `next-hop` holds."""
        self.update("elsewhere.example.", lambda m: m.delete("mail.elsewhere.example."))

    def bring_next_hop_back(self) -> None:
        """The gate opens."""
        self.update("elsewhere.example.", lambda m: m.add("mail.elsewhere.example.", 60, "A", "127.0.0.1"))

    def break_zone(self, domain: str) -> None:
        """A CNAME stands where the domain's verification values would: an error of this domain alone."""

        def change(message: dns.update.UpdateMessage) -> None:
            message.delete(f"_amazonses.{domain}")
            message.add(f"_amazonses.{domain}", TTL, "CNAME", "elsewhere.example.")

        self.update(domain, change)

    def txt(self, domain: str = "acme.example.") -> frozenset[bytes]:
        """The values at the verification name, as octets."""
        return self.backend.content(domain)[f"_amazonses.{domain}", "TXT"][1]


@contextmanager
def team_at_work(folder: Path, *, has_program: bool = True) -> Iterator[Team]:
    """With BIND, and a repository that holds settings, one domain and, where wanted, the program's workflows."""
    zones = {f"{name}.example.": ZONE.format(name=name) for name in ("acme", "other", "second")}
    with laboratory("bind", zones, folder / "lab") as (workspace, backend), github_api() as api:
        workspace.append("reconciler.yaml", WAITS)
        forge = Forge(folder, api, has_program=has_program)
        forge.repository.environments["production"] = {**SECRETS, **backend.environment}
        forge.repository.environments["drift"] = dict(SECRETS)
        team = Team(forge, api, backend)
        names = ("reconciler.yaml", "authority.pem")
        files: dict[str, str | None] = {name: (workspace.directory / name).read_text() for name in names}
        forge.commit({**files, "manifests/other.yaml": team.other}, "Settings")
        yield team


@contextmanager
def team_with_files(folder: Path, domains: Sequence[str]) -> Iterator[Team]:
    """With the domains in one master file of the repository, fleet.example."""
    with laboratory("zonefile", {}, folder / "lab") as (_, backend), github_api() as api:
        forge = Forge(folder, api)
        lines = [f"{domain}. 600 IN MX 10 mail.elsewhere.example.\n" for domain in domains]
        files: dict[str, str | None] = {"zones/fleet.example.zone": ZONE.format(name="fleet") + "".join(lines)}
        files["reconciler.yaml"] = (
            "observe: {zonefiles: zones}\ndefault_provider: files\nlimits: {unhealthy_share: 1}\n"
            "providers: {files: {class: octodns_bind.ZoneFileProvider, directory: zones, file_extension: .zone}}\n"
        )
        forge.commit(files, "Settings and a zone")
        yield Team(forge, api, backend)
