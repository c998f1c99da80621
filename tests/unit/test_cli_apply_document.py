"""`apply --json-into`: what was done stands in the file, whatever came of the run: people are told from it."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from command import HEAD, OLD, Command

from reconciler.document.applied import ApplyDocument, apply_schema

if TYPE_CHECKING:
    from collections.abc import Callable

INTO = ("--json-into", "applied.json")
SAVED = ("apply", "plan.json", *INTO)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command in its folder."""
    return Command(tmp_path, monkeypatch, capsys)


def written() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(Path("applied.json").read_text())
    jsonschema.validate(document, apply_schema())
    assert ApplyDocument.model_validate(document).exit_code == document["exit_code"]
    return document


def diagnostics(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(d["code"], d["severity"]) for d in document["diagnostics"]]


def test_what_was_written_is_told(run: Command) -> None:
    run("plan", "--out", "plan.json")
    ran = run(*SAVED)
    document = written()
    (result,) = document["results"]
    assert (result["organization"], result["domain"], result["became"]) == ("acme", "acme.example", "applied")
    assert (result["code"], result["message"], result["is_seen"]) == ("", "", True)
    (step,) = result["steps"]
    assert (step["id"], step["phase"]) == ("acme.example/verification", "expand")
    assert (step["before"], step["after"]) == ([], ['"token-of-acme.example"'])
    assert document["plan_id"] == json.loads(Path("plan.json").read_text())["id"]
    assert (document["exit_code"], document["waiting"], ran.code) == (3, 1, 3)
    assert [u["file"] for u in document["undo"]] == ["plan.undo.json"]
    assert stat.S_IMODE(Path("applied.json").stat().st_mode) == 0o600


def test_what_is_shown_is_the_same_with_the_file_and_without_it(run: Command) -> None:
    zone = run.zone.read_bytes()
    plain = run("apply", "--auto-approve")
    run.zone.write_bytes(zone)
    beside = run("apply", "--auto-approve", *INTO)
    assert (plain.code, plain.err) == (beside.code, beside.err)
    assert plain.out.splitlines()[:3] == beside.out.splitlines()[:3]
    assert written()["plan_id"] is None


def expired(run: Command) -> None:
    run(*SAVED, now="2026-11-23T12:00:00+00:00")


def used(run: Command) -> None:
    run("apply", "plan.json")
    run(*SAVED)


def altered(run: Command) -> None:
    path = Path("plan.json")
    path.write_text(path.read_text().replace("token-of-acme.example", "token-of-evil.example"))
    run(*SAVED)


def without_settings(run: Command) -> None:
    Path("reconciler.yaml").write_text("nonsense: 1\n")
    run(*SAVED)


def without_manifests(run: Command) -> None:
    Path("manifests/acme.yaml").write_text("[")
    run(*SAVED)


def without_a_journal(run: Command) -> None:
    Path(".reconciler").write_text("a file where the folder should be")
    run(*SAVED)


@pytest.mark.parametrize(
    ("refused", "exit_code", "code"),
    [
        (expired, 4, "plan-expired"),
        (used, 4, "plan-used"),
        (altered, 1, "plan-file"),
        (without_settings, 1, "unknown-key"),
        (without_manifests, 1, "yaml-syntax"),
        (without_a_journal, 1, "journal-unusable"),
    ],
)
def test_a_plan_that_is_refused_as_a_whole_says_why(
    run: Command, refused: Callable[[Command], None], exit_code: int, code: str
) -> None:
    run("plan", "--out", "plan.json")
    plan_id = json.loads(Path("plan.json").read_text())["id"]
    refused(run)
    document = written()
    assert (document["exit_code"], document["results"], document["undo"]) == (exit_code, [], [])
    assert {severity for _, severity in diagnostics(document)} == {"error"}
    assert code in {code for code, _ in diagnostics(document)}
    assert document["plan_id"] == (None if refused is altered else plan_id)


def test_a_stale_domain_has_its_code_and_its_reason(run: Command) -> None:
    run("plan", "--out", "plan.json")
    run.zone.write_text(f'{HEAD}{OLD}_amazonses TXT "somebody else"\n')
    assert run(*SAVED).code == 4
    (result,) = written()["results"]
    assert (result["became"], result["code"], result["steps"]) == ("stale", "observed-changed", [])
    assert "now there is" in result["message"]


