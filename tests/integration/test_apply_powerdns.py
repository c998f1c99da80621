"""PowerDNS's HTTP API on a real server, read back over DNS and out of its database."""

from __future__ import annotations

import multiprocessing
import os
import signal
from typing import TYPE_CHECKING

import pytest
from apply_builders import FOREIGN, OLD, OURS, ZONE, build_change, rows
from powerdns_lab import MX_KEY, answered, build_writer, comment, comments, reset, run_lab, sql, store, stored
from servers.nasty import NASTY_TXT

from reconciler.apply import ApplyError, StaleError
from reconciler.apply.powerdns_api import PowerDnsApi
from reconciler.names import canonical_name
from reconciler.state import Key, Rdata

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers.powerdns import PowerDns

    from reconciler.diff import Change


pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::DeprecationWarning:octodns_powerdns")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PowerDns]:
    with run_lab(tmp_path_factory.mktemp("powerdns")) as running:
        yield running


@pytest.fixture(autouse=True)
def clean(server: PowerDns) -> None:
    reset(server)


def test_creates_updates_retimes_and_deletes(server: PowerDns) -> None:
    writer = build_writer(server)
    writer.write(ZONE, [build_change(after=(OLD,))])
    assert answered(server) == (300, {OLD})
    writer.write(ZONE, [build_change(before=(OLD,), after=(OURS,))])
    assert answered(server) == (300, {OURS})
    writer.write(ZONE, [build_change(before=(OURS,), after=(OURS,), ttl_before=300, ttl=60)])
    assert answered(server) == (60, {OURS})
    writer.write(ZONE, [build_change(before=(OURS,), ttl=60)])
    assert answered(server) is None


def test_writes_nothing_when_there_is_nothing_to_write(server: PowerDns) -> None:
    build_writer(server).write(ZONE, [build_change(after=(OURS,))])
    serial = rows_of_soa(server)
    build_writer(server).write(ZONE, [build_change(before=(OURS,), after=(OURS,))])
    assert rows_of_soa(server) == serial


def rows_of_soa(server: PowerDns) -> str:
    return str(server.query(ZONE, "SOA").answer[0])


def test_writes_mx_and_txt_in_one_transaction_and_keeps_the_case_of_a_foreign_host(server: PowerDns) -> None:
    mx = build_change(
        key=MX_KEY, after=("0 eu.mx-pp.com.",), foreign=("10 mail.acme.example.",), ttl_before=600, ttl=600
    )
    build_writer(server).write(ZONE, [build_change(after=(OURS,)), mx])
    assert stored(server, "MX") == [("Mail.acme.example", 600, 0), ("eu.mx-pp.com", 600, 0)]
    assert answered(server) == (300, {OURS})


def test_compares_every_rrset_before_it_writes_any(server: PowerDns) -> None:
    stale = build_change(key=MX_KEY, before=("10 other.example.",), after=("0 eu.mx-pp.com.",), ttl=600)
    with pytest.raises(StaleError, match=r"10 mail\.acme\.example\."):
        build_writer(server).write(ZONE, [build_change(after=(OURS,)), stale])
    assert answered(server) is None


@pytest.mark.parametrize(
    "change",
    [
        build_change(after=(OURS,)),
        build_change(before=(OLD,), after=(OURS,)),
        build_change(before=(OLD,)),
        build_change(before=(OLD,), after=(OLD,), ttl_before=300, ttl=60),
    ],
    ids=["create", "update", "delete", "ttl"],
)
def test_a_value_that_came_after_the_plan_is_kept_and_the_change_is_stale(server: PowerDns, change: Change) -> None:
    for rdata in change.before:
        store(server, rdata)
    store(server, FOREIGN)
    before = stored(server)
    with pytest.raises(StaleError, match="somebody else"):
        build_writer(server).write(ZONE, [change])
    assert stored(server) == before


def test_another_ttl_is_stale(server: PowerDns) -> None:
    store(server, OLD, ttl=77)
    with pytest.raises(StaleError, match="TTL 77"):
        build_writer(server).write(ZONE, [build_change(before=(OLD,), after=(OURS,))])


def test_foreign_values_of_a_nasty_zone_stay_byte_for_byte(server: PowerDns) -> None:
    name = canonical_name("nasty.example")
    key = Key(canonical_name("_amazonses.nasty.example"), "TXT")
    query = "SELECT name, type, content, ttl FROM records WHERE type <> 'SOA' ORDER BY 1, 2, 3"
    before, database = rows(server.axfr(name)), sql(server, query)
    ttl, foreign = before[key]
    assert len(foreign) == len(NASTY_TXT)
    adding = build_change(key=key, zone=name, after=(OURS,), foreign=tuple(foreign), ttl=ttl)
    build_writer(server).write(name, [adding])
    assert rows(server.axfr(name)) == {**before, key: (ttl, foreign | {OURS})}
    removing = build_change(key=key, zone=name, before=(OURS,), foreign=tuple(foreign), ttl=ttl)
    build_writer(server).write(name, [removing])
    assert rows(server.axfr(name)) == before
    assert sql(server, query) == database


