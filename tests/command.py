"""The command in process, in a folder with acme.example (nothing done yet) and done.example (in sync)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.cli import main
from reconciler.names import canonical_name, display_name

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NOW = "2026-11-21T12:00:00+00:00"
HEAD = "$TTL 3600\n@ SOA ns. hostmaster. 1 3600 600 86400 300\n@ NS ns.elsewhere.\n"
OLD = "@ MX 10 mail\nmail A 192.0.2.25\n"
GATEWAY = "@ MX 0 inbound-smtp.eu-west-1.amazonaws.com.\n"
SETTINGS = """observe: {zonefiles: zones}
default_provider: files
providers: {files: {class: octodns_bind.ZoneFileProvider, directory: zones, file_extension: .zone}}
"""
_ORGANIZATION = """organization: acme
region: eu
escalation_contacts: [secops@acme.example]
attestations:
  - {what: allowlist, by: ops@acme.example, on: 2026-01-01}
  - {what: console, by: ops@acme.example, on: 2026-01-01}
  - {what: verified, by: ops@acme.example, on: 2026-11-21}
  - {what: next-hop-tls, by: ops@acme.example, on: 2026-01-01}
services:
  - name: hq
    kind: exchange
    domains:
"""
_DOMAIN = """      - name: {0}
        next_hops: [mail.acme.example]
        verification: {{primary: "token-of-{1}"}}
"""


@dataclass(frozen=True)
class Ran:
    """What one run of the command left behind."""

    code: int
    out: str
    err: str


def manifest(*domains: str) -> str:
    """A manifest of these domains, with everything attested that no zone file shows."""
    return _ORGANIZATION + "".join(_DOMAIN.format(d, display_name(canonical_name(d))) for d in domains)


def write_folder(folder: Path) -> None:
    """Manifests, zones and settings."""
    for name in ("manifests", "zones"):
        (folder / name).mkdir()
    (folder / "manifests" / "acme.yaml").write_text(manifest("acme.example", "done.example"))
    (folder / "zones" / "acme.example.zone").write_text(f"{HEAD}{OLD}")
    (folder / "zones" / "done.example.zone").write_text(f'{HEAD}{GATEWAY}_amazonses TXT "token-of-done.example"\n')
    (folder / "reconciler.yaml").write_text(SETTINGS)


class Command:
    """The command, run in a folder of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        """Write the folder and go there."""
        self.zone = folder / "zones" / "acme.example.zone"
        self._capsys = capsys
        write_folder(folder)
        monkeypatch.chdir(folder)
        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(folder))

    def __call__(self, *arguments: str, now: str = NOW) -> Ran:
        """Run it as of `now`."""
        try:
            code = main(["--now", now, *arguments])
        except SystemExit as exc:
            code = exc.code if isinstance(exc.code, int) else -1
        captured = self._capsys.readouterr()
        return Ran(code, captured.out, captured.err)
