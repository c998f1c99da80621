"""How long looking must take, told before it begins: what can be known before anything is asked. Pure.

The rates of politeness bound the time from below. How far away servers are, and how many of them do not answer, nobody
knows beforehand; nor, where each zone has its own servers, how many zones share one. Probes are bounded from above
instead: each has its time, and so many are made at once.
"""

from __future__ import annotations

import ipaddress
import math
from typing import TYPE_CHECKING, NamedTuple

from reconciler.observe.asking import shown_address
from reconciler.observe.build import OfflineSettings, ZonefileSettings
from reconciler.observe.politeness import rate_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.names import Name
    from reconciler.observe import Question
    from reconciler.observe.asking import Address, DnsSettings
    from reconciler.observe.build import ObserveSettings
    from reconciler.observe.surroundings import ProbeSettings, SurroundingsWanted

WORTH_TELLING = 10.0  # seconds

_ELSEWHERE: Address = ("", 53)  # an address that nobody knows yet
_AT_A_RESOLVER = 2  # of each zone: its SOA, and its NS rrset
_MINUTE, _HOUR = 60, 3600


def has_estimate(settings: ObserveSettings) -> bool:
    """Whether anything can be told of how long many questions take: somebody is asked at a rate."""
    if isinstance(settings, OfflineSettings | ZonefileSettings):
        return False
    return not settings.servers or _slowest(settings) > 0


def estimate_observing(questions: Iterable[Question], settings: ObserveSettings) -> str | None:
    """One line on how long the questions take at least; None where that is short, or not known."""
    if isinstance(settings, OfflineSettings | ZonefileSettings):
        return None
    if settings.servers:
        return _at_own_servers(questions, settings)
    return _at_servers_to_be_found(questions, settings)


def estimate_probing(
    wanted: Sequence[SurroundingsWanted], observe_settings: ObserveSettings, settings: ProbeSettings
) -> str | None:
    """One line on how long probes may take; None where that is short.

    Each mail server and each policy host has its time once, however many domains share it, and those that share an
    address begin apart.
    """
    if isinstance(observe_settings, OfflineSettings | ZonefileSettings):
        return None
    servers = {host for one in wanted for host in (*one.next_hops, *one.wanted_hosts)}
    policies = {one.domain for one in wanted}
    hosts = len(servers) + len(policies)
    # the host that surely listens is tried last
    dead = (math.ceil(hosts / settings.at_once) + 1) * settings.timeout if hosts > settings.at_once else 0.0
    crowded = max(len(servers), len(policies)) * settings.spacing
    bounds = (
        (dead, "up to {} where nobody answers", f"{settings.at_once} at once, {settings.timeout:g} s each"),
        (crowded, "{} or more where all share an address", f"begun {settings.spacing:g} s apart"),
    )
    told = [f"{text.format(duration(time))} ({why})" for time, text, why in bounds if time > WORTH_TELLING]
    return f"probing takes {', '.join(told)}: {hosts:,} hosts at most" if told else None


def duration(seconds: float) -> str:
    """A time in words that are as exact as an estimate: `40 s`, `12 min`, `3.5 h`."""
    seconds = round(seconds, 3)
    if seconds < 2 * _MINUTE:
        return f"{math.ceil(seconds)} s"
    if seconds < 2 * _HOUR:
        return f"{math.ceil(seconds / _MINUTE)} min"
    return f"{seconds / _HOUR:.1f} h"


class _Load(NamedTuple):
    """How often an authoritative server of all is asked, for how many zones it is, and how many of them show.

    Those show that are a mail domain whose MX is asked: its answer tells the zone, too (fixed_zones.py).
    """

    queries: int
    zones: int
    shown: int


def _load_of(questions: Iterable[Question]) -> _Load:
    """What the questions come to where all is there that is asked for.

    A zone is looked for once: there is one for each mail domain, unless the manifests name zones that they share.
    Below its apex every answer is confirmed by another one, at a name that only a wildcard could explain (survey.py).
    """
    queries = 0
    zones: set[Name] = set()
    shown: set[Name] = set()
    for question in questions:
        apex = question.zone or question.domain
        zones.add(apex)
        queries += 1 if question.key.name == apex else 2
        if question.key == (question.domain, "MX") and question.domain == apex:
            shown.add(apex)
    return _Load(queries, len(zones), len(shown))


def _at_own_servers(questions: Iterable[Question], settings: DnsSettings) -> str | None:
    """Every server is asked everything, and for the SOA of each zone that does not show."""
    servers, slowest = dict.fromkeys(settings.servers), _slowest(settings)
    if not slowest:
        return None
    load = _load_of(questions)
    asked = load.queries + load.zones - load.shown
    seconds = asked / slowest
    if seconds <= WORTH_TELLING:
        return None
    shown = shown_address(next(iter(servers))) if len(servers) == 1 else f"each of {len(servers)} servers"
    return (
        f"observing takes {duration(seconds)} or more: {shown} is asked {asked:,} times, "
        f"at most {slowest:,.4g} times a second. {_ADVICE}"
    )


def _at_servers_to_be_found(questions: Iterable[Question], settings: DnsSettings) -> str | None:
    """A resolver is asked for each zone; the zone's own servers are asked the rest, and not known yet."""
    resolver = settings.resolvers[0] if settings.resolvers else _ELSEWHERE
    at_resolver, elsewhere = rate_of(resolver, settings), rate_of(_ELSEWHERE, settings)
    load = _load_of(questions)
    lookups = _AT_A_RESOLVER * load.zones
    finding = lookups / at_resolver
    most = max(finding, load.queries / elsewhere)
    if most <= WORTH_TELLING:
        return None
    shown = shown_address(resolver) if settings.resolvers else "the system's resolver"
    return (
        f"observing takes {duration(finding)} or more: {shown} is asked {lookups:,} times to find the zones, at most "
        f"{at_resolver:,.4g} times a second; where all zones have the same name servers it takes {duration(most)} or "
        f"more: each is asked {load.queries:,} times, at most {elsewhere:,.4g} times a second. {_ADVICE}"
    )


_ADVICE = (
    "Raise observe.dns.rate where the servers are yours or allow more; shards do not help against the limit of one "
    "server, which they share"
)


def _slowest(settings: DnsSettings) -> float:
    """The lowest rate at a server of the settings, 0 where none has one."""
    return min(filter(None, (_rate(server, settings) for server in settings.servers)), default=0.0)


def _rate(server: Address, settings: DnsSettings) -> float:
    """The rate at a server of the settings; one that is named by its host is asked as politely as others."""
    try:
        ipaddress.ip_address(server[0])
    except ValueError:
        return rate_of(_ELSEWHERE, settings)
    return rate_of(server, settings)
