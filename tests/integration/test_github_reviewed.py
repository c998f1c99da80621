"""The plans that were reviewed, by the command, against a stand-in for GitHub: the right ones, in order, safely."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import NOW
from github_builders import PLAN_ID, applied, assert_github_markdown_is_safe, plan_of, refused, result
from github_lab import Step
from servers.github_rest import TOKEN, github_api
from servers.github_state import zipped

from reconciler.document import PlanHead, assemble_document, render_document
from reconciler.journal import open_journal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.document import PlanDocument

pytestmark = pytest.mark.integration
FORK = "mallory/mail"


def sha(number: int) -> str:
    return f"{number:040x}"


class Reviewing(Step):
    """A step, and pull requests with plans."""

    at = datetime(2026, 11, 21, 11, tzinfo=UTC)

    def merged(self, number: int, plan: PlanDocument | None = None, fork: str | None = None) -> int:
        """A pull request with the head `sha(number)`, merged as `sha(100 + number)` a minute after the last one."""
        self.at += timedelta(minutes=1)
        pull = self.api.state.open_pull(sha(number), fork=fork)
        if plan is not None:
            self.api.state.add_run(sha(number), {"plan": {"plan.json": render_document(plan).encode()}})
        self.api.state.merge(pull, sha(100 + number))
        return pull

    def reviewed(self, newest: int, *arguments: str) -> tuple[list[str], str]:
        """The lines of stdout, and stderr, of a run for the commit that merged `newest`."""
        ran = self("reviewed", "--out", "reviewed", *arguments, sha=sha(100 + newest))
        assert ran.code == 0, ran.err
        assert TOKEN not in ran.out + ran.err
        return ran.out.splitlines(), ran.err


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Reviewing]:
    with github_api() as api:
        reviewing = Reviewing(api, tmp_path, monkeypatch, capsys)
        api.state.clock = lambda: reviewing.at
        yield reviewing


def test_plans_are_written_in_the_order_of_merging(step: Reviewing) -> None:
    plans = [plan_of(n + 1) for n in range(3)]
    later, first, second = (step.api.state.open_pull(sha(n)) for n in (3, 1, 2))
    for number, pull, plan in ((1, first, plans[0]), (2, second, plans[1]), (3, later, plans[2])):
        step.at += timedelta(minutes=1)
        step.api.state.add_run(sha(number), {"plan": {"plan.json": render_document(plan).encode()}})
        step.api.state.merge(pull, sha(100 + number))
    out, _ = step.reviewed(3)
    assert out == [f"reviewed/{pull}.json" for pull in (first, second, later)]
    for line, plan in zip(out, plans, strict=True):
        assert Path(line).read_text(encoding="utf-8") == render_document(plan)
        assert stat.S_IMODE(Path(line).stat().st_mode) == 0o600


def test_the_token_does_not_go_to_the_storage(step: Reviewing) -> None:
    step.merged(1, plan_of(1))
    step.reviewed(1)
    [headers] = step.api.storage_headers
    assert "authorization" not in headers


def test_only_what_is_merged_before_this_run_s_commit_and_lately_counts(step: Reviewing) -> None:
    step.at -= timedelta(hours=30)
    step.merged(1, plan_of(1))
    step.at += timedelta(hours=29)
    inside = step.merged(2, plan_of(1))
    step.merged(3, plan_of(1))
    elsewhere = step.api.state.open_pull(sha(4), base="release")
    step.api.state.merge(elsewhere, sha(104))
    step.api.state.open_pull(sha(5))
    out, err = step.reviewed(2)
    assert (out, err) == ([f"reviewed/{inside}.json"], "")


def test_a_commit_that_a_forced_push_took_away_does_not_count(step: Reviewing) -> None:
    step.merged(1, plan_of(1))
    step.merged(2, plan_of(2))
    step.api.fail("GET", "/compare/", status=404, body=b'{"message": "Not Found"}')
    out, _ = step.reviewed(2)
    assert out == ["reviewed/2.json"]


def test_a_fork_s_plan_is_never_taken(step: Reviewing) -> None:
    step.merged(1, plan_of(1), fork=FORK)
    step.merged(2, plan_of(1))
    out, err = step.reviewed(2)
    assert out == ["reviewed/2.json"]
    assert "pull request 1 has no plan to apply: it is from a fork" in err
    assert step.api.told("GET", "/zip") == step.api.told("GET", "/zip")[:1]


def test_only_a_successful_run_of_this_repository_for_the_last_commit_counts(step: Reviewing) -> None:
    good = {"plan": {"plan.json": render_document(plan_of(1)).encode()}}
    bad = {"plan": {"plan.json": render_document(plan_of(9)).encode()}}
    step.api.state.add_run(sha(1), good)
    for changes in (
        {"conclusion": "failure"},
        {"event": "workflow_dispatch"},
        {"path": ".github/workflows/other.yml"},
        {"head_repository": {"full_name": FORK}},
        {"head_repository": None},
    ):
        step.api.state.add_run(sha(1), bad, **changes)
    step.api.state.add_run(sha(77), bad)
    step.merged(1)
    [path], _ = step.reviewed(1)
    assert Path(path).read_text(encoding="utf-8") == render_document(plan_of(1))


def test_the_newest_run_and_artifact_count(step: Reviewing) -> None:
    step.api.state.add_run(sha(1), {"plan": {"plan.json": render_document(plan_of(9)).encode()}})
    run = step.api.state.add_run(sha(1), {"plan": {"plan.json": render_document(plan_of(8)).encode()}})
    step.api.state.add_artifact(run["id"], "plan", zipped({"plan.json": render_document(plan_of(1)).encode()}))
    step.merged(1)
    [path], _ = step.reviewed(1)
    assert Path(path).read_text(encoding="utf-8") == render_document(plan_of(1))


def test_other_names_of_workflow_and_artifact(step: Reviewing) -> None:
    files = {"p": {"plan.json": render_document(plan_of(1)).encode()}}
    step.api.state.add_run(sha(1), files, path=".github/workflows/mail.yml")
    step.merged(1)
    out, _ = step.reviewed(1, "--workflow", "mail.yml", "--artifact", "p")
    assert out == ["reviewed/1.json"]


def test_a_pull_request_without_a_plan_is_told_so_once_by_whichever_run_finds_it(step: Reviewing) -> None:
    step.merged(1)
    step.merged(2, plan_of(1))
    out, err = step.reviewed(2)
    assert out == ["reviewed/2.json"]
    assert "pull request 1 was merged and no plan of it is applied" in err
    assert "Run the workflow plan.yml by hand" in err
    [warning] = [line for line in err.splitlines() if line.startswith("::")]
    assert warning.startswith("::warning title=no-reviewed-plan::pull request 1 was merged")
    [comment] = step.api.state.comments_of(1)
    assert "no plan of this pull request is applied" in comment["body"]
    assert "plan\\.yml has no successful run for its last commit" in comment["body"]
    assert_github_markdown_is_safe(comment["body"])
    assert step.api.state.comments_of(2) == []
    for newest in (1, 2):
        _, err = step.reviewed(newest)
        assert "pull request 1 has no plan to apply" in err
        assert "warning" not in err
    assert step.api.state.comments_of(1) == [comment]


def test_what_anybody_else_says_does_not_count_as_told(step: Reviewing) -> None:
    step.merged(1)
    step.api.state.add_comment(1, "<!-- reconciler:unplanned --><!-- part 1 -->\nx", "mallory")
    _, err = step.reviewed(1)
    assert "::warning" in err
    assert len(step.api.state.comments_of(1)) == 2


def test_a_comment_that_cannot_be_made_keeps_nobody_else_s_plan_from_being_applied(step: Reviewing) -> None:
    step.merged(1)
    step.merged(2, plan_of(1))
    step.api.state.writable = frozenset()
    for _ in range(2):
        out, err = step.reviewed(2)
        assert out == ["reviewed/2.json"]
        assert "::warning title=no-reviewed-plan::pull request 1" in err
        assert "pull-requests: write" in err


def test_a_plan_that_is_found_later_takes_back_what_was_told(step: Reviewing) -> None:
    step.merged(1)
    step.reviewed(1)
    [comment] = step.api.state.comments_of(1)
    assert step.publish(applied(result("applied")), "--pull-request", "1").code == 0
    assert "a plan of this pull request was found later" in step.api.state.comments_of(1)[0]["body"]
    assert step.api.state.minimized == {comment["node_id"]: "OUTDATED"}


def test_a_plan_that_undoes_another_is_never_taken(step: Reviewing) -> None:
    made = plan_of(1)
    head = PlanHead.model_validate(made.model_dump(include=set(PlanHead.model_fields)) | {"inverse_of": PLAN_ID})
    inverse = assemble_document(head, made.domains, [], [])
    step.merged(1, inverse)
    out, err = step.reviewed(1)
    assert out == []
    assert "its plan is one that undoes another" in err
    assert not [*step.folder.glob("reviewed/*")]


@pytest.mark.parametrize(
    ("archive", "changes", "said"),
    [
        (zipped({"plan.json": b"{}"}), {"expired": True}, "kept no longer"),
        (zipped({"plan.json": b"{}"}), {"size_in_bytes": 10**10}, "too large"),
        (zipped({"plan.json": b"{}"}), {"digest": "sha256:00"}, "its digest does not fit"),
        (zipped({"../../plan.json": b"{}"}), {}, "other files in it"),
        (zipped({"plan.json": b"{}", "x": b""}), {}, "other files in it"),
        (b"PK", {}, "no zip file"),
        (zipped({"plan.json": b"{}"}), {}, "format_version is None"),
        (zipped({"plan.json": b"\x00"}), {}, "no complete JSON"),
        (
            zipped({"plan.json": render_document(plan_of(1)).replace("d0-0", "d0-1", 1).encode()[:-9]}),
            {},
            "no complete",
        ),
    ],
)
def test_an_artifact_that_is_no_plan_is_no_plan(
    step: Reviewing, archive: bytes, changes: dict[str, object], said: str
) -> None:
    run = step.api.state.add_run(sha(1))
    step.api.state.add_artifact(run["id"], "plan", archive, **changes)
    step.merged(1)
    step.merged(2, plan_of(1))
    out, err = step.reviewed(2)
    assert out == ["reviewed/2.json"]
    assert "pull request 1 has no plan to apply: " in err
    assert said in err
    assert not [p for p in step.folder.rglob("*") if p.name.startswith("plan")]


def test_a_plan_that_was_used_is_skipped(step: Reviewing) -> None:
    plan = plan_of(1)
    step.merged(1, plan)
    step.merged(2, plan_of(2))
    opened = open_journal(
        "sqlite:///.reconciler/journal.sqlite3", directory=step.folder, state_directory=step.folder / ".reconciler"
    )
    with (
        opened as journal,
        journal.lock("a run", timedelta(seconds=30), timedelta(0)),
        journal.claim_plan(plan.id, "a run", NOW),
    ):
        pass
    out, err = step.reviewed(2)
    assert out == ["reviewed/2.json"]
    assert "pull request 1: its plan was applied before" in err


def test_an_expired_plan_is_refused_once_in_its_pull_request(step: Reviewing) -> None:
    plan = plan_of(1, expires_at=NOW - timedelta(minutes=5))
    step.merged(1, plan)
    assert step.reviewed(1)[0] == ["reviewed/1.json"]
    told = refused("plan-expired").model_copy(update={"plan_id": plan.id})
    step.api.state.add_comment(1, f"<!-- reconciler:apply --><!-- part 1 --><!-- refused {plan.id} -->\nx", "mallory")
    assert step.reviewed(1)[0] == ["reviewed/1.json"]
    assert step.publish(told, "--pull-request", "1").code == 0
    out, err = step.reviewed(1)
    assert out == []
    assert "its plan was refused, and the pull request says why" in err


def test_a_plan_that_was_refused_and_has_not_expired_is_tried_again(step: Reviewing) -> None:
    plan = plan_of(1)
    step.merged(1, plan)
    step.publish(refused("catalog-changed").model_copy(update={"plan_id": plan.id}), "--pull-request", "1")
    assert step.reviewed(1)[0] == ["reviewed/1.json"]


def test_a_hundred_merged_pull_requests_are_read_page_by_page(step: Reviewing) -> None:
    for number in range(1, 121):
        step.at -= timedelta(seconds=50)
        step.merged(number)
    step.merged(121, plan_of(1))
    out, _ = step.reviewed(121)
    assert out == ["reviewed/121.json"]
    assert len(step.api.told("GET", "/pulls$")) == 2


@pytest.mark.parametrize("target", ["ftp://127.0.0.1/x", "file:///etc/passwd"])
def test_an_artifact_that_is_kept_anywhere_else_is_an_error(step: Reviewing, target: str) -> None:
    step.merged(1, plan_of(1))
    step.api.fail("GET", "/zip", status=302, headers={"location": target}, body=b"")
    ran = step("reviewed", "--out", "reviewed", sha=sha(101))
    assert ran.code == 1
    assert "leads from address to address" in ran.err


def test_github_being_down_is_an_error(step: Reviewing) -> None:
    step.merged(1, plan_of(1))
    step.api.fail("*", ".", status=500, times=1000)
    ran = step("reviewed", "--out", "reviewed", sha=sha(101))
    assert (ran.code, ran.out) == (1, "")
    assert "GitHub answers 500" in ran.err
