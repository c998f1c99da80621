"""The workflows as they are, run step by step: pull requests, and what strangers send in them.

The repository is a bare one on this machine, DNS is a real BIND, and GitHub's API is a stand-in that records calls.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from laboratory import manifest
from servers.github_rest import TOKEN
from workflows.team import ACME, MINE, Team, team_at_work, team_with_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration

LONGEST_COMMENT = 65_536
LARGEST_SUMMARY = 1024 * 1024


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    with team_at_work(tmp_path) as team:
        yield team


def test_a_pull_request_gets_its_plan_and_the_next_push_the_same_comment(team: Team) -> None:
    number, run = team.forge.open_pull({MINE: ACME})
    assert run.conclusion == "success", run.shown()
    [comment] = team.comments(number)
    assert "acme.example" in comment["body"]
    assert "other.example" not in comment["body"]
    assert comment["body"].startswith("<!-- reconciler:plan")
    [plan] = team.artifacts(run)
    assert (plan.name, plan.members) == ("plan", ["plan.json"])
    assert [d["domain"] for d in plan.document["domains"]] == ["acme.example"]
    run = team.forge.push(number, {MINE: manifest("acme.example", "second.example")})
    assert run.conclusion == "success", run.shown()
    [updated] = team.comments(number)
    assert updated["id"] == comment["id"]
    assert "second.example" in updated["body"]
    assert "acme.example" in run.jobs["comment"].summary


def test_nothing_to_do_makes_no_comment_and_hides_the_one_that_is_there(team: Team) -> None:
    number, run = team.forge.open_pull({"manifests/other.yaml": f"# who looks after it\n{team.other}"})
    assert run.conclusion == "success", run.shown()
    assert team.comments(number) == []
    changed = team.other.replace("one-other", "new-other")
    run = team.forge.push(number, {"manifests/other.yaml": changed})
    [comment] = team.comments(number)
    assert not team.api.state.is_minimized(comment)
    run = team.forge.push(number, {"manifests/other.yaml": team.other})
    assert run.conclusion == "success", run.shown()
    [hidden] = team.comments(number)
    assert hidden["id"] == comment["id"]
    assert team.api.state.is_minimized(hidden)


def test_a_manifest_with_an_error_fails_the_check_and_nothing_is_kept(team: Team) -> None:
    number, run = team.forge.open_pull({MINE: f"{ACME}surplus: 1\n"})
    assert run.conclusion == "failure"
    validate = run.jobs["plan"].step("Validate")
    assert (validate.outcome, validate.code) == ("failure", 1)
    assert f"{MINE}:" in validate.err
    assert run.jobs["comment"].result == "skipped"
    assert (team.comments(number), team.artifacts(run)) == ([], [])


def test_a_fork_sees_no_secret_asks_nobody_and_leaves_nothing(team: Team) -> None:
    """It is validated, and what it declares stands in the summary."""
    number, run = team.forge.open_pull({MINE: ACME}, fork="stranger/mail")
    assert run.conclusion == "success", run.shown()
    secrets = {TOKEN, *filter(None, (v for e in team.forge.repository.environments.values() for v in e.values()))}
    assert len(secrets) >= 3
    given = [value for step in run.steps for value in step.environment.values()]
    assert not [value for value in given if any(secret in value for secret in secrets)]
    assert run.jobs["comment"].result == "skipped"
    assert (team.comments(number), team.artifacts(run), team.api.writes) == ([], [], [])
    assert "acme.example" in run.jobs["plan"].summary
    assert "inbound-smtp.eu-west-1.amazonaws.com" in run.jobs["plan"].summary
    assert run.jobs["plan"].step("Validate").outcome == "success"
    assert team.api.calls == []


def test_a_strangers_error_fails_too(team: Team) -> None:
    _, run = team.forge.open_pull({MINE: "organization: [\n"}, fork="stranger/mail")
    assert run.conclusion == "failure"
    assert run.jobs["plan"].step("Plan").outcome == "skipped"


def test_what_stands_in_dns_and_manifests_gives_the_runner_no_orders(team: Team) -> None:
    """A TXT value and a pull request have lines that the runner would obey: escaped, quoted, and behind a stop."""
    for order in ('"::error::from DNS"', '"##[add-matcher]from DNS"'):
        team.backend.add_txt("_amazonses.acme.example.", order)
    hostile = ACME.replace("organization: acme", 'organization: "acme\\n::error::from the manifest"')
    number, run = team.forge.open_pull({MINE: ACME})
    assert run.conclusion == "success", run.shown()
    assert "::error::from DNS" in run.jobs["plan"].step("Plan").out
    assert [o for s in run.steps for o in s.orders if "from DNS" in o or "add-matcher" in o] == []
    run = team.forge.push(number, {MINE: hostile})
    assert run.conclusion == "failure"
    assert [o for s in run.steps for o in s.orders if "from the manifest" in o] == []


def test_ten_thousand_domains_are_one_comment_below_its_limit(tmp_path: Path) -> None:
    names = {f"org{o:02}": [f"d{o:02}{n:03}.fleet.example" for n in range(200)] for o in range(50)}
    with team_with_files(tmp_path, [d for domains in names.values() for d in domains]) as team:
        files = {f"manifests/{o}.yaml": manifest(*domains, organization=o) for o, domains in names.items()}
        number, run = team.forge.open_pull(files)
        assert run.conclusion == "success", run.shown()
        [plan] = team.artifacts(run)
        changed = [d for d in plan.document["domains"] if any(s["action"] != "no-op" for s in d["steps"])]
        assert len(changed) == 10_000
        comments = team.comments(number)
        assert 1 <= len(comments) <= 5
        assert all(c["body"].startswith("<!-- reconciler:plan") for c in comments)
        assert all(len(c["body"]) < LONGEST_COMMENT for c in comments)
        assert re.search(r"10[, ]?000", comments[0]["body"])
        assert len(run.jobs["comment"].summary.encode()) < LARGEST_SUMMARY
