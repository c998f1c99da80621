"""DNS, caches and the gateway as the model of mail knows them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.gates.observed import history_with_this_look
from reconciler.history import cached_mx
from reconciler.mailflow import Cached, Gateway, World
from reconciler.names import Name
from reconciler.state import Present, Unknown, txt_rdata
from reconciler.surroundings import HostSight

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.catalog import Catalog
    from reconciler.gates import Facts
    from reconciler.mailflow import Mx, OriginList
    from reconciler.state import Rdata


def waived_gates(facts: Facts) -> frozenset[str]:
    """The gates that a person excuses today."""
    return frozenset(w.gate for w in facts.domain.waivers if facts.today <= w.expires)


def gateway_addresses(catalog: Catalog) -> tuple[str, ...]:
    """Every address that the gateway may relay from, in any region."""
    return tuple(dict.fromkeys(a for r in catalog.regions for a in catalog.addresses(r, multi_region=True)))


def mx_of(rdatas: Iterable[Rdata]) -> Mx:
    """An MX rrset as the model knows it."""
    pairs = (rdata.split(" ", 1) for rdata in rdatas)
    return tuple(sorted((int(preference), host) for preference, host in pairs))


def shown_mx(facts: Facts) -> list[tuple[Mx, int]]:
    """The MX and its TTL as each server that answers shows it, without repetition; the negative TTL where none is."""
    desired = facts.desired.mx
    answers = facts.observations[desired.key].answers if desired is not None else ()
    absent_ttl = int(facts.waits.absent_ttl.total_seconds())
    shown: dict[Mx, int] = {}
    for answer in answers:
        if isinstance(answer.observed, Unknown):
            continue
        there = answer.observed.rrset if isinstance(answer.observed, Present) else None
        mx, ttl = (mx_of(there.rdatas), there.ttl) if there is not None else ((), absent_ttl)
        shown[mx] = max(ttl, shown.get(mx, 0))
    return list(shown.items())


def build_world(facts: Facts, seen: list[tuple[Mx, int]], lists: tuple[OriginList, ...]) -> World:
    """The world as it was observed; `seen` as from `shown_mx`."""
    mx, ttl = seen[0] if seen else (None, 0)
    return World(mx, ttl, _tokens(facts), lists)


def build_cached(facts: Facts) -> tuple[Cached, ...]:
    """Every MX that senders may hold and that is not shown any more."""
    seen = cached_mx(history_with_this_look(facts), facts.now, facts.waits)
    return tuple(Cached(mx_of(c.rdatas) if c.rdatas is not None else None, c.until) for c in seen)


def build_gateways(facts: Facts, rrsets: Iterable[Mx], waived: frozenset[str]) -> dict[str, Gateway]:
    """Every host of the gateway that the catalog knows, or that one of the MX rrsets names.

    The domain's own host relays from its region's addresses and needs the values of the manifest. Another one may need
    any value of ours that is there.
    """
    domain, catalog = facts.domain, facts.catalog
    own = domain.mx_host.host if domain.mx_host else catalog.mx_host(domain.region, multi_region=domain.multi_region)
    hosts = [h for r in catalog.regions.values() for h in (r.mx_host, r.mx_host_multi_region)]
    hosts += [Name(host) for mx in rrsets for _, host in mx if catalog.is_gateway_host(Name(host))]
    desired = facts.desired.verification
    ours = frozenset(t for t in _tokens(facts) if desired is not None and desired.ownership.owns(t))
    values = (domain.verification.primary, domain.verification.secondary if domain.multi_region else None)
    needed = frozenset(txt_rdata(v) for v in values if v is not None)
    if "token-visible" in waived:
        needed = ours = frozenset()
    gateways = {str(host): Gateway(_relays(catalog, host), frozenset[str](ours)) for host in dict.fromkeys(hosts)}
    relays = catalog.addresses(domain.region, multi_region=domain.multi_region)
    gateways[own] = Gateway(relays, frozenset[str](needed))
    return gateways


def looping_hops(facts: Facts, hops: Iterable[Name]) -> frozenset[str]:
    """The next hops that are the gateway itself, by name or by address (RFC 5321 section 6.3)."""
    catalog, relays = facts.catalog, set(gateway_addresses(facts.catalog))
    own = facts.domain.mx_host.host if facts.domain.mx_host else None
    found = set[str]()
    for hop in hops:
        sight = facts.surroundings.host(hop)
        addresses = sight.addresses if isinstance(sight, HostSight) else ()
        if hop == own or catalog.is_gateway_host(hop) or relays.intersection(addresses):
            found.add(hop)
    return frozenset(found)


def _relays(catalog: Catalog, host: Name) -> tuple[str, ...]:
    """The addresses of every state of an organization with this host; all, of a host that the catalog does not know."""
    states = catalog.states_with_mx_host(host)
    addresses = (a for region, flag in states for a in catalog.addresses(region, multi_region=flag))
    return tuple(dict.fromkeys(addresses)) or gateway_addresses(catalog)


def _tokens(facts: Facts) -> frozenset[Rdata]:
    """The verification values that every server shows: one that lags may be the one that the vendor asks."""
    desired = facts.desired.verification
    answers = facts.observations[desired.key].answers if desired is not None else ()
    shown = [a.observed for a in answers if not isinstance(a.observed, Unknown)]
    values = [set(o.rrset.rdatas) if isinstance(o, Present) else set() for o in shown]
    return frozenset(values[0].intersection(*values[1:])) if values else frozenset()
