"""What the tests of dynamic updates share: one zone, changes to it, and a writer for any server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.query
import dns.update
import pytest
from octodns_bind import Rfc2136Provider

from reconciler.apply.rfc2136 import Rfc2136Writer
from reconciler.diff import Change
from reconciler.names import Name
from reconciler.state import Key, Rdata, mx_rdata, txt_rdata
from servers.bind import run_bind
from servers.knot import run_knot
from servers.nasty import BIND_WITHOUT, KNOT_WITHOUT, POWERDNS_WITHOUT
from servers.powerdns import run_powerdns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from servers.processes import NameServer, TsigKey

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
