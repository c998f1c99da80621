"""Strategies of whole fleets: services that share lists, their mail domains, and what was observed and remembered."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from builders import EU, EU_MULTI, NOW, OLD_MX, SOURCE, catalog, domain, observation
from hypothesis import strategies as st

from reconciler.desired import build_desired
from reconciler.gates import Facts
from reconciler.history import History, MxSighting, Waits
from reconciler.manifest.fleet import Fleet, Lifecycle, Organization, Service, ServiceAllowlist
from reconciler.names import canonical_name
from reconciler.neighbours import service_key
from reconciler.origin import AllowlistFact, OriginFacts
from reconciler.state import Cause, Observed, Present, Rdata, Unknown, build_rrset
from reconciler.targets.base import AllowlistContent, DeclaredAllowlist, Intent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.manifest.fleet import Domain
    from reconciler.neighbours import ServiceKey

HOSTS = [canonical_name(f"mx{i}.hosting.example") for i in range(3)]
EXPORTS = [None, "exports/one", "exports/./one", "exports/two"]
MOMENTS = st.integers(0, 30).map(lambda days: NOW - timedelta(days=days))
WAITS = st.sampled_from([Waits(), Waits(restrict=timedelta(days=5), settle=timedelta(hours=9))])


class World(NamedTuple):
    """A fleet, the facts of its mail domains, and the origins of its services."""

    fleet: Fleet
    facts: tuple[Facts, ...]
    origins: Mapping[ServiceKey, OriginFacts]


@st.composite
def allowlists(draw: st.DrawFn) -> ServiceAllowlist:
    intent = draw(st.sampled_from(Intent))
    return ServiceAllowlist(
        DeclaredAllowlist("nftables", "gw", intent, exclusive=False), draw(st.sampled_from(EXPORTS)), SOURCE
    )


@st.composite
def histories(draw: st.DrawFn) -> History:
    looks = draw(st.lists(st.tuples(MOMENTS, st.sampled_from([EU, OLD_MX]), st.booleans()), max_size=2))
    return History(
        mx=tuple(MxSighting((Rdata(v),), 3600, at, NOW, NOW if gone else None) for at, v, gone in sorted(looks))
    )


@st.composite
def facts_of(draw: st.DrawFn, declared: Domain) -> Facts:
    desired = build_desired(declared, catalog())
    observations = {}
    for rrset in desired.rrsets:
        others = [(Rdata(EU_MULTI),), (Rdata(OLD_MX),), None]
        values = draw(st.sampled_from([*[rrset.wanted] * 4, *others]))
        seen: Observed = Unknown(Cause.TIMEOUT, "silence")
        if values is not None:
            seen = Present(build_rrset(rrset.key, draw(st.sampled_from([60, 3600])), values))
        observations[rrset.key] = observation(rrset.key, seen)
    return Facts(desired, observations, catalog(), NOW, history=draw(histories()), waits=draw(WAITS))


@st.composite
def organizations(draw: st.DrawFn, number: int) -> Organization:
    own, region = f"o{number}", draw(st.sampled_from(["eu", "us"]))
    lists = tuple(draw(st.lists(allowlists(), max_size=2, unique_by=lambda a: a.export)))
    service = Service(own, "mail", "postfix", "mx", region, draw(st.booleans()), lists, None, (), (), SOURCE)
    domains = tuple(
        domain(
            name=canonical_name(f"d{i}.{own}.example"),
            written=f"d{i}.{own}.example",
            organization=own,
            service="mail",
            region=region,
            multi_region=service.multi_region,
            connection=draw(st.sampled_from(["mx", "mx", "api"])),
            lifecycle=draw(st.sampled_from(Lifecycle)),
            next_hops=tuple(draw(st.lists(st.sampled_from(HOSTS), max_size=2, unique=True))),
        )
        for i in range(draw(st.integers(0, 2)))
    )
    return Organization(own, region, service.multi_region, ("noc@a.example",), (service,), domains, SOURCE)


@st.composite
def fleets(draw: st.DrawFn) -> World:
    fleet = Fleet(tuple(draw(organizations(i)) for i in range(draw(st.integers(1, 5)))), "sha256:m")
    seen = tuple(draw(facts_of(d)) for d in fleet.domains)
    contents = st.sampled_from([AllowlistContent(()), Unknown(Cause.UNREADABLE, "cut off"), None])
    origins = {
        service_key(s): OriginFacts(s, tuple(AllowlistFact(a, draw(contents)) for a in s.allowlists), None)
        for o in fleet.organizations
        for s in o.services
    }
    return World(fleet, seen, origins)
