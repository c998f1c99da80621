"""What PowerDNS's writer refuses, and what it says when the server is wrong, away or slow; on a real server."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, cast

import pytest
import requests
from apply_builders import FOREIGN, OLD, OURS, ZONE, build_change, rows
from octodns_powerdns import PowerDnsProvider
from powerdns_lab import answered, build_writer, comment, reset, run_lab, sql, store, stored
from servers.processes import free_port

from reconciler.apply import ApplyError, NoSuchZoneError, VerifyError
from reconciler.apply.comparison import CnameConflictError, DelegatedError
from reconciler.apply.powerdns import PowerDnsWriter
from reconciler.apply.powerdns_api import PowerDnsApi
from reconciler.names import canonical_name
from reconciler.state import Key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from servers.powerdns import PowerDns


pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::DeprecationWarning:octodns_powerdns")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PowerDns]:
    with run_lab(tmp_path_factory.mktemp("powerdns")) as running:
        yield running


@pytest.fixture(autouse=True)
def clean(server: PowerDns) -> None:
    reset(server)


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