def test_disabled_records_and_comments_stay(server: PowerDns) -> None:
    store(server, OLD)
    store(server, '"an old secret"', disabled=True)
    comment(server)
    written = comments(server)
    build_writer(server).write(ZONE, [build_change(before=(OLD,), after=(OURS,))])
    assert stored(server) == [('"an old secret"', 300, 1), (OURS, 300, 0)]
    assert comments(server) == written
    build_writer(server).write(ZONE, [build_change(before=(OURS,))])
    assert stored(server) == [('"an old secret"', 300, 1)]
    assert comments(server) == written


def test_comments_stay_where_no_record_is_left(server: PowerDns) -> None:
    store(server, OURS)
    comment(server)
    written = comments(server)
    build_writer(server).write(ZONE, [build_change(before=(OURS,))])
    assert stored(server) == []
    assert comments(server) == written


def test_a_value_that_is_there_but_disabled_is_not_enabled_behind_its_owners_back(server: PowerDns) -> None:
    store(server, OURS, disabled=True)
    with pytest.raises(ApplyError, match="disabled; nothing was written; enable"):
        build_writer(server).write(ZONE, [build_change(after=(OURS,))])
    assert stored(server) == [(OURS, 300, 1)]


def test_a_foreign_string_of_more_than_255_octets_is_read_as_the_server_answers_it(server: PowerDns) -> None:
    store(server, f'"{"x" * 300}"')
    answer = answered(server)
    assert answer is not None
    build_writer(server).write(ZONE, [build_change(after=(OURS,), foreign=tuple(answer[1]))])
    assert stored(server) == [(OURS, 300, 0), (f'"{"x" * 300}"', 300, 0)]


def test_a_foreign_content_that_the_api_spells_otherwise_than_the_database_keeps_its_octets(server: PowerDns) -> None:
    store(server, '"two"   "strings"')
    build_writer(server).write(ZONE, [build_change(after=(OURS,), foreign=('"two" "strings"',))])
    assert answered(server) == (300, {OURS, Rdata('"two" "strings"')})


def test_a_content_that_cannot_be_read_exactly_is_refused(server: PowerDns) -> None:
    store(server, '"ends in the middle')
    with pytest.raises(ApplyError):
        build_writer(server).write(ZONE, [build_change(after=(OURS,))])
    assert stored(server) == [('"ends in the middle', 300, 0)]


def test_a_server_that_does_not_know_extend_gets_a_replace(server: PowerDns, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version is only a claim, as behind a proxy: 4.7 answers EXTEND with 422, and the write still happens."""
    monkeypatch.setattr(PowerDnsApi, "version", lambda _: "5.0.2")
    store(server, FOREIGN)
    build_writer(server).write(ZONE, [build_change(after=(OURS,), foreign=(FOREIGN,))])
    assert answered(server) == (300, {FOREIGN, OURS})


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_the_write_leaves_the_old_or_the_new_state(server: PowerDns, moment: str) -> None:
    store(server, FOREIGN)
    store(server, OLD)
    context = multiprocessing.get_context("fork")
    process = context.Process(target=write_and_die, args=(server, moment))
    process.start()
    process.join(20)
    assert process.exitcode == -signal.SIGKILL
    now = {content for content, _, _ in stored(server)}
    assert now == ({FOREIGN, OLD} if moment == "before" else {FOREIGN, OURS})
    if moment == "before":
        change = build_change(before=(OLD,), after=(OURS,), foreign=(FOREIGN,))
        build_writer(server).write(ZONE, [change])
    build_writer(server).write(ZONE, [build_change(before=(OURS,), after=(OURS,), foreign=(FOREIGN,))])


def write_and_die(server: PowerDns, moment: str) -> None:
    """Write in a process that is killed around its PATCH."""
    api = PowerDnsApi.patch

    def patch(self: PowerDnsApi, *arguments: object) -> bool:
        if moment == "after":
            api(self, *arguments)  # type: ignore[arg-type]
        os.kill(os.getpid(), signal.SIGKILL)
        return True

    PowerDnsApi.patch = patch  # type: ignore[method-assign,assignment]
    build_writer(server).write(ZONE, [build_change(before=(OLD,), after=(OURS,), foreign=(FOREIGN,))])
