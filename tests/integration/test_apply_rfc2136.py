"""One UPDATE, taken whole or not at all, by BIND, Knot and PowerDNS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rdatatype
import pytest
from servers.nasty import NASTY_TXT, NOT_IN_ZONES, SAMPLES, content, nasty_zone
from servers.processes import TsigKey
from servers.proxy import run_proxy
from servers.updates import (
    ADD_TOKEN,
    FOREIGN,
    MX,
    NEW_MX,
    OLD_MX,
    SWITCH,
    TOKEN,
    TXT,
    WITHOUT,
    ZONE,
    ZONE_TEXT,
    add_past_the_writer,
    change,
    every_server,
    rrset,
    writer,
)

from reconciler.apply import StaleError, VerifyError
from reconciler.apply.comparison import CnameConflictError
from reconciler.names import Name
from reconciler.state import Key, Rdata

if TYPE_CHECKING:
    from pathlib import Path

    from servers.updates import Run

    from reconciler.diff import Change

pytestmark = pytest.mark.integration


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
@pytest.mark.parametrize(
    "wanted", [change(MX, [OLD_MX], [NEW_MX], [], 600, 600), change(MX, [OLD_MX], [OLD_MX], [], 600, 60)]
)
def test_an_mx_that_is_spelt_in_capitals_goes(run: Run, wanted: Change, tmp_path: Path) -> None:
    text = ZONE_TEXT.replace(f"MX {OLD_MX}", "MX 10 MAIL.Acme.Example.")
    with run({ZONE: text}, directory=tmp_path) as server:
        writer(server).write(ZONE, [wanted])
        assert rrset(server, MX) == (wanted.ttl, set(wanted.after))


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
def test_a_ttl_that_was_changed_meanwhile_is_seen(run: Run, tmp_path: Path) -> None:
    """The foreign values of the rrset would get the old TTL back."""
    with run({ZONE: ZONE_TEXT.replace("_amazonses 900", "_amazonses 901")}, directory=tmp_path) as server:
        with pytest.raises(StaleError, match="901"):
            writer(server).write(ZONE, [ADD_TOKEN])
        assert rrset(server, TXT) == (901, {FOREIGN})


@every_server
def test_what_somebody_else_makes_of_the_write_at_once_is_shown(run: Run, tmp_path: Path) -> None:
    key = TsigKey()
    with run({ZONE: ZONE_TEXT}, directory=tmp_path, key=key) as server:

        def race() -> None:
            add_past_the_writer(server, key, TXT.name, "TXT", '"raced"')

        with run_proxy(server, after_update=race) as port, pytest.raises(VerifyError, match="raced"):
            writer(server, key, port=port).write(ZONE, [ADD_TOKEN])
        assert rrset(server, TXT) == (900, {FOREIGN, TOKEN, '"raced"'})


@every_server
@pytest.mark.parametrize("wildcard", ['* 600 TXT "v=spf1 -all"', "* 600 CNAME mail", "*._amazonses.new 600 TXT below"])
def test_a_name_that_a_wildcard_answers_for_gets_its_first_value(run: Run, wildcard: str, tmp_path: Path) -> None:
    created = Key(Name("_amazonses.new.acme.example."), "TXT")
    with run({ZONE: f"{ZONE_TEXT}{wildcard}\n"}, directory=tmp_path) as server:
        before = content(server.axfr(ZONE))
        written = writer(server)
        written.write(ZONE, [change(created, [], [TOKEN], [], None, 300)])
        assert rrset(server, created) == (300, {TOKEN})
        after = content(server.axfr(ZONE))
        changed = {k for k in before.keys() | after.keys() if before.get(k) != after.get(k)}
        assert changed == {(ZONE, "SOA"), created}
        with pytest.raises(StaleError):
            written.write(ZONE, [change(created, [], [TOKEN], [], None, 300)])


@every_server
def test_a_cname_that_equals_the_wildcard_and_is_at_the_name_is_refused(run: Run, tmp_path: Path) -> None:
    there = Key(Name("_amazonses.new.acme.example."), "TXT")
    text = f"{ZONE_TEXT}* 600 CNAME mail\n_amazonses.new 600 CNAME mail\n"
    with run({ZONE: text}, directory=tmp_path) as server, pytest.raises(CnameConflictError):
        writer(server).write(ZONE, [change(there, [], [TOKEN], [], None, 300)])
