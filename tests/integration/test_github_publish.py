"""Comments in pull requests, by the command, against a stand-in for GitHub: one, sticky, ours alone, whatever fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from github_builders import (
    HEAD,
    NEXT_HEAD,
    applied,
    assert_github_markdown_is_safe,
    plan_of,
    quiet_plan,
    refused,
    result,
)
from github_lab import running_step

from reconciler.github.sticky import MAX_OCTETS, MOST_PARTS, marked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from github_lab import Step

pytestmark = pytest.mark.integration
MARKER = "<!-- reconciler:plan --><!-- part 1 -->\n"


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Step]:
    with running_step(tmp_path, monkeypatch, capsys) as made:
        yield made


def test_a_plan_is_one_comment_that_is_changed_in_place(step: Step) -> None:
    state = step.api.state
    pull = state.open_pull(HEAD)
    ran = step.publish(plan_of(2), pull=pull)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("::notice file=manifests/acme.yaml,line=7,title=")
    [comment] = state.comments_of(pull)
    assert comment["body"].startswith(f"{MARKER}### Mail gateway plan: 2 to create in 2 of 2 domains\n")
    assert HEAD in comment["body"]
    assert step.summary.startswith("### Mail gateway plan: 2 to create")
    state.push(pull, NEXT_HEAD)
    assert step.publish(plan_of(3), pull=pull).code == 0
    [changed] = state.comments_of(pull)
    assert changed["id"] == comment["id"]
    assert "3 to create" in changed["body"]
    assert NEXT_HEAD in changed["body"]


def test_the_same_again_writes_nothing(step: Step) -> None:
    pull = step.api.state.open_pull(HEAD)
    step.publish(plan_of(2), pull=pull)
    step.api.calls.clear()
    assert step.publish(plan_of(2), pull=pull).code == 0
    assert step.api.writes == []


def test_without_changes_there_is_no_comment_and_an_old_one_is_hidden_until_there_are_again(step: Step) -> None:
    state = step.api.state
    pull = state.open_pull(HEAD)
    assert step.publish(quiet_plan(), pull=pull).code == 0
    assert state.comments_of(pull) == []
    step.publish(plan_of(60, 60, 60), pull=pull)
    assert len(state.comments_of(pull)) > 1
    step.publish(quiet_plan(), pull=pull)
    [comment] = state.comments_of(pull)
    assert comment["body"].count("\n") == 1
    assert "nothing changes" in comment["body"]
    assert state.minimized == {comment["node_id"]: "OUTDATED"}
    step.publish(plan_of(1), pull=pull)
    assert [c["id"] for c in state.comments_of(pull)] == [comment["id"]]
    assert state.minimized == {}


def test_a_long_plan_is_in_parts_and_surplus_parts_go(step: Step) -> None:
    state = step.api.state
    pull = state.open_pull(HEAD)
    ran = step.publish(plan_of(*[100] * 100), pull=pull)
    assert ran.code == 0
    assert len(ran.out.splitlines()) <= 30
    comments = state.comments_of(pull)
    assert len(comments) == MOST_PARTS
    for number, comment in enumerate(comments, 1):
        assert comment["body"].startswith(f"<!-- reconciler:plan --><!-- part {number} -->\n*Part {number} of 5*")
        assert len(comment["body"].encode()) <= MAX_OCTETS
        assert_github_markdown_is_safe(comment["body"])
    step.publish(plan_of(2), pull=pull)
    assert [c["id"] for c in state.comments_of(pull)] == [comments[0]["id"]]


def test_comments_of_others_are_never_touched(step: Step) -> None:
    state = step.api.state
    pull = state.open_pull(HEAD)
    bodies = [marked("plan", 1, "mine now"), marked("plan", 2, "mine too")]
    for login in ("mallory", "github-actions", "other[bot]"):
        for body in bodies:
            state.add_comment(pull, body, login)
    quoted = state.add_comment(pull, f"> {marked('plan', 1, 'quoted')}")
    others = [dict(c) for c in state.comments_of(pull)]
    for document in (plan_of(1), quiet_plan()):
        step.publish(document, pull=pull)
        comments = state.comments_of(pull)
        assert [dict(c) for c in comments[:-1]] == others
        assert comments[-1]["user"]["login"] == "github-actions[bot]"
    assert state.minimized.keys() == {state.comments_of(pull)[-1]["node_id"]}
    assert quoted["body"].startswith("> ")


def test_a_person_s_token_has_the_person_s_comments(step: Step) -> None:
    state = step.api.state
    state.login = "octocat"
    pull = state.open_pull(HEAD)
    state.add_comment(pull, marked("plan", 1, "of another run"), "github-actions[bot]")
    step.publish(plan_of(1), pull=pull)
    step.publish(plan_of(2), pull=pull)
    assert [c["user"]["login"] for c in state.comments_of(pull)] == ["github-actions[bot]", "octocat"]


def test_our_comment_is_found_behind_a_hundred_others(step: Step) -> None:
    state = step.api.state
    pull = state.open_pull(HEAD)
    for number in range(250):
        state.add_comment(pull, f"comment {number}", "octocat")
    for size in (1, 2):
        step.publish(plan_of(size), pull=pull)
    assert len(state.comments_of(pull)) == 251
    assert "2 to create" in state.comments_of(pull)[-1]["body"]


def test_comments_that_two_runs_made_become_one(step: Step) -> None:
    state = step.api.state
    pull = state.open_pull(HEAD)
    made = [state.add_comment(pull, marked("plan", 1, f"run {n}")) for n in (1, 2)]
    step.publish(plan_of(1), pull=pull)
    assert [c["id"] for c in state.comments_of(pull)] == [made[0]["id"]]


def test_a_fork_s_read_only_token_is_no_failure(step: Step) -> None:
    state = step.api.state
    pull = state.open_pull(HEAD, fork="mallory/mail")
    state.writable = frozenset()
    ran = step.publish(plan_of(1), pull=pull)
    assert ran.code == 0
    assert "may only read" in ran.err
    assert "may only read" in step.summary
    assert "::warning" not in ran.out
    assert state.comments == {}


def test_a_read_only_token_for_our_own_pull_request_is_warned_of(step: Step) -> None:
    state = step.api.state
    pull = state.open_pull(HEAD)
    state.writable = frozenset({"issues"})
    ran = step.publish(plan_of(1), pull=pull)
    assert ran.code == 0
    assert "::warning title=github-permission::Grant the job `pull-requests: write`" in ran.out


def test_a_read_only_token_in_another_run_is_an_error(step: Step) -> None:
    state = step.api.state
    pull = state.open_pull(HEAD)
    state.writable = frozenset()
    ran = step.publish(plan_of(1), "--pull-request", str(pull))
    assert ran.code == 1
    assert "pull-requests: write" in ran.err


def test_a_run_for_an_older_commit_leaves_the_comment_to_the_newer_one(
    step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = step.api.state
    pull = state.open_pull(HEAD)
    step.publish(plan_of(1), pull=pull)
    environment = step.api.environment

    def before_the_push(folder: Path, number: int | None = None, sha: str = HEAD) -> dict[str, str]:
        made = environment(folder, number, sha)
        state.push(pull, NEXT_HEAD)
        return made

    monkeypatch.setattr(step.api, "environment", before_the_push)
    ran = step.publish(plan_of(2), pull=pull)
    assert ran.code == 0
    assert "was pushed to since" in ran.err
    assert "1 to create" in state.comments_of(pull)[0]["body"]


def test_without_a_comment_nothing_is_sent(step: Step) -> None:
    pull = step.api.state.open_pull(HEAD)
    assert step.publish(plan_of(1), "--no-comment", pull=pull).code == 0
    ran = step.publish(plan_of(1))
    assert ran.code == 0
    assert "no pull request" in ran.err
    assert step.api.calls == []


def test_an_apply_is_told_and_told_again_in_place(step: Step) -> None:
    state = step.api.state
    pull = state.open_pull(HEAD)
    failed = applied(result("failed", "apply-failed", "the server answers REFUSED"))
    ran = step.publish(failed, "--pull-request", str(pull))
    assert ran.code == 0
    assert ran.out.startswith("::error title=acme.example%3A failed::the server answers REFUSED")
    [comment] = state.comments_of(pull)
    assert comment["body"].startswith(
        "<!-- reconciler:apply --><!-- part 1 --><!-- tried -->\n### Mail gateway apply: 1 domain failed"
    )
    step.publish(applied(result("applied")), "--pull-request", str(pull))
    [changed] = state.comments_of(pull)
    assert changed["id"] == comment["id"]
    assert "1 domain written" in changed["body"]


def test_a_plan_that_was_used_does_not_hide_what_became_of_it(step: Step) -> None:
    state = step.api.state
    pull = state.open_pull(HEAD)
    step.publish(applied(result("applied")), "--pull-request", str(pull))
    step.publish(plan_of(1), pull=pull)
    ran = step.publish(refused("plan-used"), "--pull-request", str(pull))
    assert ran.code == 0
    assert "was told what became of this plan" in ran.err
    assert "1 domain written" in state.comments_of(pull)[0]["body"]
    other = state.open_pull(HEAD)
    step.publish(refused("plan-used"), "--pull-request", str(other))
    assert "the plan was refused" in state.comments_of(other)[0]["body"]


def test_a_missing_environment_is_told_by_name(step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_TOKEN", "GITHUB_RUN_ID"):
        monkeypatch.setattr(step.api, "environment", lambda *_, gone=name: {gone: ""})
        ran = step.publish(plan_of(1))
        assert ran.code == 1
        assert name in ran.err


@pytest.mark.parametrize("number", ["0", "-1", "x", "1e3", "²", "9" * 20])
def test_a_number_that_is_none_is_a_usage_error(step: Step, number: str) -> None:
    with pytest.raises(SystemExit) as caught:
        step.publish(plan_of(1), "--pull-request", number)
    assert caught.value.code == 64
