"""`reconciler notify` when endpoints are dead, slow or hostile, runs meet or are ended, and secrets are near."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from command import NOW, Command
from notify_builders import applied_json, drift_json, finding, result
from notify_lab import ALL, JOURNAL, LATER, MUCH_LATER, declare, say
from servers.endpoints import answering, dripping, endless, run_web, silent
from servers.processes import free_port

from reconciler.notify.rendering import RenderedMessage
from reconciler.notify.sending import Parcel, deliver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers.endpoints import Web

pytestmark = pytest.mark.integration

SECRET = "s3cr3t-t0ken"  # noqa: S105 - it stands for one
MESSAGE = RenderedMessage("title", "text", "*markdown*", "info")


@pytest.fixture
def web() -> Iterator[Web]:
    with run_web() as server:
        yield server


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command, with an endpoint whose URL is in CHAT."""
    command = Command(tmp_path, monkeypatch, capsys)
    declare(f"- {{url: env/CHAT, on: {ALL}}}")
    return command


def test_a_dead_endpoint_fails_no_run_and_is_told_when_it_lives(
    run: Command, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAT", f"json://127.0.0.1:{free_port('127.0.0.1')}/")
    switched = say(applied_json(result()))
    first = run("notify", switched)
    assert (first.code, first.out) == (0, "CHAT took 0 of 1 messages, with 0 events.\n")
    assert "warning[notification-failed]: CHAT did not take 1 of 1 messages" in first.err
    monkeypatch.setenv("CHAT", web.url())
    second = run("notify", say(drift_json(at=LATER), "other.json"), now=LATER.isoformat())
    assert second.out == "CHAT took 1 of 1 messages, with 1 events.\n", "its document was there for one run alone"
    assert web.titles() == ["acme: MX of 1 domain moved"]


def test_after_72_hours_it_is_given_up(run: Command, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT", f"json://127.0.0.1:{free_port('127.0.0.1')}/")
    run("notify", say(applied_json(result())))
    monkeypatch.setenv("CHAT", web.url())
    late = run("notify", say(drift_json(at=MUCH_LATER), "other.json"), now=MUCH_LATER.isoformat())
    assert (late.code, late.out) == (0, "Nothing to tell.\n")
    assert "CHAT was not told 1 events: it took nothing for 72 hours" in late.err
    assert web.bodies == []


@pytest.mark.parametrize(
    ("status", "said"), [(500, "its service answered 500"), (404, "answered 404"), (302, "answered 302")]
)
def test_a_refusing_endpoint_is_a_warning(
    run: Command, web: Web, monkeypatch: pytest.MonkeyPatch, status: int, said: str
) -> None:
    web.manners["bad"] = answering(status, Location=f"http://127.0.0.1:{web.port}/elsewhere")
    monkeypatch.setenv("CHAT", web.url("bad"))
    ran = run("notify", say(drift_json(finding())))
    assert ran.code == 0
    assert said in ran.err
    assert [path for path, _ in web.bodies] == ["/bad"], "a redirect is not followed"


def test_a_silent_endpoint_and_an_endless_one_are_warnings_and_others_are_told(
    run: Command, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.manners.update(silent=silent(web), endless=endless)
    declare(*(f"- {{url: env/{name}, on: {ALL}}}" for name in ("SILENT", "ENDLESS", "CHAT")))
    for name, path in (("SILENT", "silent"), ("ENDLESS", "endless"), ("CHAT", "ok")):
        monkeypatch.setenv(name, web.url(path))
    begun = time.monotonic()
    ran = run("notify", say(drift_json(finding())))
    assert time.monotonic() - begun < 40
    assert ran.code == 0
    assert "SILENT did not take 1 of 1" in ran.err
    assert "ENDLESS did not take 1 of 1" in ran.err
    assert web.titles() == ["acme: 1 new drift finding, critical"]


def test_the_whole_run_is_bounded_and_what_was_taken_is_known(web: Web) -> None:
    web.manners["drip"] = dripping(web)
    paths = ["drip"] * 4 + ["ok"]
    parcels = [Parcel(f"E{n}", web.url(path), (MESSAGE,) * 2) for n, path in enumerate(paths)]
    begun = time.monotonic()
    receipts = list(deliver(parcels, seconds=16))
    assert time.monotonic() - begun < 24
    assert {(r.parcel, r.message, r.outcome) for r in receipts} == {
        *((number, 0, "late") for number in range(4)),
        (4, 0, "taken"),
        (4, 1, "taken"),
    }


def test_whoever_leaves_early_leaves_no_process_behind(web: Web) -> None:
    web.manners["drip"] = dripping(web)
    sending = deliver([Parcel("A", web.url(), (MESSAGE,)), Parcel("B", web.url("drip"), (MESSAGE,))], seconds=30)
    assert next(sending).outcome == "taken"
    begun = time.monotonic()
    sending.close()
    assert time.monotonic() - begun < 5


def test_after_three_failures_in_a_row_it_is_left_in_peace(web: Web) -> None:
    web.manners["bad"] = answering(503)
    receipts = list(deliver([Parcel("A", web.url("bad"), (MESSAGE,) * 10)]))
    assert [(r.outcome, r.answer) for r in receipts] == [("refused", "503")] * 3
    assert len(web.bodies) == 3


def test_too_long_a_text_is_cut_unless_the_url_says_otherwise(web: Web) -> None:
    long = RenderedMessage("t", "x" * 50_000, "x", "info")
    assert [r.outcome for r in deliver([Parcel("A", web.url(), (long,))])] == ["taken"]
    assert [r.outcome for r in deliver([Parcel("A", f"{web.url()}?overflow=split", (long,))])] == ["taken"]
    assert [len(body["message"]) < 33_000 for _, body in web.bodies] == [True] * 3


@pytest.mark.parametrize(
    "url",
    [
        f"json://user:{SECRET}@127.0.0.1:PORT/{SECRET}",
        f"bogus://{SECRET}",
        f"slack://{SECRET}",
        f"mailto://user:{SECRET}@127.0.0.1:PORT/?to=a@b.example&smtp=127.0.0.1",
        f"json://127.0.0.1:PORT/%0d%0a::error::{SECRET}\x1b[31m",
    ],
)
@pytest.mark.usefixtures("run")
def test_a_url_is_never_shown_and_never_kept(url: str) -> None:
    say(drift_json(finding()))
    with started(url.replace("PORT", str(free_port("127.0.0.1"))), "-v") as process:
        out, err = process.communicate(timeout=60)
    assert b"CHAT" in err
    assert SECRET.encode() not in out + err
    assert b"\x1b" not in out + err
    assert b"apprise" not in err.lower().replace(b"apprise -vv", b"").replace(b"that apprise can", b"")
    assert SECRET.encode() not in JOURNAL.read_bytes()


def test_what_only_its_owner_can_mend_is_an_error_and_others_are_told(
    run: Command, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(*(f"- {{url: env/{name}, on: {ALL}}}" for name in ("UNSET", "WRONG", "CHAT")))
    monkeypatch.delenv("UNSET", raising=False)
    monkeypatch.setenv("WRONG", "teams, please")
    monkeypatch.setenv("CHAT", web.url())
    ran = run("notify", say(drift_json(finding())))
    assert ran.code == 1
    assert "error[notification-url]: UNSET is not set here, or empty" in ran.err
    assert "error[notification-url]: WRONG holds no URL that Apprise can send to" in ran.err
    assert "CHAT took 1 of 1 messages" in ran.out


def test_without_apprise_it_is_an_error_that_says_what_to_install(
    run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)  # what the interpreter takes for: not there
    monkeypatch.setenv("CHAT", "json://127.0.0.1/")
    ran = run("notify", say(drift_json(finding())))
    assert (ran.code, ran.out) == (1, "")
    assert ".venv/bin/pip install --require-hashes -r requirements-extras.lock" in ran.err
    assert not JOURNAL.exists()


def started(url: str, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "reconciler", "--now", NOW, *options, "notify", "news.json"]
    return subprocess.Popen(command, env={**os.environ, "CHAT": url}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.usefixtures("run")
def test_two_runs_at_once_tell_it_once(web: Web) -> None:
    say(drift_json(finding()))
    runs = [started(web.url()) for _ in range(2)]
    outputs = sorted(run.communicate(timeout=60)[0] for run in runs)
    assert outputs == [b"CHAT took 1 of 1 messages, with 1 events.\n", b"Nothing to tell.\n"]
    assert len(web.bodies) == 1


def await_taken(number: int) -> None:
    """Wait until the journal has it that so many were taken: the next message is on its way by then."""
    deadline = time.monotonic() + 30
    with closing(sqlite3.connect(JOURNAL)) as journal:
        while time.monotonic() < deadline:
            kept = [text for (text,) in journal.execute("SELECT text FROM reconciler_told")]
            if sum('"standing":"told"' in text for text in kept) >= number:
                return
            time.sleep(0.02)
    pytest.fail(f"not taken: {kept}")


def test_a_run_that_is_ended_has_kept_what_was_taken(run: Command, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second message hangs when SIGTERM comes: it is sent again, and the first one is not."""
    hang = silent(web)
    web.manners["slow"] = lambda h: answering(200)(h) if len(web.bodies) == 1 else hang(h)
    places = [("acme", "acme.example"), ("globex", "globex.example")]
    say(drift_json(*(finding(d, organization=o) for o, d in places), domains=places))
    with started(web.url("slow")) as process:
        web.await_bodies(2)
        await_taken(1)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert b"Traceback" not in err
    monkeypatch.setenv("CHAT", web.url())
    assert run("notify", "news.json").out == "CHAT took 1 of 1 messages, with 1 events.\n"
    assert web.titles() == ["globex: 1 new drift finding, critical"]


def test_nothing_in_the_current_folder_is_imported_by_what_sends(
    run: Command, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkout is hostile: it may have an apprise of its own."""
    Path("apprise.py").write_text("open('ran', 'w').close()\n")
    monkeypatch.setenv("CHAT", web.url())
    assert run("notify", say(drift_json(finding()))).code == 0
    assert not Path("ran").exists()


@pytest.mark.usefixtures("run")
def test_apprise_is_imported_by_what_sends_and_by_nothing_else(web: Web) -> None:
    say(drift_json(finding()))
    script = (
        "import sys; from reconciler.cli import main\n"
        f"code = main(['--now', '{NOW}', 'notify', 'news.json'])\n"
        "sys.exit(code or sorted(m for m in sys.modules if m.split('.')[0] in {'apprise', 'requests'}) or 0)"
    )
    environment = {**os.environ, "CHAT": web.url()}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True, timeout=60)
    assert len(web.bodies) == 1
