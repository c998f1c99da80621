"""`apply.yml`, step by step: what was reviewed is written and told, what waits goes on, what has changed is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from laboratory import manifest
from servers.github_rest import TOKEN
from workflows.team import ACME, GATEWAY, MINE, Team, team_at_work

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from workflows.runner import WorkflowRun

pytestmark = pytest.mark.integration

ORIGIN = "mail.elsewhere.example."
JOURNAL = "refs/heads/reconciler-journal"
BEFORE = frozenset({b"\x0fa foreign value"})
AFTER = BEFORE | {b"\x10one-acme.example"}


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    with team_at_work(tmp_path) as team:
        yield team


def opened(team: Team, files: Mapping[str, str | None], *, fork: str | None = None) -> int:
    """A pull request whose plan succeeded."""
    number, run = team.forge.open_pull(files, fork=fork)
    assert run.conclusion == "success", run.shown()
    return number


def told(team: Team, number: int) -> str:
    """The one comment about what was applied."""
    bodies = [str(c["body"]) for c in team.comments(number)]
    [body] = [b for b in bodies if b.startswith("<!-- reconciler:apply")]
    return body


def applied(run: WorkflowRun) -> str:
    """What the step that writes printed."""
    step = run.jobs["apply"].step("Apply")
    return step.out + step.err


def test_what_was_reviewed_is_applied_and_what_waits_goes_on_when_its_gate_opens(team: Team) -> None:
    team.take_next_hop_away()
    number = opened(team, {MINE: ACME})
    assert team.forge.branches() == [f"refs/heads/{b}" for b in ("change-1", "main")]
    merged = team.forge.merge(number)
    assert merged.conclusion == "success", merged.shown()
    assert (team.txt(), team.mx_hosts()) == (AFTER, {ORIGIN})
    assert JOURNAL in team.forge.branches()
    assert "one-acme.example" in told(team, number)
    assert "something waits: 1" in told(team, number)

    closed = team.forge.scheduled("apply.yml")
    assert closed.conclusion == "success", closed.shown()
    assert (team.txt(), team.mx_hosts()) == (AFTER, {ORIGIN})

    team.bring_next_hop_back()
    opens = team.forge.scheduled("apply.yml")
    assert opens.conclusion == "success", opens.shown()
    assert (team.txt(), team.mx_hosts()) == (AFTER, {GATEWAY})
    assert "acme.example" in opens.jobs["apply"].summary

    done = team.forge.scheduled("apply.yml")
    assert done.conclusion == "success", done.shown()
    assert "Nothing to continue" in applied(done)
    assert team.forge.git(team.forge.bare, "rev-list", "--count", JOURNAL) == "1"
    assert len(team.comments(number)) == 2


def test_each_step_has_the_secrets_that_it_needs_and_no_other(team: Team) -> None:
    run = team.forge.merge(opened(team, {MINE: ACME}))
    key, endpoint = team.backend.environment["TSIG_SECRET"], "a-secret-path"
    holders = {
        secret: {s.name for s in run.steps if any(secret in str(v) for v in s.environment.values())}
        for secret in (key, TOKEN, endpoint)
    }
    told = {"Fetch the journal", "Find the plans that were reviewed", "Tell the pull requests", "Push the journal"}
    assert holders == {key: {"Apply"}, TOKEN: told, endpoint: {"Notify"}}
    assert not [s.name for s in run.steps if key in s.out + s.err or TOKEN in s.out + s.err]
    kept = {name for artifact in team.artifacts(run) for name in artifact.members}
    assert "applied/1.json" in kept
    assert any(name.startswith("reviewed/") and name.endswith(".undo.json") for name in kept)


def test_a_base_that_has_moved_is_refused_and_the_pull_request_says_why(team: Team) -> None:
    team.forge.commit({MINE: ACME}, "acme")
    number = opened(team, {MINE: ACME.replace('primary: "one-', 'primary: "new-')})
    team.forge.commit({MINE: ACME.replace("region: eu\n", "region: us\n")}, "Somebody else's change")
    run = team.forge.merge(number)
    assert run.conclusion == "failure"
    assert run.jobs["apply"].step("Apply").outcome == "failure"
    assert (team.txt(), team.mx_hosts()) == (BEFORE, {ORIGIN})
    assert "base-moved" in told(team, number)
    again = team.forge.scheduled("apply.yml")
    assert again.conclusion == "success", "what was refused and told is not tried every 15 minutes"
    assert (team.txt(), team.mx_hosts()) == (BEFORE, {ORIGIN})


def test_values_that_have_changed_are_refused_and_other_plans_go_on(team: Team) -> None:
    """GitHub dropped the run of the first merge; the run of the second does both."""
    first = opened(team, {MINE: ACME})
    second = opened(team, {"manifests/second.yaml": manifest("second.example", organization="second")})
    team.backend.add_txt("_amazonses.acme.example.", '"of somebody else"')
    team.forge.merge_alone(first)
    run = team.forge.merge(second)
    assert run.conclusion == "failure"
    assert team.txt() == BEFORE | {b"\x10of somebody else"}
    assert b"\x12one-second.example" in team.txt("second.example.")
    assert "observed-changed" in told(team, first)
    assert "one-second.example" in told(team, second)


def test_an_error_of_one_domain_keeps_no_other_from_being_applied(team: Team) -> None:
    """A customer's zone is broken; the plan says so, and the others of the pull request are written."""
    settings = team.forge.git(team.forge.desk, "show", "HEAD:reconciler.yaml")
    team.forge.commit({"reconciler.yaml": f"{settings}\nlimits: {{unhealthy_share: 1}}\n"}, "One of two may be broken")
    team.break_zone("second.example.")
    broken = manifest("second.example", organization="second")
    number, planned = team.forge.open_pull({MINE: ACME, "manifests/second.yaml": broken})
    assert planned.conclusion == "success", planned.shown()
    step = planned.jobs["plan"].step("Plan")
    assert [o.partition("::Some")[0] for o in step.orders] == ["::warning title=Plan"]
    [comment] = team.comments(number)
    assert "cname-token" in comment["body"]
    merged = team.forge.merge(number)
    assert (team.txt(), team.mx_hosts()) == (AFTER, {GATEWAY}), merged.shown()
    assert team.mx_hosts("second.example.") == {ORIGIN}
    assert "one-acme.example" in told(team, number)


