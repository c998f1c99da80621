"""Bad days of dynamic updates: keys, refusals, names that lie elsewhere, lost answers, kill -9."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import dns.opcode
import pytest
from servers.bind import run_bind
from servers.nasty import content
from servers.processes import TsigKey, end, free_port
from servers.proxy import Fate, run_proxy
from servers.updates import (
    ADD_TOKEN,
    MX,
    NEW_MX,
    OLD_MX,
    SWITCH,
    TOKEN,
    ZONE,
    ZONE_TEXT,
    change,
    every_server,
    rrset,
    writer,
)

from reconciler.apply import ApplyError, NoSuchZoneError
from reconciler.diff import Change
from reconciler.names import Name
from reconciler.state import Key

if TYPE_CHECKING:
    from pathlib import Path

    from servers.updates import Run

pytestmark = pytest.mark.integration


@every_server
def test_a_wrong_missing_or_unknown_key_is_refused_and_no_secret_is_shown(run: Run, tmp_path: Path) -> None:
    key = TsigKey()
    with run({ZONE: ZONE_TEXT}, directory=tmp_path, key=key) as server:
        for used in (TsigKey(name=key.name), TsigKey(name="stranger"), None):
            with pytest.raises(ApplyError, match=r"provider bind \(127.0.0.1:\d+\).*key") as caught:
                writer(server, used).write(ZONE, [SWITCH])
            assert type(caught.value) is ApplyError
            assert key.secret not in str(caught.value)
            assert used is None or used.secret not in str(caught.value)
        assert rrset(server, MX) == (600, {OLD_MX})


@every_server
def test_a_clock_that_is_wrong_is_named(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = TsigKey()
    clock = time.time
    with run({ZONE: ZONE_TEXT}, directory=tmp_path, key=key) as server:
        monkeypatch.setattr(time, "time", lambda: clock() + 7200)
        with pytest.raises(ApplyError, match=r"clocks|TSIG key"):
            writer(server, key).write(ZONE, [SWITCH])
        monkeypatch.undo()
        assert rrset(server, MX) == (600, {OLD_MX})


def test_a_name_outside_the_zone_is_not_sent(tmp_path: Path) -> None:
    with (
        run_bind({ZONE: ZONE_TEXT}, directory=tmp_path) as server,
        pytest.raises(ApplyError, match="not in zone"),
    ):
        writer(server).write(ZONE, [change(Key(Name("_amazonses.other.example."), "TXT"), [], [TOKEN])])


@every_server
def test_an_update_that_the_server_does_not_allow_is_one_clear_sentence(run: Run, tmp_path: Path) -> None:
    with run({ZONE: ZONE_TEXT}, directory=tmp_path, allow_update=False) as server:
        with pytest.raises(ApplyError, match="refuses the update"):
            writer(server).write(ZONE, [SWITCH])
        assert rrset(server, MX) == (600, {OLD_MX})


@every_server
def test_a_zone_that_the_server_does_not_have_is_never_created(run: Run, tmp_path: Path) -> None:
    other = Name("other.example.")
    below = Name("below.acme.example.")
    with run({ZONE: ZONE_TEXT}, directory=tmp_path) as server:
        for zone in (other, below):
            wanted = Change(Key(zone, "MX"), zone, (), (NEW_MX,), (), None, 300)
            with pytest.raises(NoSuchZoneError, match="zones are never created"):
                writer(server).write(zone, [wanted])


@every_server
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("alias.acme.example.", "cname"),
        ("_amazonses.sub.acme.example.", "delegated"),
        ("sub.acme.example.", "delegated"),
        ("_amazonses.moved.acme.example.", "delegated"),
    ],
)
def test_names_that_would_be_taken_and_never_answered_are_refused(
    run: Run, tmp_path: Path, name: str, code: str
) -> None:
    with run({ZONE: ZONE_TEXT}, directory=tmp_path) as server:
        before = content(server.axfr(ZONE))
        with pytest.raises(ApplyError) as caught:
            writer(server).write(ZONE, [SWITCH, change(Key(Name(name), "TXT"), [], [TOKEN])])
        assert caught.value.code == code
        assert content(server.axfr(ZONE)) == before


def test_a_child_zone_on_the_same_server_is_no_place_for_the_parents_records(tmp_path: Path) -> None:
    child = "$ORIGIN sub.acme.example.\n@ 300 SOA ns h 1 2 3 4 5\n@ 300 NS ns\nns 300 A 127.0.0.1\n"
    with run_bind({ZONE: ZONE_TEXT, "sub.acme.example.": child}, directory=tmp_path) as server:
        for name in ("_amazonses.sub.acme.example.", "sub.acme.example."):
            with pytest.raises(ApplyError) as caught:
                writer(server).write(ZONE, [change(Key(Name(name), "TXT"), [], [TOKEN])])
            assert caught.value.code == "delegated"


def test_a_server_that_is_down_and_one_that_says_nothing_are_bounded_and_clear(tmp_path: Path) -> None:
    with run_bind({ZONE: ZONE_TEXT}, directory=tmp_path) as server:
        with pytest.raises(ApplyError, match="cannot be reached"):
            writer(server, port=free_port("127.0.0.1")).write(ZONE, [SWITCH])
        began = time.monotonic()
        with run_proxy(server, before_update=lambda: time.sleep(1.5)) as port, pytest.raises(ApplyError):
            writer(server, port=port, timeout=0.5).write(ZONE, [SWITCH])
        assert time.monotonic() - began < 5


def test_after_an_answer_that_was_lost_the_server_is_asked_what_happened(tmp_path: Path) -> None:
    with run_bind({ZONE: ZONE_TEXT}, directory=tmp_path) as server:
        with run_proxy(server, fate=Fate.LOST) as port, pytest.raises(ApplyError, match="nothing is written so far"):
            writer(server, port=port).write(ZONE, [SWITCH])
        assert rrset(server, MX) == (600, {OLD_MX})
        with run_proxy(server, fate=Fate.UNANSWERED) as port:
            writer(server, port=port).write(ZONE, [SWITCH])
        assert rrset(server, MX) == (300, {NEW_MX})


@pytest.mark.parametrize("closes_after", [1, 2, 1000])
def test_questions_share_a_connection_and_a_closed_one_is_replaced(closes_after: int, tmp_path: Path) -> None:
    connections: list[list[bytes]] = []
    with run_bind({ZONE: ZONE_TEXT}, directory=tmp_path) as server:
        with run_proxy(server, messages=connections, closes_after=closes_after) as port:
            writer(server, port=port).write(ZONE, [ADD_TOKEN, SWITCH])
        assert rrset(server, MX) == (300, {NEW_MX})
    assert len([c for c in connections if c]) == {1: 7, 2: 4, 1000: 2}[closes_after]


@pytest.mark.parametrize("fate", [Fate.LOST, Fate.UNANSWERED])
def test_an_update_is_the_first_on_its_connection_and_never_sent_again(fate: Fate, tmp_path: Path) -> None:
    connections: list[list[bytes]] = []
    with (
        run_bind({ZONE: ZONE_TEXT}, directory=tmp_path) as server,
        run_proxy(server, fate=fate, messages=connections) as port,
    ):
        written = writer(server, port=port)
        if fate is Fate.LOST:
            with pytest.raises(ApplyError, match="nothing is written so far"):
                written.write(ZONE, [SWITCH])
        else:
            written.write(ZONE, [SWITCH])
    updates = [(place, m) for c in connections for place, m in enumerate(c) if (m[2] >> 3) & 15 == dns.opcode.UPDATE]
    assert [place for place, _ in updates] == [0]


def test_a_server_that_dies_with_the_update_leaves_the_outcome_open(tmp_path: Path) -> None:
    with run_bind({ZONE: ZONE_TEXT}, directory=tmp_path) as server:
        stopped = run_proxy(server, after_update=lambda: end(server.process), fate=Fate.UNANSWERED)
        with stopped as port, pytest.raises(ApplyError, match="unknown whether"):
            writer(server, port=port).write(ZONE, [SWITCH])


_CHILD = """
import json, sys
from octodns_bind import Rfc2136Provider
from reconciler.apply.rfc2136 import Rfc2136Writer
from reconciler.diff import Change
from reconciler.state import Key
port, key, zone, before, after = json.loads(sys.argv[1])
sys.stdin.readline()
provider = Rfc2136Provider("bind", host="127.0.0.1", port=port)
change = Change(Key(*key), zone, (before,), (after,), (), 600, 300)
Rfc2136Writer(provider, provider_id="bind").write(zone, [change])
"""


@pytest.mark.parametrize(("when", "expected"), [("before_update", (600, {OLD_MX})), ("after_update", (300, {NEW_MX}))])
def test_killed_at_the_update_leaves_the_old_or_the_new_state(
    tmp_path: Path, when: str, expected: tuple[int, set[str]]
) -> None:
    processes: list[subprocess.Popen[str]] = []

    def kill() -> None:
        processes[0].kill()
        processes[0].wait(10)

    # killed before the server has the message: it was sent whole, so the proxy stands for the network and loses it
    fate = Fate.LOST if when == "before_update" else Fate.PASSED
    interference: dict[str, Any] = {when: kill, "fate": fate}
    with run_bind({ZONE: ZONE_TEXT}, directory=tmp_path) as server, run_proxy(server, **interference) as port:
        arguments = json.dumps([port, list(MX), ZONE, OLD_MX, NEW_MX])
        with subprocess.Popen([sys.executable, "-c", _CHILD, arguments], stdin=subprocess.PIPE, text=True) as process:
            try:
                processes.append(process)
                process.communicate("go\n", timeout=30)
            finally:
                end(process)
        assert process.returncode == -9
        assert rrset(server, MX) == expected
        if when == "before_update":
            writer(server).write(ZONE, [SWITCH])
            assert rrset(server, MX) == (300, {NEW_MX})


def test_a_zone_that_the_server_cannot_load_is_a_failure_and_no_missing_zone(tmp_path: Path) -> None:
    broken = Name("broken.example.")
    with run_bind({ZONE: ZONE_TEXT}, directory=tmp_path, unloadable=[broken]) as server:
        with pytest.raises(ApplyError, match="SERVFAIL") as caught:
            writer(server).write(broken, [Change(Key(broken, "MX"), broken, (), (NEW_MX,), (), None, 300)])
        assert not isinstance(caught.value, NoSuchZoneError)
