"""`apply --continue`: held steps of reviewed plans go on, and what nobody reviewed is told and left."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from command import GATEWAY, HEAD, NOW, OLD, Command, Ran, manifest

from reconciler.catalog import load as catalog_module
from reconciler.document import read_document
from reconciler.journal import ReviewedPlan, open_journal, read_journal

TXT, MX = "acme.example/verification", "acme.example/mx"
JOURNAL = "sqlite:///.reconciler/journal.sqlite3"
PLACE = {"directory": Path(), "state_directory": Path(".reconciler")}
KILL_SWITCH = "kill_switch: a test\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command in its folder."""
    return Command(tmp_path, monkeypatch, capsys)


def later(days: float) -> str:
    return (datetime.fromisoformat(NOW) + timedelta(days=days)).isoformat()


def reviewed(run: Command, name: str = "plan.json", now: str = NOW) -> Ran:
    """A plan is made and applied: the value is written, and the switch is held."""
    run("plan", "--out", name, now=now)
    return run("apply", name, now=now)


def kept() -> dict[str, list[str]]:
    """The steps that the journal keeps, by the plan's id."""
    with read_journal(JOURNAL, **PLACE) as journal:
        plans = [(p.plan_id, read_document(p.document, Path("journal"))) for p in journal.reviewed_plans()]
    return {plan_id: [s.id for d in plan.domains for s in d.steps] for plan_id, plan in plans}


def rewrite(name: str, old: str, new: str) -> None:
    path = Path(name)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def add_setting(text: str) -> None:
    path = Path("reconciler.yaml")
    path.write_text(path.read_text() + text)


def told(run: Command, *arguments: str, now: str = NOW) -> dict[str, Any]:
    """The document of an apply, whose code is the process's."""
    ran = run("apply", *arguments, "--json-into", "applied.json", now=now)
    document: dict[str, Any] = json.loads(Path("applied.json").read_text())
    assert document["exit_code"] == ran.code
    return document


def codes(document: dict[str, Any]) -> list[str]:
    return [each["code"] for each in (*document["results"], *document["diagnostics"]) if each["code"]]


def test_there_is_nothing_to_continue_without_a_journal(run: Command) -> None:
    """A journal that was lost is none: nothing is said of it, and none is made."""
    ran = run("apply", "--continue", "--json-into", "applied.json")
    assert (ran.code, ran.out, ran.err) == (0, "Nothing to continue.\n", "")
    assert not Path(".reconciler").exists()
    assert codes(json.loads(Path("applied.json").read_text())) == []


def test_a_held_step_goes_on_and_then_there_is_nothing(run: Command) -> None:
    assert (reviewed(run).code, list(kept().values())) == (3, [[MX]])
    before = run.zone.read_text()
    went_on = run("apply", "--continue", now=later(29))
    assert went_on.code == 0
    assert "acme.example  applied" in went_on.out
    assert GATEWAY.split()[-1] in run.zone.read_text() != before
    assert kept() == {}
    after = run.zone.read_bytes()
    assert run("apply", "--continue").out == "Nothing to continue.\n"
    assert run.zone.read_bytes() == after


def test_what_is_still_held_stays_kept(run: Command) -> None:
    reviewed(run)
    add_setting(KILL_SWITCH)
    before, journal = run.zone.read_bytes(), kept()
    ran = run("apply", "--continue")
    assert ran.code == 3
    assert "1 domain waits" in ran.out
    assert (run.zone.read_bytes(), kept()) == (before, journal)


def test_drift_is_told_and_left(run: Command) -> None:
    """The value was written by this review, and somebody took it away: another review puts it back."""
    reviewed(run)
    run.zone.write_text(f"{HEAD}{OLD}")
    before = run.zone.read_bytes()
    ran = run("apply", "--continue")
    assert (ran.code, run.zone.read_bytes()) == (3, before)
    assert f"acme.yaml:13: warning[unreviewed]: {TXT} is ready, and no reviewed plan shows it" in ran.err
    assert "In sync" not in ran.out
    assert "1 step waits for a review." in ran.out
    document = told(run, "--continue")
    assert (document["exit_code"], codes(document)) == (3, ["unreviewed"])


def test_a_domain_that_is_declared_otherwise_by_now_is_dropped_once(run: Command) -> None:
    reviewed(run)
    rewrite("manifests/acme.yaml", "next_hops: [mail.acme.example]", "next_hops: [mx.acme.example]")
    before = run.zone.read_bytes()
    document = told(run, "--continue")
    assert (document["exit_code"], codes(document)) == (4, ["base-moved"])
    assert "manifests/acme.yaml:13 declares something else" in document["results"][0]["message"]
    assert run.zone.read_bytes() == before
    rewrite("manifests/acme.yaml", "next_hops: [mx.acme.example]", "next_hops: [mail.acme.example]")
    assert run("apply", "--continue").out == "Nothing to continue.\n", "a review that was dropped does not come back"


