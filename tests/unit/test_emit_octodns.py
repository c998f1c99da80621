"""Emitting into empty folders, and again into what was emitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from octodns.yaml import safe_load
from octodns_builders import contents, domain, leaving, repository

from reconciler.emit.octodns import EmitReport, emit_octodns
from reconciler.errors import EmitError
from reconciler.state import Rdata, txt_rdata

if TYPE_CHECKING:
    from pathlib import Path


def test_an_empty_folder_becomes_a_repository(tmp_path: Path) -> None:
    out = tmp_path / "not" / "yet"
    report = emit_octodns([domain("acme.example"), domain("sub.acme.example", zone="acme.example")], out)
    assert report.written == ("README.md", "config.yaml", "requirements.txt", "zones/acme.example.yaml")
    assert not report.refused
    zone = safe_load((out / "zones/acme.example.yaml").read_text())
    assert list(zone) == ["", "_amazonses", "_amazonses.sub", "sub"]
    assert zone["_amazonses"] == {"ttl": 3600, "type": "TXT", "values": ["new-token==", "other-vendor=="]}
    assert zone["sub"] == {"ttl": 300, "type": "MX", "value": {"exchange": "eu.mx-pp.com.", "preference": 0}}
    settings = safe_load((out / "config.yaml").read_text(), enforce_order=False)
    assert settings["zones"]["acme.example."]["sources"] == ["live", "reconciler"]
    assert settings["providers"]["reconciler"]["populate_should_replace"] is True


def test_a_second_emission_writes_nothing(tmp_path: Path) -> None:
    emit_octodns([domain("acme.example")], tmp_path)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")}
    report = emit_octodns([domain("acme.example")], tmp_path)
    assert report == EmitReport((), (), ("zones/acme.example.yaml",), (), ())
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")} == before


def test_a_later_domain_joins_an_emitted_repository(tmp_path: Path) -> None:
    block = {"class": "octodns_bind.Rfc2136Provider", "host": "192.0.2.53"}
    emit_octodns([domain("acme.example")], tmp_path, provider=("bind", block))
    report = emit_octodns([domain("acme.example"), domain("beta.example")], tmp_path)
    assert (report.written, report.changed) == (("zones/beta.example.yaml",), ("config.yaml",))
    zones = safe_load((tmp_path / "config.yaml").read_text(), enforce_order=False)["zones"]
    assert zones["beta.example."] == zones["acme.example."]
    assert zones["beta.example."]["targets"] == ["bind"]


def test_an_emitted_file_follows_the_observed_foreign_values(tmp_path: Path) -> None:
    """What the program wrote itself is no person's truth: a foreign value that left DNS leaves the file."""
    emit_octodns([domain("acme.example")], tmp_path)
    emit_octodns([domain("acme.example", foreign=(txt_rdata("newcomer"),))], tmp_path)
    zone = safe_load((tmp_path / "zones/acme.example.yaml").read_text())
    assert sorted(zone["_amazonses"]["values"]) == ["new-token==", "newcomer"]


def test_an_emission_that_was_killed_is_finished(tmp_path: Path) -> None:
    emit_octodns([domain("acme.example")], tmp_path)
    (tmp_path / "config.yaml").unlink()
    assert emit_octodns([domain("acme.example")], tmp_path).written == ("config.yaml",)


def test_secrets_are_never_written(tmp_path: Path) -> None:
    block: dict[str, Any] = {
        "class": "octodns_powerdns.PowerDnsProvider",
        "host": "192.0.2.53",
        "api_key": "hunter2/abc==",
        "nested": {"key_secret": "hunter2", "token": "env/TOKEN", "others": [{"password": "hunter2"}]},
    }
    report = emit_octodns([domain("acme.example")], tmp_path, provider=("pdns", block))
    assert not any(b"hunter2" in text for text in contents(tmp_path).values())
    live = safe_load((tmp_path / "config.yaml").read_text(), enforce_order=False)["providers"]["pdns"]
    assert live["api_key"] == "env/PDNS_API_KEY"
    assert "env/TOKEN" in live["nested"].values()
    assert len(report.warnings) == 3
    assert "octodns-powerdns" in (tmp_path / "requirements.txt").read_text()


def test_a_removal_cannot_be_said_in_an_emitted_repository(tmp_path: Path) -> None:
    report = emit_octodns([domain("acme.example"), leaving("beta.example")], tmp_path)
    assert [w.code for w in report.warnings] == ["emit-no-removal"]
    assert "beta.example" not in (tmp_path / "config.yaml").read_text()


@pytest.mark.parametrize(
    "rdata",
    [
        '"back\\\\slash"',
        '"trailing\\\\"',
        '"\\255"',
        '"one" "two"',
        '"\\"quoted\\""',
        '"a\\" \\"b"',
        '"line\\010break"',
        f'"{"x" * 254};"',
    ],
)
def test_what_octodns_cannot_carry_refuses_its_zone_alone(tmp_path: Path, rdata: str) -> None:
    report = emit_octodns([domain("acme.example", foreign=(Rdata(rdata),)), domain("beta.example")], tmp_path)
    assert [d.domain for d in report.refused] == ["acme.example."]
    assert "byte for byte" in report.refused[0].summary
    assert "zones/beta.example.yaml" in report.written
    assert not (tmp_path / "zones/acme.example.yaml").exists()


@pytest.mark.parametrize("rdata", ['"v=x; y"', '""', '"it\'s"', '"tab\\009bed"', f'"{"x" * 255}" "y"', '"del\\127"'])
def test_what_octodns_carries_is_written(tmp_path: Path, rdata: str) -> None:
    report = emit_octodns([domain("acme.example", foreign=(Rdata(rdata),))], tmp_path)
    assert not report.refused


@pytest.mark.parametrize("files", [{"notes.txt": "x"}, {"README.md": "# mine"}, {"a/b.txt": "x"}])
def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, files: dict[str, str]) -> None:
    repository(tmp_path, files)
    before = contents(tmp_path)
    with pytest.raises(EmitError, match="not empty"):
        emit_octodns([domain("acme.example")], tmp_path)
    assert contents(tmp_path) == before


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(EmitError, match="no folder"):
        emit_octodns([domain("acme.example")], tmp_path / "out")


@pytest.mark.parametrize("text", ["providers: [\nzones:\n", "providers: []\nzones: {}\n"])
def test_a_configuration_that_cannot_be_loaded_stops_everything(tmp_path: Path, text: str) -> None:
    repository(tmp_path, {"config.yaml": text})
    with pytest.raises(EmitError, match="configuration"):
        emit_octodns([domain("acme.example")], tmp_path)


def test_an_emitted_configuration_that_was_rearranged_is_not_guessed_at(tmp_path: Path) -> None:
    emit_octodns([domain("acme.example")], tmp_path)
    path = tmp_path / "config.yaml"
    path.write_text(path.read_text() + "manager:\n  max_workers: 2\n")
    before = contents(tmp_path)
    with pytest.raises(EmitError, match="cannot be added"):
        emit_octodns([domain("acme.example"), domain("beta.example")], tmp_path)
    assert contents(tmp_path) == before
    assert not emit_octodns([domain("acme.example")], tmp_path).refused
