"""PowerDNS's HTTP API on a real server, read back over DNS and out of its database."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
from contextlib import closing, contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, cast

import pytest
import requests
from apply_builders import FOREIGN, OLD, OURS, TOKEN_NAME, ZONE, build_change, rows
from octodns_powerdns import PowerDnsProvider
from servers.nasty import NASTY_TXT, POWERDNS_WITHOUT, nasty_zone
from servers.powerdns import PowerDns, run_powerdns
from servers.processes import free_port

from reconciler.apply import ApplyError, CannotCarryError, NoSuchZoneError, StaleError, VerifyError
from reconciler.apply.comparison import CnameConflictError, DelegatedError
from reconciler.apply.powerdns import PowerDnsWriter
from reconciler.apply.powerdns_api import PowerDnsApi
from reconciler.names import canonical_name
from reconciler.state import Key, Rdata, rdata_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.diff import Change

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::DeprecationWarning:octodns_powerdns")]

MX_KEY = Key(ZONE, "MX")
SMALL_ZONE = """\
$ORIGIN acme.example.
$TTL 3600
@ IN SOA ns hostmaster 2026010101 3600 600 86400 300
@ IN NS ns
ns IN A 127.0.0.1
@ 600 IN MX 10 Mail
mail IN A 192.0.2.25
alias IN CNAME mail
sub IN NS ns.elsewhere.example.
dname IN DNAME elsewhere.example.
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PowerDns]:
    zones = {"acme.example.": SMALL_ZONE, "nasty.example.": nasty_zone("nasty.example.", without=POWERDNS_WITHOUT)}
    with run_powerdns(zones, directory=tmp_path_factory.mktemp("powerdns")) as running:
        yield running


@pytest.fixture(autouse=True)
def clean(server: PowerDns) -> None:
    """Every test begins with a zone without tokens, with one MX, and without comments."""
    sql(server, "DELETE FROM records WHERE domain_id = ? AND type IN ('TXT', 'MX')", zone_id(server))
    sql(server, "DELETE FROM comments WHERE domain_id = ?", zone_id(server))
    sql(server, "UPDATE domains SET type = 'NATIVE' WHERE id = ?", zone_id(server))
    store(server, "Mail.acme.example", ttl=600, rdtype="MX")


def zone_id(server: PowerDns) -> str | int:
    return sql(server, "SELECT id FROM domains WHERE name = 'acme.example'")[0][0]


def sql(server: PowerDns, statement: str, *values: object) -> list[tuple[str | int, ...]]:
    """Run one statement on the database, past the server, as another tool would."""
    with closing(sqlite3.connect(server.database, timeout=5)) as connection, connection:
        return connection.execute(statement, values).fetchall()


def build_writer(server: PowerDns, **overrides: object) -> PowerDnsWriter:
    block = {"host": server.address, "port": server.api_port, "api_key": server.api_key, "timeout": 5, **overrides}
    return PowerDnsWriter(PowerDnsProvider("pdns", **block), provider_id="pdns")


def store(server: PowerDns, content: str, *, ttl: int = 300, disabled: bool = False, rdtype: str = "TXT") -> None:
    """Store a record; an MX has its preference, 10, in a column of its own."""
    insert = "INSERT INTO records (domain_id, name, type, content, ttl, prio, disabled, auth) VALUES (?,?,?,?,?,?,?,1)"
    preference = 10 if rdtype == "MX" else None
    sql(server, insert, zone_id(server), owner(rdtype), rdtype, content, ttl, preference, disabled)


def owner(rdtype: str) -> str:
    return (TOKEN_NAME if rdtype == "TXT" else ZONE).rstrip(".")


def comment(server: PowerDns) -> None:
    insert = "INSERT INTO comments (domain_id, name, type, modified_at, account, comment) VALUES (?,?,?,?,?,?)"
    sql(server, insert, zone_id(server), owner("TXT"), "TXT", 1700000000, "ops", "ask Jane before you touch this")


def comments(server: PowerDns) -> list[tuple[str | int, ...]]:
    return sql(server, "SELECT name, type, modified_at, account, comment FROM comments")


def stored(server: PowerDns, rdtype: str = "TXT") -> list[tuple[str | int, ...]]:
    """What the database holds at our key: content, TTL, disabled."""
    query = "SELECT content, ttl, disabled FROM records WHERE name = ? AND type = ? ORDER BY content"
    return sql(server, query, owner(rdtype), rdtype)


