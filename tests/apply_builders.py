"""Builders for the tests of writers."""

from __future__ import annotations

import dns.name
import dns.rdatatype
import dns.zone

from reconciler.diff import Change
from reconciler.names import Name, canonical_name
from reconciler.state import Key, Rdata, rdata_text

ZONE = canonical_name("acme.example")
TOKEN_NAME = canonical_name("_amazonses.acme.example")
OURS = Rdata('"our-token"')
OLD = Rdata('"our-old-token"')
TOKEN_KEY = Key(TOKEN_NAME, "TXT")
FOREIGN = Rdata('"somebody else"')


def build_change(
    *,
    key: Key = TOKEN_KEY,
    before: tuple[str, ...] = (),
    after: tuple[str, ...] = (),
    foreign: tuple[str, ...] = (),
    ttl_before: int | None = None,
    ttl: int = 300,
    zone: Name = ZONE,
) -> Change:
    """A change; `ttl_before` is `ttl` where something was observed and nothing else is said."""
    if ttl_before is None and (before or foreign):
        ttl_before = ttl
    return Change(key, zone, _sorted(before), _sorted(after), _sorted(foreign), ttl_before, ttl)


def _sorted(values: tuple[str, ...]) -> tuple[Rdata, ...]:
    return tuple(sorted(Rdata(value) for value in values))


Rows = dict[tuple[str, str], tuple[int, frozenset[Rdata]]]


def rows(zone: dns.zone.Zone) -> Rows:
    """Every rrset of a zone except its SOA, in the universal form, by owner name and type: TTL and rdatas."""
    found: Rows = {}
    for name, rdataset in zone.iterate_rdatasets():
        if rdataset.rdtype == dns.rdatatype.SOA:
            continue
        owner = name.derelativize(zone.origin or dns.name.root).to_text().lower()
        key = (owner, dns.rdatatype.to_text(rdataset.rdtype))
        found[key] = (rdataset.ttl, frozenset(rdata_text(rdata) for rdata in rdataset))
    return found
