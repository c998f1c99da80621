"""The one issue of drift, by the command, against a stand-in for GitHub: opened, updated, closed, reopened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from github_builders import FINDING, OTHER, PENDING, UNREAD, assert_github_markdown_is_safe, drift_of, many
from github_lab import Step
from servers.github_rest import github_api

from reconciler.github.drift_issue import LABEL, MARKER, TITLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from servers.github_state import Json

    from reconciler.drift import DriftDocument

pytestmark = pytest.mark.integration
BEGIN = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Drifting(Step):
    """A step at a time of its own, and the issue."""

    now = BEGIN

    def look(self, document: DriftDocument, after: timedelta = timedelta(hours=1)) -> Json:
        """Publish what a look found; returns the newest issue, as it is then."""
        self.now += after
        ran = self.publish(document, now=self.now.isoformat())
        assert (ran.code, [*self.api.state.pulls]) == (0, [])
        return dict(self.api.state.issues[max(self.api.state.issues)]) if self.api.state.issues else {}

    def comments(self, number: int) -> list[str]:
        """What was said in the issue."""
        return [c["body"] for c in self.api.state.comments_of(number)]


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Drifting]:
    with github_api() as api:
        drifting = Drifting(api, tmp_path, monkeypatch, capsys)
        api.state.clock = lambda: drifting.now
        yield drifting


def test_an_issue_is_opened_updated_and_closed(step: Drifting) -> None:
    assert step.look(drift_of()) == {}
    opened = step.look(drift_of(FINDING))
    assert (opened["title"], opened["state"], opened["labels"]) == (TITLE, "open", [{"name": LABEL}])
    assert opened["body"].startswith(f"{MARKER}\n<!-- findings 1 ")
    assert "#### critical: `acme.example` `token-removed`" in opened["body"]
    assert "since: 2026\\-11\\-20 06\\:00\\+00\\:00 \\(30 h\\)" in opened["body"]
    assert "`reconciler apply` puts it right" in opened["body"].replace("\\", "")
    assert f"(https://github.example/acme/mail/blob/{'0' * 40}/manifests/acme.yaml#L7)" in opened["body"]
    assert_github_markdown_is_safe(opened["body"])
    more = step.look(drift_of(FINDING, OTHER))
    assert more["number"] == opened["number"]
    assert "bypass-mx" in more["body"]
    closed = step.look(drift_of())
    assert (closed["number"], closed["state"], closed["state_reason"]) == (opened["number"], "closed", "completed")
    new, gone = step.comments(opened["number"])
    assert new.startswith("1 new, 0 gone, 2 now ([the run](")
    assert "- high: `other.example` `bypass-mx`" in new
    assert gone.startswith("No drift any more, seen ")
    assert step.look(drift_of())["state"] == "closed"
    assert len(step.comments(opened["number"])) == 2


def test_a_comment_comes_only_when_the_findings_change(step: Drifting) -> None:
    number = step.look(drift_of(FINDING))["number"]
    for _ in range(3):
        step.look(drift_of(FINDING, PENDING))
    assert step.comments(number) == []
    step.look(drift_of(OTHER))
    [told] = step.comments(number)
    assert told.startswith("1 new, 1 gone, 1 now")


@pytest.mark.parametrize("document", [drift_of(UNREAD), drift_of(errors=["it is broken"]), drift_of(UNREAD, PENDING)])
def test_what_could_not_be_read_neither_opens_nor_closes_it(step: Drifting, document: DriftDocument) -> None:
    assert step.look(document) == {}
    number = step.look(drift_of(FINDING))["number"]
    kept = step.look(document)
    assert (kept["number"], kept["state"]) == (number, "open")
    assert step.comments(number) == []
    assert step.look(drift_of())["state"] == "closed"


def test_what_only_waits_closes_it(step: Drifting) -> None:
    step.look(drift_of(FINDING))
    assert step.look(drift_of(PENDING))["state"] == "closed"


def test_an_unread_look_between_does_not_make_findings_new(step: Drifting) -> None:
    number = step.look(drift_of(FINDING))["number"]
    step.look(drift_of(UNREAD))
    step.look(drift_of(FINDING))
    assert step.comments(number) == []


@pytest.mark.parametrize(("days", "is_new"), [(6, False), (8, True)])
def test_what_comes_back_soon_reopens_it_and_later_opens_another(step: Drifting, days: int, *, is_new: bool) -> None:
    first = step.look(drift_of(FINDING))["number"]
    step.look(drift_of())
    again = step.look(drift_of(OTHER), after=timedelta(days=days))
    assert (again["number"] != first) == is_new
    assert again["state"] == "open"
    if not is_new:
        assert step.comments(first)[-1].startswith("It is back. 1 finding ")


def test_what_is_said_in_an_old_issue_does_not_make_it_a_new_one(step: Drifting) -> None:
    first = step.look(drift_of(FINDING))["number"]
    step.look(drift_of())
    step.now += timedelta(days=8)
    step.api.state.issues[first]["updated_at"] = step.api.state.now()
    assert step.look(drift_of(FINDING))["number"] != first


def test_issues_of_others_are_never_touched(step: Drifting) -> None:
    state = step.api.state
    body = f"{MARKER}\nmine now"
    copied = state.add_issue({"title": TITLE, "body": body, "labels": [LABEL]}, "mallory")
    pull = state.add_issue({"title": TITLE, "body": "no marker", "labels": [LABEL]})
    before = [dict(copied), dict(pull)]
    opened = step.look(drift_of(FINDING))
    assert opened["number"] not in {copied["number"], pull["number"]}
    step.look(drift_of())
    assert [dict(copied), dict(pull)] == before


def test_an_issue_without_its_label_is_found_and_labelled_again(step: Drifting) -> None:
    number = step.look(drift_of(FINDING))["number"]
    step.api.state.issues[number]["labels"] = []
    again = step.look(drift_of(FINDING))
    assert (again["number"], again["labels"]) == (number, [{"name": LABEL}])


def test_two_open_issues_become_one(step: Drifting) -> None:
    first = step.look(drift_of(FINDING))
    second = step.api.state.add_issue({"title": TITLE, "body": first["body"], "labels": [LABEL]})
    step.look(drift_of(FINDING))
    assert step.api.state.issues[first["number"]]["state"] == "open"
    assert (second["state"], second["state_reason"]) == ("closed", "not_planned")


def test_an_issue_whose_answer_was_lost_is_not_opened_twice(step: Drifting) -> None:
    step.api.fail("POST", "/issues$", status=502, is_done=True)
    step.look(drift_of(FINDING))
    assert len(step.api.state.issues) == 1
    step.api.fail("POST", "/labels$", status=502, is_done=True)
    assert len(step.api.state.issues) == 1


def test_ten_thousand_findings_fit_the_worst_first(step: Drifting) -> None:
    issue = step.look(drift_of(FINDING, *many(10_000)))
    assert len(issue["body"]) < 65_536
    assert "more are left out here" in issue["body"]
    assert issue["body"].index("`acme.example`") < issue["body"].index("`d0.example`")
    number = issue["number"]
    step.look(drift_of(FINDING, *many(10_001)))
    assert step.comments(number)[0].startswith("Other findings: 10,002, and 10,001 before")
    step.look(drift_of(FINDING))
    assert step.comments(number)[1].startswith("Other findings: 1, and 10,002 before")


def test_a_read_only_token_is_an_error_that_names_the_permission(step: Drifting) -> None:
    step.api.state.writable = frozenset({"contents"})
    ran = step.publish(drift_of(FINDING))
    assert ran.code == 1
    assert "issues: write" in ran.err
    assert step.summary.startswith("### Mail gateway drift")
    assert ran.out.startswith("::error file=manifests/acme.yaml,line=7,title=critical")


def test_without_a_comment_there_is_no_issue(step: Drifting) -> None:
    assert step.publish(drift_of(FINDING), "--no-comment").code == 0
    assert step.api.calls == []