def test_a_plan_is_applied_once(team: Team) -> None:
    """The journal's branch remembers; what somebody takes away afterwards is drift, and not written again."""
    number = opened(team, {MINE: ACME})
    assert team.forge.merge(number).conclusion == "success"
    assert (team.txt(), team.mx_hosts()) == (AFTER, {GATEWAY})
    team.update("acme.example.", lambda m: m.delete("_amazonses.acme.example.", "TXT", '"one-acme.example"'))
    again = team.forge.dispatched("apply.yml")
    assert again.conclusion == "success", again.shown()
    assert team.txt() == BEFORE


def test_a_forks_plan_is_never_applied(team: Team) -> None:
    number = opened(team, {MINE: ACME}, fork="stranger/mail")
    run = team.forge.merge(number)
    assert (team.txt(), team.mx_hosts()) == (BEFORE, {ORIGIN})
    assert "fork" in run.jobs["apply"].step("Find the plans").err


def test_a_journal_that_cannot_be_claimed_stops_everything(team: Team) -> None:
    """The next run does it."""
    number = opened(team, {MINE: ACME})
    team.forge.is_protected = True
    run = team.forge.merge(number)
    assert run.conclusion == "failure"
    assert run.jobs["apply"].step("Fetch the journal").outcome == "failure"
    outcomes = [s.outcome for s in run.jobs["apply"].steps]
    assert set(outcomes[outcomes.index("failure") + 1 :]) == {"skipped"}
    assert (team.txt(), team.mx_hosts()) == (BEFORE, {ORIGIN})
    team.forge.is_protected = False
    assert team.forge.scheduled("apply.yml").conclusion == "success"
    assert team.txt() == AFTER


def test_github_out_of_order_holds_up_nobody_who_waits(team: Team) -> None:
    """It says nothing of reviewed plans; those that the journal has go on."""
    team.take_next_hop_away()
    number = opened(team, {MINE: ACME})
    assert team.forge.merge(number).conclusion == "success"
    team.bring_next_hop_back()
    team.api.fail("GET", "/pulls", status=404, times=99)
    run = team.forge.scheduled("apply.yml")
    assert run.conclusion == "failure"
    assert run.jobs["apply"].step("Find the plans").outcome == "failure"
    assert team.mx_hosts() == {GATEWAY}
    assert run.jobs["apply"].step("Push the journal").outcome == "success"