def answered(server: PowerDns) -> tuple[int, set[Rdata]] | None:
    answer = server.query(TOKEN_NAME, "TXT").answer
    return (answer[0].ttl, {rdata_text(r) for r in answer[0]}) if answer else None


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


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("alias.acme.example", CnameConflictError),
        ("sub.acme.example", DelegatedError),
        ("_amazonses.deep.sub.acme.example", DelegatedError),
        ("_amazonses.dname.acme.example", DelegatedError),
    ],
)
def test_names_that_cannot_answer_are_refused(server: PowerDns, name: str, error: type[ApplyError]) -> None:
    before = rows(server.axfr(ZONE))
    with pytest.raises(error, match="nothing was written"):
        build_writer(server).write(ZONE, [build_change(key=Key(canonical_name(name), "TXT"), after=(OURS,))])
    assert rows(server.axfr(ZONE)) == before


def test_a_secondary_zone_is_refused_though_the_server_would_take_the_write(server: PowerDns) -> None:
    sql(server, "UPDATE domains SET type = 'SLAVE' WHERE name = 'acme.example'")
    with pytest.raises(ApplyError, match="kind Slave"):
        build_writer(server).write(ZONE, [build_change(after=(OURS,))])
    assert stored(server) == []


def test_an_unknown_zone_is_never_created(server: PowerDns) -> None:
    unknown = canonical_name("unknown.example")
    change = build_change(key=Key(unknown, "MX"), zone=unknown, after=("0 eu.mx-pp.com.",))
    with pytest.raises(NoSuchZoneError, match="never created"):
        build_writer(server).write(unknown, [change])
    assert "unknown" not in server.pdnsutil("list-all-zones")


def test_a_wrong_key_is_said_and_not_shown(server: PowerDns) -> None:
    with pytest.raises(ApplyError, match="does not accept the API key") as caught:
        build_writer(server, api_key="wrong-and-secret").write(ZONE, [build_change(after=(OURS,))])
    assert "wrong-and-secret" not in str(caught.value)


def test_a_server_that_is_down_is_said(server: PowerDns) -> None:
    with pytest.raises(ApplyError, match="cannot be reached"):
        build_writer(server, port=free_port(server.address)).write(ZONE, [build_change(after=(OURS,))])


def test_a_server_that_does_not_answer_is_said(server: PowerDns) -> None:
    """A name server's port takes the connection and waits for DNS."""
    with pytest.raises(ApplyError, match="does not answer in time"):
        build_writer(server, port=server.port, timeout=0.5).write(ZONE, [build_change(after=(OURS,))])


class CutOff(PowerDnsProvider):  # type: ignore[misc]  # octodns publishes no types
    """The stock provider on a line that breaks at the PATCH, before or after that has reached the server."""

    is_delivered = True
    stays_broken = False
    is_broken = False

    def _request(self, method: str, path: str, data: object = None) -> requests.Response:
        if self.is_broken:
            raise requests.ConnectionError
        if method != "PATCH":
            return cast("requests.Response", super()._request(method, path, data))
        if self.is_delivered:
            super()._request(method, path, data)
        self.is_broken = self.stays_broken
        raise requests.ReadTimeout


@pytest.mark.parametrize(
    ("is_delivered", "stays_broken", "said"),
    [
        (True, False, None),
        (False, False, "read back: nothing was written; run again"),
        (True, True, "could not be read back"),
    ],
)
def test_a_write_without_an_answer_is_looked_up(
    server: PowerDns, *, is_delivered: bool, stays_broken: bool, said: str | None
) -> None:
    provider = CutOff("pdns", server.address, server.api_key, server.api_port)
    provider.is_delivered, provider.stays_broken = is_delivered, stays_broken
    writer = PowerDnsWriter(provider, provider_id="pdns")
    with pytest.raises(ApplyError, match=said) if said else nullcontext():
        writer.write(ZONE, [build_change(after=(OURS,))])
    assert answered(server) == ((300, {OURS}) if is_delivered else None)


