"""What was applied can be undone by the plan that was written beside it, as long as nothing was built on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import HEAD, Command

from reconciler.document import PlanHead, assemble_document, load_document, render_document

PLAN, UNDO = Path("plan.json"), Path("plan.undo.json")
VALUES = '_amazonses TXT "token-of-acme.example"\n'
OLD_MX = "@ MX 10 mail.acme.example.\nmail A 192.0.2.25\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command in its folder; the MX of acme.example is ready to move."""
    command = Command(tmp_path, monkeypatch, capsys)
    command.zone.write_text(f"{HEAD}{OLD_MX}{VALUES}")
    return command


def _records(run: Command) -> list[str]:
    """The zone's records without its SOA, whose serial goes on."""
    lines = (line.split(";")[0].split() for line in run.zone.read_text().splitlines())
    return sorted(" ".join(words) for words in lines if words and "SOA" not in words)


def _apply(run: Command) -> None:
    run("plan", "--out", str(PLAN))
    assert run("apply", str(PLAN)).code == 0
    assert "inbound-smtp" in run.zone.read_text()


def test_an_applied_plan_is_undone_by_its_inverse_and_that_by_its_own(run: Command) -> None:
    before = _records(run)
    _apply(run)
    after = _records(run)
    ran = run("apply", str(UNDO))
    assert ran.code == 0
    assert "advisory[revert-the-commit]" in ran.err
    assert "acme.example  applied" in ran.out
    assert _records(run) == before
    run("apply", "plan.undo.undo.json")
    assert _records(run) == after


def test_the_inverse_says_until_when_it_is_safe_and_is_refused_afterwards(run: Command) -> None:
    _apply(run)
    switched = run.zone.read_bytes()
    inverse = json.loads(UNDO.read_text())
    assert inverse["inverse_of"].startswith("sha256:")
    assert inverse["safe_until"] > "2026-11-21T12"
    ran = run("apply", str(UNDO), now="2027-11-21T12:00:00+00:00")
    assert ran.code == 4
    assert run.zone.read_bytes() == switched


def test_what_somebody_changed_since_is_not_undone(run: Command) -> None:
    _apply(run)
    run.zone.write_text(f"{HEAD}{VALUES}@ MX 5 mx.elsewhere.example.\n")
    changed = run.zone.read_bytes()
    assert run("apply", str(UNDO)).code == 4
    assert run.zone.read_bytes() == changed


def test_the_kill_switch_stops_an_inverse_too(run: Command) -> None:
    _apply(run)
    settings = Path("reconciler.yaml")
    settings.write_text(f"{settings.read_text()}kill_switch: an incident\n")
    switched = run.zone.read_bytes()
    ran = run("apply", str(UNDO))
    assert (ran.code, ran.out) == (4, "")
    assert "error[kill-switch]" in ran.err
    assert run.zone.read_bytes() == switched


def test_a_run_without_a_review_leaves_its_inverse_in_the_state_folder(run: Command) -> None:
    before = _records(run)
    assert run("apply", "--auto-approve").code == 0
    (undo,) = Path(".reconciler/undo").iterdir()
    assert undo.name.endswith(".undo.json")
    assert undo.stat().st_mode & 0o777 == 0o600
    run("apply", str(undo))
    assert _records(run) == before


def test_where_nothing_was_written_there_is_nothing_to_undo(run: Command) -> None:
    run("plan", "--out", str(PLAN))
    run("apply", "--auto-approve")
    assert run("apply", str(PLAN)).code == 0
    assert not UNDO.exists()


def test_a_plan_that_no_apply_wrote_undoes_nothing(run: Command) -> None:
    """Whole, with a digest of its own, and without what its maker did not like: only the journal tells."""
    _apply(run)
    inverse = load_document(UNDO)
    head = PlanHead.model_validate(inverse.model_dump()).model_copy(update={"safe_until": None})
    forged = assemble_document(head, inverse.domains, [], [])
    UNDO.write_text(render_document(forged))
    switched = run.zone.read_bytes()
    ran = run("apply", str(UNDO))
    assert ran.code == 4
    assert "error[unknown-inverse]" in ran.err
    assert run.zone.read_bytes() == switched
