"""What the program sees of the simulated world: answers of name servers, exports of lists, and what is around."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler import state
from reconciler.desired import build_desired
from reconciler.gates import Facts
from reconciler.history import TOKENS_VISIBLE, pruned, with_mx_seen
from reconciler.names import Name
from reconciler.origin import AllowlistFact, OriginFacts
from reconciler.state import Absent, Cause, Key, Observation, Present, Rdata, ServerAnswer, Unknown, build_rrset
from reconciler.surroundings import DnssecSight, HostSight, SmtpSight, Surroundings, TlsSight
from reconciler.targets.base import Advice, AllowlistContent, Enforcement, read_entries
from simulator.clock import wall_clock
from simulator.origin import Refusal
from simulator.world import APEX, HOPS

if TYPE_CHECKING:
    from datetime import datetime

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
    advice = (_OPEN,) if each.restricts and each.refusal is Refusal.NONE else ()
    return AllowlistContent(read_entries(each.entries), advice=advice, refusal=ENFORCEMENTS[each.refusal])


@dataclass(frozen=True, slots=True)
class Remembered:
    """One domain's history as it was kept, and the next hops that were declared then; None at the first look."""

    history: History
    next_hops: tuple[Name, ...] | None


def see_domain(
    world: World, manifest: Manifest, name: str, remembered: Remembered, origin: OriginFacts, waits: Waits,
    blindness: Blindness,
) -> Facts:
    """Everything that the program learns of one mail domain; the look itself is in its history already."""
    declared = manifest.domain(name)
    now = wall_clock(world.clock.now)
    mx_key = Key(Name(name), "MX")
    mx = _observe(world, mx_key, blindness)
    history = pruned(_with_look(remembered.history, mx, now), now, waits)
    if remembered.next_hops is not None and remembered.next_hops != declared.next_hops:
        history = replace(history, next_hops=remembered.next_hops, next_hops_since=now)
    desired = build_desired(declared, world.catalog, history)
    assert desired.verification is not None, "every simulated domain is filtered by its MX"
    txt = _observe(world, desired.verification.key, blindness)
    history = _with_tokens_seen(history, desired.verification, txt, now)
    observations = {mx_key: mx, txt.key: txt}
    around = _surroundings(world)
    return Facts(desired, observations, world.catalog, now, origin.allowlists, around, history, waits)


def _observe(world: World, key: Key, blindness: Blindness) -> Observation:
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


def _with_look(history: History, mx: Observation, now: datetime) -> History:
    answers = [a.observed for a in mx.answers]
    shown: set[tuple[tuple[Rdata, ...], int | None]] = set()
    for answer in answers:
        if isinstance(answer, Present):
            shown.add((answer.rrset.rdatas, answer.rrset.ttl))
        elif isinstance(answer, Absent):
            shown.add(((), None))
    is_complete = not any(isinstance(a, Unknown) for a in answers)
    return with_mx_seen(history, frozenset(shown), now, is_complete=is_complete)


def _with_tokens_seen(history: History, wanted: DesiredRRset, txt: Observation, now: datetime) -> History:
    answers = [a.observed for a in txt.answers]
    if any(isinstance(a, Unknown) for a in answers):
        return history
    first_seen = dict(history.first_seen)
    if all(set(wanted.wanted) <= set(a.rrset.rdatas if isinstance(a, Present) else ()) for a in answers):
        first_seen.setdefault(TOKENS_VISIBLE, now)
    else:
        first_seen.pop(TOKENS_VISIBLE, None)
    return replace(history, first_seen=first_seen)


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