def test_a_base_that_moved_is_told_with_its_place(run: Command) -> None:
    run("plan", "--out", "plan.json")
    path = Path("manifests/acme.yaml")
    path.write_text(path.read_text().replace("on: 2026-11-21", "on: 2026-11-20"))
    before = run.zone.read_bytes()
    assert run(*SAVED).code == 4
    (result,) = written()["results"]
    assert (result["became"], result["code"]) == ("stale", "base-moved")
    expected = "the base moved: manifests/acme.yaml:13 declares something else than what was reviewed"
    assert result["message"] == expected
    assert run.zone.read_bytes() == before


def test_lines_that_moved_in_a_manifest_are_the_same_base(run: Command) -> None:
    run("plan", "--out", "plan.json")
    path = Path("manifests/acme.yaml")
    path.write_text(f"# a comment\n\n{path.read_text()}")
    assert run(*SAVED).code == 3


def test_a_failed_domain_says_what_was_tried(run: Command) -> None:
    settings = Path("reconciler.yaml")
    settings.write_text(settings.read_text().replace("directory: zones", "directory: none"))
    assert run("apply", "--auto-approve", *INTO).code == 1
    document = written()
    (result,) = document["results"]
    assert (result["became"], document["exit_code"]) == ("failed", 1)
    assert result["code"]
    assert "none" in result["message"]
    assert [s["id"] for s in result["steps"]] == ["acme.example/verification"]


@pytest.mark.parametrize(("place", "done"), [("plan_again", []), ("_look", ["applied"])])
def test_an_interrupted_run_tells_what_it_did_until_then(
    run: Command, monkeypatch: pytest.MonkeyPatch, place: str, done: list[str]
) -> None:
    """Before anything was written, and after the write of a domain, before it was looked at."""
    run("plan", "--out", "plan.json")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    module = "run_write" if done else "run"
    monkeypatch.setattr(f"reconciler.{module}.{place}", interrupted)
    ran = run(*SAVED)
    document = written()
    assert (ran.code, document["exit_code"]) == (130, 1)
    assert diagnostics(document) == [("interrupted", "error")]
    assert [r["became"] for r in document["results"]] == done
    assert ("acme.example  applied" in ran.out) == bool(done)


def test_while_it_runs_and_after_a_kill_the_file_says_that_it_did_not_end(
    run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("plan", "--out", "plan.json")
    Path("applied.json").write_text("that of an earlier run")
    seen = []

    def look(*_: object) -> None:
        seen.append(written())
        raise SystemExit(9)  # nothing is written after it, as after a kill

    monkeypatch.setattr("reconciler.run.plan_again", look)
    run(*SAVED)
    assert written() == seen[0]
    assert (diagnostics(seen[0]), seen[0]["exit_code"]) == ([("unfinished", "error")], 1)
    assert seen[0]["plan_id"]


def test_an_error_of_the_system_is_told(run: Command) -> None:
    Path(".reconciler").mkdir()
    Path(".reconciler/undo").write_text("a file where the folder should be")
    before = run.zone.read_bytes()
    ran = run("apply", "--auto-approve", *INTO)
    assert (ran.code, run.zone.read_bytes()) == (1, before)
    document = written()
    assert (document["exit_code"], diagnostics(document)) == (1, [("system", "error")])


def test_a_file_that_cannot_be_written_stops_before_the_first_write(run: Command) -> None:
    run("plan", "--out", "plan.json")
    before = run.zone.read_bytes()
    ran = run("apply", "plan.json", "--json-into", "zones")
    assert (ran.code, run.zone.read_bytes()) == (1, before)
    assert "error[system]" in ran.err
    assert run(*SAVED).code == 3, "the plan was not used up"


def test_what_stops_the_whole_run_is_in_it(run: Command) -> None:
    settings = Path("reconciler.yaml")
    settings.write_text(settings.read_text() + "kill_switch: the vendor is down\n")
    assert run("apply", "--auto-approve", *INTO).code == 3
    assert diagnostics(written()) == [("kill-switch", "warning")]


def test_its_schema_is_published(run: Command) -> None:
    assert json.loads(run("schema", "apply").out) == apply_schema()
