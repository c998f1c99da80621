"""What the program sees of the simulated world: answers of name servers, exports of lists, and what is around."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler import state
from reconciler.desired import build_desired
from reconciler.gates import Facts
from reconciler.names import Name
from reconciler.origin import AllowlistFact, OriginFacts
from reconciler.state import Absent, Cause, Key, Observation, Present, Rdata, ServerAnswer, Unknown, build_rrset
from reconciler.surroundings import NOT_PROBED, DnssecSight, HostSight, SmtpSight, Surroundings, TlsSight
from reconciler.targets.base import Advice, AllowlistContent, Enforcement, read_entries
from simulator.clock import wall_clock
from simulator.origin import Refusal
from simulator.world import APEX, HOPS

if TYPE_CHECKING:
    from reconciler.desired import DesiredRRset
    from reconciler.history import History, Waits
    from reconciler.surroundings import Host
    from simulator.declared import Manifest
    from simulator.origin import OriginList
    from simulator.world import World

ENFORCEMENTS = {Refusal.NONE: Enforcement.NONE, Refusal.SOFT: Enforcement.SOFT, Refusal.HARD: Enforcement.HARD}
_OPEN = Advice("restricts-nothing", "it keeps nobody out", "restrict it")
_SERVER = SmtpSight(52428800, TlsSight("TLSv1.3", tuple(h.removesuffix(".") for h in HOPS)))


@dataclass(frozen=True, slots=True)
class Blindness:
    """What cannot be seen in one run: servers that do not answer, and lists whose export cannot be read, by number."""

    servers: frozenset[int] = frozenset()
    lists: frozenset[int] = frozenset()


def see_origin(world: World, manifest: Manifest, blindness: Blindness) -> OriginFacts:
    """Every declared list with what its export says."""
    service = manifest.service()
    facts = []
    for i, (declared, each) in enumerate(zip(service.allowlists, world.origin.lists, strict=True)):
        seen: AllowlistContent | Unknown | None = None
        if each.is_exported:
            is_stale = i in blindness.lists
            seen = Unknown(Cause.STALE_EXPORT, "the export is too old") if is_stale else _export(each)
        facts.append(AllowlistFact(declared, seen))
    return OriginFacts(service, tuple(facts), None)


def _export(each: OriginList) -> AllowlistContent:
    if not each.shows_refusal:
        # its reader takes the rule for granted that the documentation shows
        return AllowlistContent(read_entries(each.entries), refusal=ENFORCEMENTS[each.hardest])
    advice = (_OPEN,) if each.restricts and each.refusal is Refusal.NONE else ()
    return AllowlistContent(read_entries(each.entries), advice=advice, refusal=ENFORCEMENTS[each.refusal])


def see_domain(
    world: World,
    manifest: Manifest,
    name: str,
    *,
    history: History,
    origin: OriginFacts,
    waits: Waits,
    blindness: Blindness,
) -> Facts:
    """Everything that the program learns of one mail domain; what is around is probed only where the MX is to move."""
    desired = build_desired(manifest.domain(name), world.catalog, history)
    assert desired.verification is not None, "every simulated domain is filtered by its MX"
    assert desired.mx is not None, "every simulated domain is filtered by its MX"
    mx, txt = observe(world, desired.mx.key, blindness), observe(world, desired.verification.key, blindness)
    around = NOT_PROBED if _is_settled(desired.mx, mx) else _surroundings(world)
    now = wall_clock(world.clock.now)
    return Facts(desired, {mx.key: mx, txt.key: txt}, world.catalog, now, origin.allowlists, around, history, waits)


def _is_settled(desired: DesiredRRset, mx: Observation) -> bool:
    seen = mx.observed
    return isinstance(seen, Present) and set(seen.rrset.rdatas) == set(desired.wanted)


def observe(world: World, key: Key, blindness: Blindness) -> Observation:
    """What every authoritative server says."""
    answers = []
    for i, server in enumerate(world.zone.server_names):
        found = world.zone.shown(i, key)
        answer: state.Observed = Absent()
        if i in blindness.servers:
            answer = Unknown(Cause.TIMEOUT, "no answer within 2 s")
        elif found.rdatas:
            answer = Present(build_rrset(key, found.ttl, tuple(map(Rdata, found.rdatas))))
        answers.append(ServerAnswer(server, answer))
    return Observation(key, state.Zone(Name(APEX), world.zone.server_names), tuple(answers))


def _surroundings(world: World) -> Surroundings:
    """Nothing around is wrong: every host resolves, and every origin's server talks TLS."""
    regions = world.catalog.regions.values()
    gateway = {h for r in regions for h in (r.mx_host, r.mx_host_multi_region)}
    hosts: dict[Name, Host] = {Name(h): HostSight((f"203.0.113.{i}",)) for i, h in enumerate(sorted(gateway), 1)}
    hosts |= {Name(h): HostSight((f"198.51.100.{i}",)) for i, h in enumerate(HOPS, 1)}
    return Surroundings(
        hosts=hosts,
        smtp=dict.fromkeys(map(Name, HOPS), _SERVER),
        tlsa={h: Absent() for h in hosts},
        mta_sts=Absent(),
        apex_txt=Absent(),
        wildcard_mx=Absent(),
        dnssec=DnssecSight(is_signed=False),
    )
