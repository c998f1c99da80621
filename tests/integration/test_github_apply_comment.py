"""What a pull request was told of writes stays there, whatever later tries come to; by the command, on a stand-in."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from builders import NOW
from github_builders import HEAD, PLAN_ID, applied, assert_github_markdown_is_safe, refused, result
from github_lab import running_step

from reconciler.errors import ExitCode
from reconciler.github.sticky import MAX_OCTETS, MOST_PARTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from github_lab import Step

    from reconciler.document.applied import ApplyDocument

pytestmark = pytest.mark.integration
WROTE = applied(result("applied"), result("failed", "apply-failed", "REFUSED", domain="beta.example"))
LATER = NOW + timedelta(minutes=15)


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Step]:
    with running_step(tmp_path, monkeypatch, capsys) as made:
        made.api.state.open_pull(HEAD)
        yield made


def told(step: Step, *documents: ApplyDocument) -> list[str]:
    """The comments after these documents."""
    for document in documents:
        ran = step.publish(document, "--pull-request", "1")
        assert (ran.code, ran.err) == (0, "")
    bodies = [str(c["body"]) for c in step.api.state.comments_of(1)]
    for body in bodies:
        assert_github_markdown_is_safe(body)
        assert len(body.encode()) <= MAX_OCTETS
    return bodies


def later(document: ApplyDocument) -> ApplyDocument:
    return document.model_copy(update={"created_at": LATER})


@pytest.mark.parametrize("code", ["plan-expired", "catalog-changed", "settings-changed"])
def test_a_refusal_later_adds_a_line_to_what_was_written(step: Step, code: str) -> None:
    [before] = told(step, WROTE)
    [after] = told(step, later(refused(code, "it is not what @octocat read")))
    text = before.partition("\n")[2]
    assert after.partition("\n")[2].startswith(f"{text}\n\n")
    added = after.partition("\n")[2].removeprefix(text)
    assert added.splitlines()[3].startswith(
        f"**Tried again 2026-11-21 12:15+00:00**: refused, `{code}`: it is not what"
    )
    assert len(added.splitlines()) == 4
    assert "nothing was written" not in after
    assert f"refused {PLAN_ID} -->" in after.splitlines()[0], "an expired plan is not tried for ever"


def test_the_line_is_replaced_and_never_more_than_one(step: Step) -> None:
    failed = applied(result("failed", "apply-failed", "SERVFAIL", domain="beta.example"), undo=[])
    killed = applied(exit_code=ExitCode.ERROR)
    [body] = told(step, WROTE, *[later(d) for d in (refused("catalog-changed"), killed, failed, failed)])
    assert body.count("Tried again") == 1
    assert "`beta.example` failed, `apply-failed`: SERVFAIL" in body.splitlines()[-1]
    assert "1 domain written" in body
    assert "**To undo it**" in body


def test_what_another_try_writes_stands_above_what_was_written_before(step: Step) -> None:
    second = later(applied(result("applied", domain="beta.example"), result("already done")))
    [body] = told(step, WROTE, later(refused("catalog-changed")), second)
    assert "Tried again" not in body
    assert body.index("1 domain written, 1 domain done already") < body.index("1 domain failed, 1 domain written")
    assert told(step, second) == [body], "the same again says the same once"


def test_of_an_apply_that_tried_nobody_says_later_that_nothing_was_written(step: Step) -> None:
    for first in (applied(exit_code=ExitCode.ERROR), applied(result("failed", "apply-failed", "timeout"), undo=[])):
        [body] = told(step, first, later(refused("settings-changed")))
        assert "nothing was written" not in body
        assert "Tried again" in body
        [comment] = step.api.state.comments_of(1)
        del step.api.state.comments[comment["id"]]


def test_where_nothing_was_written_the_newest_reason_stands(step: Step) -> None:
    [body] = told(step, refused("catalog-changed"), later(refused("plan-expired")))
    assert "catalog-changed" not in body
    assert "Tried again" not in body


def test_a_comment_of_an_older_version_counts_as_one_that_tells_of_writes(step: Step) -> None:
    step.api.state.add_comment(1, "<!-- reconciler:apply --><!-- part 1 -->\n### 1 domain written")
    [body] = told(step, refused("plan-expired"))
    assert body.splitlines()[1] == "### 1 domain written"


def test_however_often_much_is_written_the_comments_stay_bounded(step: Step) -> None:
    domains = [f"d{i}.example" for i in range(2000)]
    for number in range(3):
        results = [result("applied", domain=f"r{number}-{d}") for d in domains]
        made = applied(*results, created_at=NOW + timedelta(hours=number))
        assert step.publish(made, "--pull-request", "1").code == 0
    bodies = told(step, refused("plan-expired"))
    assert len(bodies) == 2 * MOST_PARTS
    assert "r2-d0.example" in bodies[0]
    assert "still older runs" in bodies[-1]
    assert "Tried again" in bodies[-1]
