"""`reconciler drift` in process: exit codes, streams, files, and what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from command import GATEWAY, HEAD, NOW, Command

from reconciler.drift import drift_schema
from reconciler.journal import read_journal

REMOVED = f"{HEAD}{GATEWAY}"
IN_SYNC = f'{REMOVED}_amazonses TXT "token-of-acme.example"\n'
LATER = "2026-11-22T12:00:00+00:00"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Two domains behind the gateway."""
    command = Command(tmp_path, monkeypatch, capsys)
    command.zone.write_text(IN_SYNC)
    return command


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_in_sync_is_0(run: Command) -> None:
    ran = run("drift", "--detailed-exitcode", "--fail-on", "info")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "No drift: 2 of 2 domains in sync.\n"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [((), 0), (("--detailed-exitcode",), 2), (("--fail-on", "critical"), 2), (("--fail-on", "low"), 2)],
)
def test_drift_is_2_only_where_that_is_asked_for(run: Command, arguments: tuple[str, ...], code: int) -> None:
    run.zone.write_text(REMOVED)
    ran = run("drift", *arguments)
    assert (ran.code, ran.err) == (code, "")
    assert ran.out.startswith("CRITICAL acme.example  token-removed\n")


def test_a_severity_that_is_not_reached_is_0(run: Command) -> None:
    run.zone.write_text(f"{IN_SYNC}@ MX 20 mail\n")
    assert run("drift", "--fail-on", "critical").code == 0
    assert run("drift", "--fail-on", "high").code == 2


def test_what_could_not_be_read_is_3(run: Command) -> None:
    run.zone.write_text("no zone at all")
    ran = run("drift", "--detailed-exitcode")
    assert ran.code == 3
    assert "not-observed" in ran.out
    assert "unknown: it could not be read" in ran.out


def test_drift_and_unknown_together_are_2(run: Command) -> None:
    run.zone.write_text(REMOVED)
    Path("zones/done.example.zone").write_text("no zone at all")
    assert run("drift", "--detailed-exitcode").code == 2
    assert run("drift").code == 3


def test_an_ignored_finding_is_shown_and_fails_nothing(run: Command) -> None:
    rule = "{finding: token-removed, owner: ops@acme.example, reason: tests, expires: 2026-11-21}"
    manifest = Path("manifests/acme.yaml")
    manifest.write_text(f"{manifest.read_text()}ignore_drift: [{rule}]\n")
    run.zone.write_text(REMOVED)
    ran = run("drift", "--detailed-exitcode", "--fail-on", "info")
    assert (ran.code, ran.err) == (0, "")
    assert "ignored acme.example  token-removed, ignored by ops@acme.example until 2026-11-21: tests\n" in ran.out
    expired = run("drift", now=LATER)
    assert expired.code == 1
    assert "error[ignore-expired]" in expired.err


def test_nothing_is_written_without_record_and_the_journal_alone_with_it(run: Command, tmp_path: Path) -> None:
    run.zone.write_text(REMOVED)
    before = contents(tmp_path)
    run("drift")
    assert contents(tmp_path) == before
    run("drift", "--record")
    assert {n for n in contents(tmp_path) if ".reconciler" not in n} == set(before)
    assert contents(tmp_path / "zones") == {n: c for n, c in before.items() if "/zones/" in n}


def test_since_when_it_is_seen_is_kept_by_recorded_looks_alone(run: Command) -> None:
    run.zone.write_text(REMOVED)

    def first_seen(*arguments: str, now: str) -> str:
        return str(json.loads(run("drift", "--format", "json", *arguments, now=now).out)["findings"][0]["first_seen"])

    assert first_seen(now=NOW).startswith("2026-11-21T12")
    assert first_seen(now=LATER).startswith("2026-11-22T12")
    first_seen("--record", now=NOW)
    assert first_seen("--record", now=LATER).startswith("2026-11-21T12")
    assert first_seen(now="2026-11-23T12:00:00+00:00").startswith("2026-11-21T12")


def test_the_document_is_written_beside_the_output_and_is_as_its_schema_says(run: Command) -> None:
    run.zone.write_text(REMOVED)
    ran = run("drift", "--json-into", "drift.json", "--domain", "acme.example")
    document = json.loads(Path("drift.json").read_text())
    jsonschema.validate(document, drift_schema())
    assert (document["kind"], document["format_version"]) == ("drift", "1.0")
    assert [d["domain"] for d in document["domains"]] == ["acme.example"]
    assert Path("drift.json").stat().st_mode & 0o777 == 0o600
    assert ran.out.startswith("CRITICAL")


@pytest.mark.parametrize("arguments", [("--format", "xml"), ("--fail-on", "awful"), ("--detailed",)])
def test_wrong_arguments_are_64(run: Command, arguments: tuple[str, ...]) -> None:
    ran = run("drift", *arguments)
    assert (ran.code, ran.out) == (64, "")


def test_counts_of_the_whole_fleet_are_kept_and_of_a_part_never(run: Command, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / '.reconciler' / 'journal.sqlite3'}"
    run("drift")
    run("drift", "--record", "--domain", "acme.example")
    run("drift", "--record", now=LATER)
    with read_journal(url, directory=tmp_path, state_directory=tmp_path / ".reconciler") as journal:
        (kept,) = journal.drift_counts()
    assert kept.at.isoformat() == LATER
    assert kept.counts["domains"] == 2
    assert (
        kept.counts["low"]
        == json.loads(run("drift", "--format", "json", now=LATER).out)["summary"]["severities"]["low"]
    )


def test_one_look_is_written_in_several_formats(run: Command, tmp_path: Path) -> None:
    """The files and what is printed tell of the same look, and are what `--format` prints."""
    run.zone.write_text(REMOVED)
    files = [f"--{form}-into={tmp_path / form}" for form in ("json", "sarif", "junit")]
    assert run("drift", *files).out.startswith("CRITICAL acme.example  token-removed\n")
    for form in ("json", "sarif", "junit"):
        assert (tmp_path / form).read_text() == run("drift", "--format", form).out
        assert (tmp_path / form).stat().st_mode & 0o777 == 0o600