def test_a_domain_that_left_the_manifests_is_dropped(run: Command) -> None:
    reviewed(run)
    Path("manifests/acme.yaml").write_text(manifest("done.example"))
    assert codes(told(run, "--continue")) == ["undeclared"]
    assert kept() == {}


def test_what_happens_to_another_organization_is_nobodys_matter(run: Command) -> None:
    run("plan", "--out", "plan.json")
    other = manifest("other.example").replace("organization: acme", "organization: other")
    Path("manifests/other.yaml").write_text(other)
    assert run("apply", "plan.json").code == 3
    rewrite("manifests/other.yaml", "region: eu", "region: us")
    went_on = run("apply", "--continue")
    assert (went_on.code, "acme.example  applied" in went_on.out) == (0, True)


@pytest.mark.parametrize(("change", "code"), [("new_rrset_ttl: 600\n", "settings-changed"), ("", "catalog-changed")])
def test_another_catalog_or_other_settings_end_every_review(run: Command, change: str, code: str) -> None:
    run("plan", "--out", "refused.json")
    reviewed(run)
    if not change:
        shipped = Path(catalog_module.__file__).parent / "catalog.yaml"
        Path("catalog.yaml").write_text(f"# as shipped\n{shipped.read_text()}")
        change = "catalog: catalog.yaml\n"
    add_setting(change)
    before = run.zone.read_bytes()
    document = told(run, "refused.json")
    assert (document["exit_code"], document["results"], codes(document)) == (4, [], [code])
    document = told(run, "--continue")
    assert (document["exit_code"], document["results"], codes(document)) == (4, [], [code])
    assert "acme.example" in document["diagnostics"][0]["detail"]
    assert "reconciler plan --out FILE" in document["diagnostics"][0]["detail"]
    assert run.zone.read_bytes() == before
    assert run("apply", "--continue").out == "Nothing to continue.\n"


def test_what_only_holds_steps_or_says_how_to_look_ends_no_review(run: Command) -> None:
    reviewed(run)
    add_setting("limits: {switches_per_run: 7}\nprobes: {timeout: 3}\nplan_expires_hours: 2\n")
    assert run("apply", "--continue").code == 0


def test_a_review_goes_on_for_as_long_as_the_settings_say(run: Command) -> None:
    reviewed(run)
    add_setting("reviewed_days: 2\n")
    before = run.zone.read_bytes()
    document = told(run, "--continue", now=later(2.01))
    assert (document["exit_code"], codes(document)) == (4, ["reviewed-expired"])
    assert "more than 2 days ago" in document["diagnostics"][0]["summary"]
    assert run.zone.read_bytes() == before
    assert run("apply", "--continue").out == "Nothing to continue.\n"


def test_applying_it_again_does_not_make_a_review_younger(run: Command) -> None:
    """A write failed, so the plan may be applied once more."""
    run("plan", "--out", "plan.json")
    rewrite("reconciler.yaml", "directory: zones", "directory: none")
    assert run("apply", "plan.json").code == 1
    assert list(kept().values()) == [[TXT, MX]]
    rewrite("reconciler.yaml", "directory: none", "directory: zones")
    assert run("apply", "plan.json", now=later(0.9)).code == 3
    assert list(kept().values()) == [[MX]]
    assert codes(told(run, "--continue", now=later(30.1))) == ["reviewed-expired"]


def test_a_write_that_failed_is_tried_again(run: Command) -> None:
    run("plan", "--out", "plan.json")
    rewrite("reconciler.yaml", "directory: zones", "directory: none")
    run("apply", "plan.json")
    rewrite("reconciler.yaml", "directory: none", "directory: zones")
    assert "TXT _amazonses.acme.example" in run("apply", "--continue").out
    assert "MX  acme.example" in run("apply", "--continue").out


def test_a_newer_review_replaces_an_older_one(run: Command) -> None:
    """Of the same domain: of the value that the newer one showed and wrote, the older one says nothing any more."""
    run("plan", "--out", "older.json")
    rewrite("reconciler.yaml", "directory: zones", "directory: none")
    run("apply", "older.json")
    assert list(kept().values()) == [[TXT, MX]]
    rewrite("reconciler.yaml", "directory: none", "directory: zones")
    assert reviewed(run, "newer.json", later(0.1)).code == 3
    newer = json.loads(Path("newer.json").read_text())["id"]
    assert kept() == {newer: [MX]}


