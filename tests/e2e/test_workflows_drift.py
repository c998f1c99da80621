"""`drift.yml`, step by step: one issue that opens, changes and closes, the page, messages and the heartbeat."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from servers.github_rest import TOKEN
from workflows.forge import failing_program
from workflows.team import ACME, GATEWAY, MINE, Team, team_at_work

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workflows.runner import WorkflowRun

pytestmark = pytest.mark.integration

TOKENS = "_amazonses.acme.example."
NOTIFICATIONS = """notifications:
  endpoints:
    - {url: env/NOTIFICATION_URL, on: [drift-opened, drift-closed]}
"""


@dataclass
class Watch:
    """A server that others tell things: the heartbeat, and messages."""

    url: str
    asked: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)


@contextmanager
def watching() -> Iterator[Watch]:
    """The server, until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

        def do_GET(self) -> None:
            seen.asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def do_POST(self) -> None:
            seen.messages.append(self.rfile.read(int(self.headers["content-length"])).decode())
            self.send_response(200)
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        seen = Watch(f"127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield seen
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def watch() -> Iterator[Watch]:
    with watching() as seen:
        yield seen


@pytest.fixture
def team(tmp_path: Path, watch: Watch) -> Iterator[Team]:
    """One domain, behind the gateway and in sync."""
    with team_at_work(tmp_path) as team:
        settings = team.forge.git(team.forge.desk, "show", "HEAD:reconciler.yaml")
        team.forge.commit({"reconciler.yaml": f"{settings}\n{NOTIFICATIONS}", "manifests/other.yaml": None}, "Tell us")
        team.forge.repository.environments["drift"] = {
            "NOTIFICATION_URL": f"json://{watch.url}/a-secret-path",
            "HEARTBEAT_URL": f"http://{watch.url}/heartbeat",
        }
        team.forge.commit({MINE: ACME}, "Behind the gateway already")
        team.update("acme.example.", lambda m: m.replace("acme.example.", 1, "MX", f"0 {GATEWAY}"))
        team.update("acme.example.", lambda m: m.add(TOKENS, 1, "TXT", '"one-acme.example"'))
        yield team


def since(team: Team, run: WorkflowRun) -> dict[str, str]:
    """Since when each finding is seen, by its code."""
    return {f["code"]: f["first_seen"] for f in json.loads(team.artifact(run, "drift", "drift.json"))["findings"]}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_drift_is_one_issue_that_opens_changes_and_closes(team: Team, watch: Watch) -> None:
    clean = team.forge.scheduled("drift.yml")
    assert clean.conclusion == "success", clean.shown()
    assert team.api.state.issues == {}
    assert watch.asked == ["/heartbeat"]

    team.update("acme.example.", lambda m: m.delete(TOKENS, "TXT", '"one-acme.example"'))
    drifted = team.forge.scheduled("drift.yml")
    assert drifted.conclusion == "success", drifted.shown()
    [issue] = team.api.state.issues.values()
    assert (issue["state"], issue["labels"]) == ("open", [{"name": "reconciler-drift"}])
    assert "token-removed" in issue["body"]
    assert "Ada Admin" in team.artifact(drifted, "drift", "drift.json")
    assert len(watch.messages) == 1

    team.update("acme.example.", lambda m: m.add("acme.example.", 1, "MX", "20 old.elsewhere.example."))
    worse = team.forge.scheduled("drift.yml")
    assert worse.conclusion == "success", worse.shown()
    [updated] = team.api.state.issues.values()
    assert updated["number"] == issue["number"]
    assert "bypass-mx" in updated["body"]
    assert since(team, worse)["token-removed"] == since(team, drifted)["token-removed"], "the look was not recorded"

    team.update("acme.example.", lambda m: m.delete("acme.example.", "MX", "20 old.elsewhere.example."))
    team.update("acme.example.", lambda m: m.add(TOKENS, 1, "TXT", '"one-acme.example"'))
    mended = team.forge.scheduled("drift.yml")
    assert mended.conclusion == "success", mended.shown()
    [closed] = team.api.state.issues.values()
    assert closed["state"] == "closed"
    assert len(watch.messages) == 3, "one opened, another opened, and both closed"
    assert watch.asked == ["/heartbeat"] * 4


def test_a_look_is_kept_and_its_page_is_published_when_that_is_wanted(team: Team) -> None:
    plain = team.forge.scheduled("drift.yml")
    [kept] = team.artifacts(plain)
    assert sorted(kept.members) == ["drift.json", "drift.junit.xml", "drift.sarif"]
    assert plain.jobs["page"].result == "skipped"
    assert not team.forge.pages.exists()
    team.forge.repository.variables["RECONCILER_PAGES"] = "true"
    published = team.forge.dispatched("drift.yml")
    assert published.conclusion == "success", published.shown()
    assert "acme.example" in (team.forge.pages / "organizations" / "acme.html").read_text(encoding="utf-8")
    assert published.jobs["page"].permissions == {"pages": "write", "id-token": "write"}


def test_a_look_that_failed_gives_no_heartbeat_and_the_journal_comes_back(team: Team, watch: Watch) -> None:
    team.forge.commit({MINE: f"{ACME}surplus: 1\n"}, "A mistake that nobody reviewed")
    run = team.forge.scheduled("drift.yml")
    assert run.conclusion == "failure"
    outcomes = {s.name: s.outcome for s in run.steps}
    assert (outcomes["Look"], outcomes["Push the journal"], outcomes["Heartbeat"]) == ("failure", "success", "skipped")
    assert watch.asked == []
    assert team.api.state.issues == {}


def test_a_look_with_an_error_is_told_before_the_run_ends_red(team: Team, watch: Watch) -> None:
    """As with an error beside the findings, which no zone can provoke."""
    team.forge.repository.variables["RECONCILER_PAGES"] = "true"
    team.forge.repository.install = failing_program("drift", is_run=True)
    team.update("acme.example.", lambda m: m.delete(TOKENS, "TXT", '"one-acme.example"'))
    run = team.forge.scheduled("drift.yml")
    assert run.conclusion == "failure"
    assert [(s.name, s.code) for s in run.steps if s.outcome == "failure"] == [("Look", 1)], run.shown()
    [issue] = team.api.state.issues.values()
    assert "token-removed" in issue["body"]
    assert (len(watch.messages), watch.asked) == (1, ["/heartbeat"])
    assert {a["name"] for a in team.api.state.artifacts.values()} == {"drift", "github-pages"}
    assert (team.forge.pages / "index.html").exists()


def test_an_issue_that_cannot_be_written_silences_no_message_and_no_heartbeat(team: Team, watch: Watch) -> None:
    team.update("acme.example.", lambda m: m.delete(TOKENS, "TXT", '"one-acme.example"'))
    team.api.fail("POST", "/issues", status=404, times=99)
    team.api.fail("GET", "/issues", status=404, times=99)
    run = team.forge.scheduled("drift.yml")
    outcomes = {s.name: s.outcome for s in run.steps}
    assert {name for name, outcome in outcomes.items() if outcome == "failure"} == {"Tell in the issue"}
    assert (len(watch.messages), watch.asked) == (1, ["/heartbeat"])


def test_nobody_at_the_heartbeat_and_no_messages_fail_nothing(team: Team, watch: Watch) -> None:
    dead = {"NOTIFICATION_URL": "json://127.0.0.1:9/a-secret-path", "HEARTBEAT_URL": "http://127.0.0.1:9/"}
    team.forge.repository.environments["drift"] = dead
    team.update("acme.example.", lambda m: m.delete(TOKENS, "TXT", '"one-acme.example"'))
    run = team.forge.scheduled("drift.yml")
    assert run.conclusion == "success", run.shown()
    assert "::warning title=Heartbeat::" in run.jobs["drift"].step("Heartbeat").out
    assert not [s.name for s in run.steps if "a-secret-path" in s.out + s.err]
    assert (watch.asked, watch.messages) == ([], [])


def test_each_step_has_the_secrets_that_it_needs_and_no_other(team: Team) -> None:
    run = team.forge.scheduled("drift.yml")
    secrets = {"TSIG": team.backend.environment["TSIG_SECRET"], "token": TOKEN, "message": "a-secret-path"}
    secrets["heartbeat"] = "/heartbeat"
    holders = {
        what: {s.name for s in run.steps if any(secret in str(v) for v in s.environment.values())}
        for what, secret in secrets.items()
    }
    assert holders == {
        "TSIG": set(),
        "token": {"Fetch the journal", "Tell in the issue", "Push the journal"},
        "message": {"Notify"},
        "heartbeat": {"Heartbeat"},
    }


def test_shards_on_several_machines_find_and_record_what_one_machine_does(team: Team, watch: Watch) -> None:
    """The other domain is of another organization, and so of a part of its own."""
    team.forge.commit({"manifests/other.yaml": team.other}, "And another one, which is not behind the gateway")
    alone = team.forge.scheduled("drift.yml")
    assert alone.conclusion == "success", alone.shown()
    assert (alone.jobs["shards"].result, alone.jobs["look"].result) == ("skipped", "skipped")

    team.forge.repository.variables["RECONCILER_SHARDS"] = "2"
    team.update("acme.example.", lambda m: m.delete(TOKENS, "TXT", '"one-acme.example"'))
    both = team.forge.scheduled("drift.yml")
    assert both.conclusion == "success", both.shown()
    assert [part.result for part in both.jobs["look"].parts] == ["success", "success"]
    assert both.jobs["look"].permissions == {"contents": "read"}
    assert not [s for s in both.jobs["look"].steps if "a-secret-path" in str(s.environment.values())]
    assert len(team.api.state.issues) == 1
    assert watch.asked == ["/heartbeat"] * 2

    del team.forge.repository.variables["RECONCILER_SHARDS"]
    again = team.forge.scheduled("drift.yml")
    seen, found = (json.loads(team.artifact(run, "drift", "drift.json")) for run in (both, again))
    assert "token-removed" in since(team, both)
    assert since(team, both).keys() == since(team, again).keys()
    assert seen["domains"] == found["domains"]
    # a look is recorded as of its end: a wait that counts from it is never too short
    known = {code: (since(team, again)[code], first) for code, first in since(team, both).items()}
    assert all(moment(first) <= moment(kept) < moment(found["created_at"]) for kept, first in known.values()), known


def test_a_shard_that_failed_is_no_look_and_gives_no_heartbeat(team: Team, watch: Watch) -> None:
    team.forge.repository.variables["RECONCILER_SHARDS"] = "2"
    team.forge.commit({MINE: f"{ACME}surplus: 1\n"}, "A mistake that nobody reviewed")
    run = team.forge.scheduled("drift.yml")
    assert run.conclusion == "failure"
    assert [part.result for part in run.jobs["look"].parts] == ["failure", "failure"]
    outcomes = {s.name: s.outcome for s in run.jobs["drift"].steps}
    assert (outcomes["Look"], outcomes["Push the journal"], outcomes["Heartbeat"]) == ("failure", "success", "skipped")
    assert (watch.asked, team.api.state.issues) == ([], {})


@pytest.mark.parametrize("count", ["0", "257", "2; true"])
def test_a_number_of_shards_that_is_none_is_told_before_anybody_looks(team: Team, watch: Watch, count: str) -> None:
    team.forge.repository.variables["RECONCILER_SHARDS"] = count
    run = team.forge.scheduled("drift.yml")
    assert {name: job.result for name, job in run.jobs.items()} == {
        "shards": "failure", "look": "skipped", "drift": "skipped", "page": "skipped",
    }  # fmt: skip
    assert "::error title=RECONCILER_SHARDS::" in run.jobs["shards"].step("List").out
    assert watch.asked == []