@contextmanager
def another_server(status: int, body: bytes) -> Iterator[int]:
    """Something that is not PowerDNS, or stands before it; its port."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as http:
        thread = Thread(target=http.serve_forever, daemon=True)
        thread.start()
        yield http.server_address[1]
        http.shutdown()
        thread.join(5)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b"<html>welcome</html>", "does not answer as PowerDNS"),
        (200, b"[]", "does not answer as PowerDNS"),
        (200, b'{"rrsets": [{}]}', "does not answer as PowerDNS"),
        (502, b"bad gateway\x1b[31m", r"HTTP status 502: bad gateway\\x1b"),
        (500, b'{"error": "database is gone"}', "HTTP status 500: database is gone"),
    ],
)
def test_what_is_not_a_working_powerdns_is_said(server: PowerDns, status: int, body: bytes, said: str) -> None:
    with another_server(status, body) as port, pytest.raises(ApplyError, match=said):
        build_writer(server, port=port).write(ZONE, [build_change(after=(OURS,))])


def test_a_refusal_of_the_server_is_said_in_its_words(server: PowerDns) -> None:
    """Nobody plans an rrset twice; the server's own check stands for all that it may refuse."""
    with pytest.raises(ApplyError, match=r"refuses zone acme\.example\.: Duplicate RRset .* nothing was written"):
        build_writer(server).write(ZONE, [build_change(after=(OURS,)), build_change(after=(OLD,))])
    assert stored(server) == []


class WithoutNotify(PowerDnsProvider):  # type: ignore[misc]  # octodns publishes no types
    """The stock provider on a line that breaks at the NOTIFY."""

    def _request(self, method: str, path: str, data: object = None) -> requests.Response:
        if method == "PUT":
            assert path == "zones/acme.example./notify"
            raise requests.ConnectionError
        return cast("requests.Response", super()._request(method, path, data))


def test_a_notify_is_asked_for_where_the_block_says_so(server: PowerDns) -> None:
    build_writer(server, notify=True).write(ZONE, [build_change(after=(OURS,))])
    provider = WithoutNotify("pdns", server.address, server.api_key, server.api_port, notify=True)
    writer = PowerDnsWriter(provider, provider_id="pdns")
    writer.write(ZONE, [build_change(before=(OURS,), after=(OURS,))])
    with pytest.raises(ApplyError, match="is written at provider pdns, but its secondaries were not told"):
        writer.write(ZONE, [build_change(before=(OURS,), after=(OLD,))])
    assert answered(server) == (300, {OLD})


def test_a_server_that_does_not_know_extend_gets_a_replace(server: PowerDns, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version is only a claim, as behind a proxy: 4.7 answers EXTEND with 422, and the write still happens."""
    monkeypatch.setattr(PowerDnsApi, "version", lambda _: "5.0.2")
    store(server, FOREIGN)
    build_writer(server).write(ZONE, [build_change(after=(OURS,), foreign=(FOREIGN,))])
    assert answered(server) == (300, {FOREIGN, OURS})


def race_after_patch(monkeypatch: pytest.MonkeyPatch, race: Callable[[], object]) -> None:
    patch = PowerDnsApi.patch

    def patch_and_race(self: PowerDnsApi, *arguments: object) -> bool:
        done = patch(self, *arguments)  # type: ignore[arg-type]
        race()
        return done

    monkeypatch.setattr(PowerDnsApi, "patch", patch_and_race)


def test_what_changed_after_the_write_fails_the_verification(server: PowerDns, monkeypatch: pytest.MonkeyPatch) -> None:
    race_after_patch(monkeypatch, lambda: store(server, FOREIGN))
    with pytest.raises(VerifyError, match="somebody else"):
        build_writer(server).write(ZONE, [build_change(after=(OURS,))])


def test_a_comment_that_is_lost_fails_the_verification(server: PowerDns, monkeypatch: pytest.MonkeyPatch) -> None:
    store(server, FOREIGN)
    comment(server)
    race_after_patch(monkeypatch, lambda: sql(server, "DELETE FROM comments"))
    with pytest.raises(VerifyError, match="not as before"):
        build_writer(server).write(ZONE, [build_change(after=(OURS,), foreign=(FOREIGN,))])


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


def test_the_error_classes_are_told_apart() -> None:
    assert {CnameConflictError.code, DelegatedError.code, CannotCarryError.code} == {
        "cname",
        "delegated",
        "cannot-carry",
    }
