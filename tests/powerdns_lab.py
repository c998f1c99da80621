"""A PowerDNS with a small and a nasty zone, and its database, for the tests of its writer."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from apply_builders import TOKEN_NAME, ZONE
from octodns_powerdns import PowerDnsProvider
from servers.nasty import POWERDNS_WITHOUT, nasty_zone
from servers.powerdns import PowerDns, run_powerdns

from reconciler.apply.powerdns import PowerDnsWriter
from reconciler.state import Key, Rdata, rdata_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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


@contextmanager
def run_lab(directory: Path) -> Iterator[PowerDns]:
    """PowerDNS with the small and the nasty zone."""
    zones = {"acme.example.": SMALL_ZONE, "nasty.example.": nasty_zone("nasty.example.", without=POWERDNS_WITHOUT)}
    with run_powerdns(zones, directory=directory) as running:
        yield running


def reset(server: PowerDns) -> None:
    """Leave the small zone without tokens, with one MX, and without comments."""
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