def test_an_older_review_that_is_tried_again_takes_nothing_from_a_newer_one(run: Command) -> None:
    """Its claim is open, because a write failed; what it says of the domain is outdated by now."""
    run("plan", "--out", "older.json")
    rewrite("reconciler.yaml", "directory: zones", "directory: none")
    run("apply", "older.json")
    rewrite("reconciler.yaml", "directory: none", "directory: zones")
    rewrite("manifests/acme.yaml", "next_hops: [mail.acme.example]", "next_hops: [mx.acme.example]")
    reviewed(run, "newer.json", later(0.1))
    newer = json.loads(Path("newer.json").read_text())["id"]
    assert kept() == {newer: [MX]}
    assert codes(told(run, "older.json", now=later(0.2))) == ["base-moved"]
    assert kept() == {newer: [MX]}


def test_what_a_review_goes_on_with_is_no_drift_until_the_review_is_over(run: Command) -> None:
    reviewed(run)
    add_setting("reviewed_days: 30\n")

    def classes(days: float) -> list[str]:
        document = json.loads(run("drift", "--format", "json", now=later(days)).out)
        return [f["class"] for f in document["findings"] if f["code"] == "mx-not-switched"]

    assert classes(29) == ["pending"]
    assert classes(31) == ["unapplied"]


def test_a_stale_domain_does_not_go_on_by_itself(run: Command) -> None:
    run("plan", "--out", "plan.json")
    run.zone.write_text(f'{HEAD}{OLD}_amazonses TXT "somebody else"\n')
    document = told(run, "plan.json")
    assert (document["exit_code"], codes(document)) == (4, ["observed-changed"])
    assert run("apply", "--continue").out == "Nothing to continue.\n"


def test_whoever_undoes_a_plan_does_not_want_the_rest(run: Command) -> None:
    reviewed(run)
    assert run("apply", "plan.undo.json").code == 0
    assert kept() == {}
    assert run("apply", "--continue").out == "Nothing to continue.\n"


def test_a_journal_that_was_restored_writes_nothing_that_was_not_reviewed(run: Command, tmp_path: Path) -> None:
    """It shows the switch as held still; by now it is done, and what came after was undone by somebody."""
    reviewed(run)
    shutil.copytree(".reconciler", tmp_path / "backup")
    assert run("apply", "--continue").code == 0
    in_sync = run.zone.read_bytes()
    for journal in Path(".reconciler").glob("journal.sqlite3*"):
        journal.unlink()
    for journal in (tmp_path / "backup").glob("journal.sqlite3*"):
        shutil.copy(journal, ".reconciler")
    ran = run("apply", "--continue")
    assert "journal-restored" in ran.err
    assert run.zone.read_bytes() == in_sync
    assert kept() == {}


def test_a_run_that_was_killed_after_the_write_does_nothing_twice(
    run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviewed(run)

    def killed(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("reconciler.kept_plans.KeptPlans.write", killed)
        assert run("apply", "--continue").code == 130
    after = run.zone.read_bytes()
    assert GATEWAY.split()[-1].encode() in after
    assert list(kept().values()) == [[MX]]
    assert run("apply", "--continue").out == "In sync. 1 domain, nothing to apply.\n"
    assert (run.zone.read_bytes(), kept()) == (after, {})


@pytest.mark.parametrize("text", ["", "{", '{"format_version": "2.0"}', "altered"])
def test_a_review_that_nobody_can_read_is_told_and_dropped(run: Command, text: str) -> None:
    reviewed(run)
    with open_journal(JOURNAL, **PLACE) as journal:
        (row,) = journal.reviewed_plans()
        text = row.document.replace("held", "ready") if text == "altered" else text
        journal.keep_reviewed([ReviewedPlan(row.plan_id, text, row.at)])
    before = run.zone.read_bytes()
    document = told(run, "--continue")
    assert (document["exit_code"], codes(document)) == (4, ["reviewed-unreadable"])
    assert run.zone.read_bytes() == before
    assert run("apply", "--continue").out == "Nothing to continue.\n"


def test_another_plan_is_applied_beside_one_that_nobody_can_read(run: Command) -> None:
    run("plan", "--out", "plan.json")
    with open_journal(JOURNAL, **PLACE) as journal:
        journal.keep_reviewed([ReviewedPlan("sha256:x", "{", datetime.fromisoformat(NOW))])
    document = told(run, "plan.json")
    assert (document["exit_code"], codes(document)) == (3, [])
    assert codes(told(run, "--continue")) == ["reviewed-unreadable"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--continue", "--auto-approve"),
        ("--continue", "plan.json"),
        ("--continue", "--domain", "acme.example"),
        ("plan.json", "--organization", "acme"),
        (),
    ],
)
def test_what_is_applied_is_one_thing(run: Command, arguments: tuple[str, ...]) -> None:
    assert run("apply", *arguments).code == 64
