"""One UPDATE, taken whole or not at all, by BIND, Knot and PowerDNS."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import dns.query
import dns.rdatatype
import dns.update
import pytest
from octodns_bind import Rfc2136Provider
from servers.bind import run_bind
from servers.knot import run_knot
from servers.nasty import (
    BIND_WITHOUT,
    KNOT_WITHOUT,
    NASTY_TXT,
    NOT_IN_ZONES,
    POWERDNS_WITHOUT,
    SAMPLES,
    content,
    nasty_zone,
)
from servers.powerdns import run_powerdns
from servers.processes import TsigKey, end, free_port
from servers.proxy import Fate, run_proxy

from reconciler.apply import ApplyError, NoSuchZoneError, StaleError
from reconciler.apply.rfc2136 import Rfc2136Writer
from reconciler.diff import Change
from reconciler.names import Name
from reconciler.state import Key, Rdata, mx_rdata, txt_rdata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from servers.processes import NameServer

    Run = Callable[..., AbstractContextManager[NameServer]]

ZONE = Name("acme.example.")
TXT = Key(Name("_amazonses.acme.example."), "TXT")
MX = Key(ZONE, "MX")
OLD_MX = mx_rdata(10, Name("mail.acme.example."))
NEW_MX = mx_rdata(0, Name("eu.mx-pp.com."))
FOREIGN = txt_rdata("another vendor's")
TOKEN = txt_rdata("our token")
ZONE_TEXT = f"""$ORIGIN acme.example.
$TTL 3600
@ SOA ns hostmaster 1 3600 600 86400 300
@ NS ns
@ 600 MX {OLD_MX}
ns A 127.0.0.1
mail A 192.0.2.1
_amazonses 900 TXT {FOREIGN}
alias CNAME mail
sub NS ns.sub
ns.sub A 127.0.0.1
moved DNAME elsewhere.example.
"""
WITHOUT: dict[object, dict[str, str]] = {run_bind: BIND_WITHOUT, run_knot: KNOT_WITHOUT, run_powerdns: POWERDNS_WITHOUT}

pytestmark = pytest.mark.integration
every_server = pytest.mark.parametrize("run", [run_bind, run_knot, run_powerdns])


def writer(
    server: NameServer, key: TsigKey | None = None, *, port: int | None = None, timeout: float = 5
) -> Rfc2136Writer:
    named = {"key_name": key.name, "key_secret": key.secret, "key_algorithm": key.algorithm} if key else {}
    provider = Rfc2136Provider("bind", host=server.address, port=port or server.port, timeout=timeout, **named)
    return Rfc2136Writer(provider, provider_id="bind")


def change(
    key: Key,
    before: Iterable[Rdata] = (),
    after: Iterable[Rdata] = (),
    foreign: Iterable[Rdata] = (),
    ttl_before: int | None = None,
    ttl: int = 300,
) -> Change:
    return Change(key, ZONE, tuple(before), tuple(after), tuple(foreign), ttl_before, ttl)


ADD_TOKEN = change(TXT, [], [TOKEN], [FOREIGN], 900, 900)
SWITCH = change(MX, [OLD_MX], [NEW_MX], [], 600, 300)


def rrset(server: NameServer, key: Key) -> tuple[int | None, set[str]]:
    """TTL and rdatas at the server, by AXFR."""
    found = server.axfr(ZONE).get_rdataset(key.name, key.type)
    return (found.ttl, {r.to_text() for r in found}) if found else (None, set())


def add_past_the_writer(server: NameServer, key: TsigKey, name: str, *rdata: str) -> None:
    update = dns.update.UpdateMessage(ZONE, keyring=keyring(key), keyalgorithm=key.algorithm)
    update.add(name, 900, *rdata)
    assert dns.query.tcp(update, server.address, port=server.port, timeout=5).rcode() == 0


def keyring(key: TsigKey) -> dict[object, object]:
    return Rfc2136Provider("k", host="127.0.0.1", key_name=key.name, key_secret=key.secret)._auth_params()["keyring"]  # type: ignore[no-any-return]  # noqa: SLF001


def test_the_nasty_zone_knows_every_type_of_dnspython() -> None:
    names = {dns.rdatatype.to_text(t) for t in dns.rdatatype.RdataType}
    assert names == {t for t in {*SAMPLES, *NOT_IN_ZONES} if t != "TYPE65280"}
    assert not SAMPLES.keys() & NOT_IN_ZONES.keys()
    assert len(set(NASTY_TXT)) >= 20


@every_server
def test_creates_updates_and_deletes_by_value_in_one_update(run: Run, tmp_path: Path) -> None:
    key = TsigKey()
    with run({ZONE: ZONE_TEXT}, directory=tmp_path, key=key) as server:
        written = writer(server, key)
        written.write(ZONE, [ADD_TOKEN, SWITCH])
        assert rrset(server, TXT) == (900, {FOREIGN, TOKEN})
        assert rrset(server, MX) == (300, {NEW_MX})
        written.write(ZONE, [change(TXT, [TOKEN], [], [FOREIGN], 900, 900)])
        assert rrset(server, TXT) == (900, {FOREIGN})
        created = Key(Name("_amazonses.mail.acme.example."), "TXT")
        written.write(ZONE, [change(created, [], [TOKEN], [], None, 60)])
        assert rrset(server, created) == (60, {TOKEN})
        written.write(ZONE, [change(created, [TOKEN], [], [], 60, 60)])
        assert rrset(server, created) == (None, set())


@every_server
def test_changes_a_ttl_alone_and_with_some_values_kept(run: Run, tmp_path: Path) -> None:
    with run({ZONE: ZONE_TEXT}, directory=tmp_path) as server:
        written = writer(server)
        written.write(ZONE, [change(MX, [OLD_MX], [OLD_MX], [], 600, 60)])
        assert rrset(server, MX) == (60, {OLD_MX})
        written.write(ZONE, [change(MX, [OLD_MX], [NEW_MX, OLD_MX], [], 60, 7200)])
        assert rrset(server, MX) == (7200, {OLD_MX, NEW_MX})


@every_server
def test_a_second_write_of_the_same_change_is_stale_and_a_noop_writes_nothing(run: Run, tmp_path: Path) -> None:
    with run({ZONE: ZONE_TEXT}, directory=tmp_path) as server:
        written = writer(server)
        written.write(ZONE, [SWITCH])
        serial = server.axfr(ZONE).get_soa().serial
        written.write(ZONE, [change(MX, [NEW_MX], [NEW_MX], [], 300, 300)])
        with pytest.raises(StaleError, match="plan again"):
            written.write(ZONE, [SWITCH])
        assert server.axfr(ZONE).get_soa().serial == serial


@every_server
def test_what_changed_since_the_plan_stops_the_whole_domain(run: Run, tmp_path: Path) -> None:
    key = TsigKey()
    with run({ZONE: ZONE_TEXT}, directory=tmp_path, key=key) as server:
        add_past_the_writer(server, key, TXT.name, "TXT", '"raced"')
        before = content(server.axfr(ZONE))
        with pytest.raises(StaleError, match="raced"):
            writer(server, key).write(ZONE, [SWITCH, ADD_TOKEN])
        assert content(server.axfr(ZONE)) == before


@every_server
@pytest.mark.parametrize("raced_name", [TXT.name, "_amazonses.new.acme.example."])
def test_a_writer_that_races_with_the_update_itself_loses_nothing(run: Run, tmp_path: Path, raced_name: str) -> None:
    """The value comes after our last read: the prerequisite alone can see it."""
    key = TsigKey()
    created = change(Key(Name("_amazonses.new.acme.example."), "TXT"), [], [TOKEN], [], None, 300)
    with run({ZONE: ZONE_TEXT}, directory=tmp_path, key=key) as server:

        def race() -> None:
            add_past_the_writer(server, key, raced_name, "TXT", '"raced"')

        with run_proxy(server, before_update=race) as port, pytest.raises(StaleError, match="raced"):
            writer(server, key, port=port).write(ZONE, [SWITCH, ADD_TOKEN, created])
        assert rrset(server, MX) == (600, {OLD_MX})
        assert '"raced"' in rrset(server, Key(Name(raced_name), "TXT"))[1]
        assert rrset(server, TXT)[1] >= {FOREIGN}
        assert TOKEN not in rrset(server, TXT)[1]


@every_server
def test_every_foreign_rdata_of_a_nasty_zone_is_byte_identical_afterwards(run: Run, tmp_path: Path) -> None:
    foreign = [Rdata(t) for t in NASTY_TXT]
    text = nasty_zone(ZONE, without=WITHOUT[run])
    with run({ZONE: text}, directory=tmp_path) as server:
        before = content(server.axfr(ZONE))
        written = writer(server)
        written.write(
            ZONE, [change(TXT, [], [TOKEN], foreign, 1234, 1234), change(MX, [OLD_MX], [NEW_MX], [], 600, 300)]
        )
        during = content(server.axfr(ZONE))
        ours = {(TXT.name, "TXT"), (ZONE, "MX"), (ZONE, "SOA")}
        assert {k: v for k, v in during.items() if k not in ours} == {k: v for k, v in before.items() if k not in ours}
        assert before[TXT.name, "TXT"][1] < during[TXT.name, "TXT"][1]
        assert rrset(server, TXT) == (1234, {*foreign, TOKEN})
        written.write(ZONE, [change(TXT, [TOKEN], [], foreign, 1234, 1234)])
        assert content(server.axfr(ZONE))[TXT.name, "TXT"] == before[TXT.name, "TXT"]


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
    callbacks = {when: kill}
    with run_bind({ZONE: ZONE_TEXT}, directory=tmp_path) as server, run_proxy(server, fate=fate, **callbacks) as port:
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
