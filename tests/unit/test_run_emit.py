"""The shell of `emit`: which domains get a sheet, what octoDNS gets, and the exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from reconciler.cli import main

HEAD = """$TTL 3600
@ SOA ns1.dns.example. hostmaster.dns.example. 1 3600 600 86400 300
@ NS ns1.dns.example.
"""
MANIFEST = """organization: acme
region: us
escalation_contacts: [secops@acme.example]
services:
  - name: hq
    kind: postfix
    domains:
      - {{name: acme.example, next_hops: [mail.acme.example], verification: {{primary: {token}}}{more}}}
"""
_SEEN = ("allowlist", "console", "verified", "next-hop-tls")
ATTESTED = f", attestations: [{', '.join(f'{{what: {what}, by: ops@acme.example, on: 2026-11-01}}' for what in _SEEN)}]"
OLD_MX = "@ MX 10 mail\nmail A 192.0.2.25\n"
GATEWAY_MX = "@ MX 0 inbound-smtp.us-east-1.amazonaws.com.\n"
OURS = '_amazonses TXT "token"\n'
FOREIGN = '_amazonses TXT "foreign"\n'


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with settings; the tests add the zone and the manifest."""
    monkeypatch.chdir(tmp_path)
    for name in ("zones", "manifests"):
        (tmp_path / name).mkdir()
    (tmp_path / "reconciler.yaml").write_text("observe: {zonefiles: zones/}\n")
    _declare()
    return tmp_path


def _declare(*, token: str = "token", more: str = "") -> None:  # noqa: S107 - no secret
    Path("manifests/acme.yaml").write_text(MANIFEST.format(token=token, more=more))


def _zone(*records: str) -> None:
    Path("zones/acme.example.zone").write_text(HEAD + "".join(records))


def _with_provider() -> None:
    Path("reconciler.yaml").write_text(
        "observe: {zonefiles: zones/}\ndefault_provider: bind\nproviders:\n"
        "  bind: {class: octodns_bind.Rfc2136Provider, host: 192.0.2.53, key_name: k, key_secret: env/TSIG_SECRET}\n"
    )


def _emit(what: str, *options: str) -> int:
    return main(["--now", "2026-11-21T12:00:00+00:00", "emit", what, "--out", "out", *options])


def _sheets() -> list[str]:
    return sorted(p.name for p in Path("out/acme").glob("*.md"))


@pytest.mark.usefixtures("lab")
def test_a_domain_with_manual_steps_gets_a_sheet() -> None:
    _zone(OLD_MX)
    assert _emit("instructions") == 0
    assert _sheets() == ["acme.example.md", "console.md"]


@pytest.mark.usefixtures("lab")
def test_a_domain_in_sync_gets_none_unless_it_is_named() -> None:
    _zone(GATEWAY_MX, OURS)
    assert _emit("instructions") == 0
    assert _sheets() == ["console.md"]
    assert _emit("instructions", "--domain", "acme.example") == 0
    assert _sheets() == ["acme.example.md", "console.md"]


@pytest.mark.usefixtures("lab")
def test_a_sheet_from_before_does_not_go_on_asking_for_what_is_done() -> None:
    _zone(OLD_MX)
    _emit("instructions")
    _zone(GATEWAY_MX, OURS)
    assert _emit("instructions") == 0
    assert "**Everything is in place.**" in Path("out/acme/acme.example.md").read_text()


@pytest.mark.usefixtures("lab")
def test_a_domain_of_a_provider_gets_a_sheet_by_name_alone() -> None:
    _zone(OLD_MX)
    _with_provider()
    assert _emit("instructions") == 0
    assert _sheets() == ["console.md"]
    assert _emit("instructions", "--domain", "acme.example") == 0
    assert "The program writes this itself" in Path("out/acme/acme.example.md").read_text()


@pytest.mark.usefixtures("lab")
def test_missing_values_leave_other_errors_errors(capsys: pytest.CaptureFixture[str]) -> None:
    """Only what the console alone can tell is tolerated."""
    _zone(OLD_MX)
    Path("manifests/acme.yaml").write_text(
        "organization: acme\nregion: mars\nescalation_contacts: [a@acme.example]\nservices:\n"
        "  - {name: hq, kind: postfix, domains: [{name: acme.example, next_hops: [mail.acme.example]}]}\n"
    )
    assert _emit("instructions") == 1
    assert "mars" in capsys.readouterr().err
    assert not Path("out").exists()


def _records() -> dict[str, object]:
    return YAML(typ="safe").load(Path("out/zones/acme.example.yaml").read_text())  # type: ignore[no-any-return]


@pytest.mark.usefixtures("lab")
def test_octodns_gets_what_is_ready_and_not_what_is_held(capsys: pytest.CaptureFixture[str]) -> None:
    _zone(OLD_MX, FOREIGN)
    _with_provider()
    assert _emit("octodns") == 3
    records = _records()
    assert set(records) == {"_amazonses"}
    assert records["_amazonses"]["values"] == ["foreign", "token"]  # type: ignore[index]
    assert "left out   acme.example/mx: held" in capsys.readouterr().out


@pytest.mark.usefixtures("lab")
def test_octodns_gets_the_mx_once_its_gates_pass(capsys: pytest.CaptureFixture[str]) -> None:
    _declare(more=ATTESTED)
    _zone(OLD_MX, OURS)
    _with_provider()
    assert _emit("octodns") == 0
    exchange = "inbound-smtp.us-east-1.amazonaws.com."
    assert _records()[""]["value"] == {"exchange": exchange, "preference": 0}  # type: ignore[index]
    config = Path("out/config.yaml").read_text()
    assert "env/TSIG_SECRET" in config
    assert "192.0.2.53" in config
    capsys.readouterr()
    assert _emit("octodns") == 0
    assert "written" not in capsys.readouterr().out


@pytest.mark.usefixtures("lab")
def test_octodns_gets_nothing_of_a_domain_that_could_not_be_observed(capsys: pytest.CaptureFixture[str]) -> None:
    assert _emit("octodns") == 1
    assert "0 domains emitted" in capsys.readouterr().out
    assert not Path("out/zones").exists()
