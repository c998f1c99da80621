"""What fails between a run and GitHub: waited out where it passes, told where it does not, and never done twice."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from github_builders import HEAD, plan_of, quiet_plan
from github_lab import running_step
from servers.github_rest import TOKEN

from reconciler.github.sticky import marked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from github_lab import Step

pytestmark = pytest.mark.integration


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Step]:
    with running_step(tmp_path, monkeypatch, capsys) as made:
        yield made


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (500, {}, b""),
        (502, {}, b"<html>bad gateway</html>"),
        (429, {"retry-after": "0"}, b'{"message": "too many"}'),
        (403, {"retry-after": "0"}, b'{"message": "You have exceeded a secondary rate limit"}'),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, b'{"message": "API rate limit exceeded"}'),
    ],
)
def test_a_failure_that_passes_is_waited_out(step: Step, status: int, headers: dict[str, str], body: bytes) -> None:
    pull = step.api.state.open_pull(HEAD)
    for method in ("GET", "POST", "PATCH"):
        step.api.fail(method, "/comments", status=status, headers=headers, body=body)
    for size in (1, 2):
        assert step.publish(plan_of(size), pull=pull).code == 0
    [comment] = step.api.state.comments_of(pull)
    assert "2 to create" in comment["body"]


@pytest.mark.parametrize(("times", "status"), [(1, 502), (2, 502), (1, 0), (2, 0)])
def test_a_comment_whose_answer_was_lost_is_not_made_twice(step: Step, times: int, status: int) -> None:
    pull = step.api.state.open_pull(HEAD)
    step.api.fail("POST", "/comments", status=status, is_done=True, times=times)
    assert step.publish(plan_of(60, 60, 60), pull=pull).code == 0
    comments = step.api.state.comments_of(pull)
    assert [c["body"].splitlines()[0][-14:] for c in comments] == [
        f"<!-- part {n} -->"[-14:] for n in range(1, len(comments) + 1)
    ]
    assert len(comments) > 1


def test_github_being_down_fails_the_step_alone_with_the_summary_written(step: Step) -> None:
    pull = step.api.state.open_pull(HEAD)
    step.api.fail("*", ".", status=503, times=1000)
    ran = step.publish(plan_of(1), pull=pull)
    assert ran.code == 1
    assert "GitHub answers 503" in ran.err
    assert "githubstatus" in ran.err
    assert step.summary.startswith("### Mail gateway plan")
    assert ran.out.startswith("::notice")
    assert TOKEN not in ran.out + ran.err + step.summary
    assert 3 < len(step.api.calls) < 10


def test_a_wait_beyond_patience_ends_at_once(step: Step) -> None:
    pull = step.api.state.open_pull(HEAD)
    step.api.fail("GET", "/pulls", status=429, headers={"retry-after": "3600"}, body=b'{"message": "later"}')
    ran = step.publish(plan_of(1), pull=pull)
    assert (ran.code, len(step.api.calls)) == (1, 1)
    assert "later" in ran.err


def test_huge_and_strange_answers_are_errors(step: Step) -> None:
    pull = step.api.state.open_pull(HEAD)
    for body, said in ((b"<html>", "no JSON"), (b"{}", "no list"), (b" " * (65 * 1024 * 1024), "more than")):
        step.api.fail("GET", "/comments", status=200, body=body)
        ran = step.publish(plan_of(1), pull=pull)
        assert ran.code == 1
        assert said in ran.err


def test_the_token_follows_no_redirect_to_elsewhere(step: Step) -> None:
    pull = step.api.state.open_pull(HEAD)
    step.api.fail("GET", "/comments", status=302, headers={"location": f"{step.api.storage}/x"}, body=b"")
    ran = step.publish(plan_of(1), pull=pull)
    assert ran.code == 1
    assert "leads to another address" in ran.err
    step.api.fail("GET", "/comments", status=200, body=b"[]", headers={"link": f'<{step.api.storage}/x>; rel="next"'})
    ran = step.publish(plan_of(1), pull=pull)
    assert "its next page is at another address" in ran.err
    assert step.api.storage_headers == []


def test_a_redirect_at_home_is_followed(step: Step) -> None:
    pull = step.api.state.open_pull(HEAD)
    path = f"/repos/acme/mail/issues/{pull}/comments"
    step.api.fail("GET", "/comments", status=301, headers={"location": f"{step.api.url}{path}"}, body=b"")
    assert step.publish(plan_of(1), pull=pull).code == 0
    assert len(step.api.state.comments) == 1


def test_nobody_listening_is_an_error(step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    pull = step.api.state.open_pull(HEAD)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    environment = step.api.environment(step.folder, pull, HEAD) | {"GITHUB_API_URL": f"http://127.0.0.1:{port}"}
    monkeypatch.setattr(step.api, "environment", lambda *_: environment)
    ran = step.publish(plan_of(1), pull=pull)
    assert ran.code == 1
    assert "no answer from GitHub" in ran.err


def test_a_comment_that_somebody_deletes_meanwhile_is_gone(step: Step) -> None:
    pull = step.api.state.open_pull(HEAD)
    for part in (1, 2):
        step.api.state.add_comment(pull, marked("plan", part, "old"))
    step.api.fail("DELETE", "/comments/", status=404, body=b'{"message": "Not Found"}', is_done=True)
    assert step.publish(plan_of(1), pull=pull).code == 0
    step.api.state.add_comment(pull, marked("plan", 2, "old"))
    step.api.fail("DELETE", "/comments/", status=422, body=b'{"message": "no"}')
    assert step.publish(plan_of(1), pull=pull).code == 1


def test_a_list_without_end_ends(step: Step) -> None:
    pull = step.api.state.open_pull(HEAD)
    path = f"{step.api.url}/repos/acme/mail/issues/{pull}/comments"
    step.api.fail("GET", "/comments", status=200, body=b"[]", headers={"link": f'<{path}>; rel="next"'}, times=10**6)
    ran = step.publish(plan_of(1), pull=pull)
    assert ran.code == 1
    assert "has more than 100 pages" in ran.err


def test_redirects_without_end_end(step: Step) -> None:
    pull = step.api.state.open_pull(HEAD)
    for target in (f"{step.api.url}/repos/acme/mail/issues/{pull}/comments", "http://["):
        step.api.failures.clear()
        step.api.fail("GET", "/comments", status=302, headers={"location": target}, body=b"", times=100)
        ran = step.publish(plan_of(1), pull=pull)
        assert ran.code == 1
        assert "leads to" in ran.err


@pytest.mark.parametrize(
    "body", [b'{"errors": [{"message": "some\\u001b[31m"}]}', b"[]", b'{"data": {"viewer": null}}']
)
def test_graphql_that_refuses_is_an_error(step: Step, body: bytes) -> None:
    pull = step.api.state.open_pull(HEAD)
    step.api.state.add_comment(pull, marked("plan", 1, "old"))
    step.api.fail("POST", "/graphql", status=200, body=body)
    ran = step.publish(quiet_plan(), pull=pull)
    assert ran.code == 1
    assert "GitHub" in ran.err
    assert "\x1b" not in ran.err
