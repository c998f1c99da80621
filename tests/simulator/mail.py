"""Senders: what becomes of mail at every moment, for every MX rrset that some cache may hold then.

No message is sampled. Whoever asked a server in the last moment before it changed holds the old answer for a whole TTL
(RFC 1035 section 7.4, RFC 2308 section 5 where there was none), so the answers that may be held now are known, and
mail is followed on every way that each of them, and the gateway behind it, may take. The worst one counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from simulator.authority import ABSENT, Key, Records
from simulator.clock import DAY, MINUTE
from simulator.origin import Reception

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.authority import Zone
    from simulator.clock import Clock
    from simulator.gateway import Gateway, Relay
    from simulator.origin import Origin

FOREVER = 1 << 62
GIVE_UP = 4 * DAY
"""After so long a sender may give up (RFC 5321 section 4.5.4.1: at least 4-5 days)."""
FILTERING = 30 * MINUTE
"""For so long the gateway may keep a mail that it took before it delivers it."""
STRANGER = "198.51.100.66"
"""A client that is on nobody's list: a sender that delivers directly, or an attacker."""


class Fate(IntEnum):
    """What becomes of a mail, from good to bad."""

    DELIVERED = 0
    DEFERRED = 1
    LOST = 2
    BOUNCED = 3
    LOOPED = 4


_FATES = {
    Reception.ACCEPTED: Fate.DELIVERED,
    Reception.DEFERRED: Fate.DEFERRED,
    Reception.SORTED_OUT: Fate.LOST,
    Reception.REFUSED: Fate.BOUNCED,
}


class Violation(NamedTuple):
    """Something that must never be: when (seconds), to whom, and what."""

    when: int
    domain: str
    what: str


class Held(NamedTuple):
    """An MX rrset that a cache may hold until `until`; `is_original`: it was so before anybody did anything."""

    records: Records
    until: int
    is_original: bool


@dataclass
class _Deferral:
    since: int
    until: int


@dataclass
class Senders:
    """Everybody who writes to the mail domains. `elsewhere` are hosts of others that take the domains' mail."""

    clock: Clock
    zone: Zone
    gateway: Gateway
    origin: Origin
    domains: tuple[str, ...]
    elsewhere: tuple[str, ...]
    negative_ttl: int
    violations: list[Violation] = field(default_factory=list)
    checks: int = 0
    _shown: dict[tuple[str, int], Held] = field(default_factory=dict)
    _cached: dict[str, list[Held]] = field(default_factory=dict)
    _deferrals: dict[str, _Deferral] = field(default_factory=dict)
    _underway: dict[tuple[str, Relay], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """From the beginning on, caches hold what the servers show."""
        for server, content in enumerate(self.zone.contents):
            for domain in self.domains:
                self._shown[domain, server] = Held(content.get((domain, "MX"), ABSENT), FOREVER, is_original=True)
        self.zone.observers.append(self._on_content)
        self.clock.watchers.append(self.watch)

    def _on_content(self, server: int, content: Mapping[Key, Records]) -> None:
        for domain in self.domains:
            before, after = self._shown[domain, server], content.get((domain, "MX"), ABSENT)
            if after != before.records:
                until = self.clock.now + (before.records.ttl if before.records.rdatas else self.negative_ttl)
                self._cached.setdefault(domain, []).append(before._replace(until=until))
                self._shown[domain, server] = Held(after, FOREVER, is_original=False)

    def held(self, domain: str) -> list[Held]:
        """Every answer that a cache may hold now."""
        cached = [h for h in self._cached.get(domain, ()) if h.until > self.clock.now]
        self._cached[domain] = cached
        return [*{self._shown[domain, s] for s in range(len(self.zone.contents))}, *cached]

    def watch(self) -> None:
        """Follow mail on every way that it may take now."""
        self.checks += 1
        for domain in self.domains:
            deferred_until = 0
            for held in self.held(domain):
                if not held.records.rdatas and held.is_original:
                    continue  # a domain that never had an MX had no mail to lose
                fate, why = self._follow(domain, held)
                if fate is Fate.DEFERRED:
                    deferred_until = max(deferred_until, held.until)
                elif fate is not Fate.DELIVERED:
                    self.report(domain, f"{fate.name.lower()}: {why}")
            self._note_deferral(domain, deferred_until)
            self._watch_underway(domain)

    def report(self, domain: str, what: str) -> None:
        """Note a violation, once."""
        if not any((v.domain, v.what) == (domain, what) for v in self.violations):
            self.violations.append(Violation(self.clock.now, domain, what))

    def _follow(self, domain: str, held: Held) -> tuple[Fate, str]:
        """One mail by one MX rrset (RFC 5321 section 5.1): preferences in order, on to the next one after a 4xx."""
        if not held.records.rdatas:
            return Fate.BOUNCED, "there is no MX any more"
        by_preference: dict[int, list[str]] = {}
        for rdata in held.records.rdatas:
            rank, host = rdata.split(" ")
            by_preference.setdefault(int(rank), []).append(host)
        worst = Fate.DEFERRED, "every host defers"
        for preference in sorted(by_preference):
            # which of several equal ones is tried first is the sender's choice: the worst one
            worst = max(self._attempt(domain, host, held.until) for host in by_preference[preference])
            if worst[0] is not Fate.DEFERRED:
                return worst
        return worst

    def _attempt(self, domain: str, host: str, until: int) -> tuple[Fate, str]:
        if not self.gateway.is_host(host):
            if host in self.elsewhere:
                return Fate.DELIVERED, host
            if host not in self.origin.hosts:
                return Fate.BOUNCED, f"there is no host {host}"
            fate = _FATES[self.origin.receive(STRANGER, is_gateway=False)]
            return fate, f"{host} does not take it from a stranger"
        ways = self.gateway.relays(domain, host)
        if not ways:
            return Fate.BOUNCED, f"{host} does not take mail for the domain: it is not in the console, or not verified"
        left_by = self.clock.now if until == FOREVER else until
        for way in ways:
            key = (domain, way)
            self._underway[key] = max(self._underway.get(key, 0), left_by + FILTERING)
        return max(self._relay(way) for way in sorted(ways))

    def _relay(self, way: Relay) -> tuple[Fate, str]:
        if self.gateway.is_host(way.next_hop):
            return Fate.LOOPED, f"the next hop {way.next_hop} is the gateway"
        if way.next_hop not in self.origin.hosts:
            return Fate.BOUNCED, f"there is no next hop {way.next_hop}"
        fate = _FATES[self.origin.receive(way.address, is_gateway=True)]
        return fate, f"the origin does not let in {way.address}"

    def _watch_underway(self, domain: str) -> None:
        """What the gateway took some minutes ago is still to be delivered, from the addresses of then."""
        for (whose, way), until in list(self._underway.items()):
            if until <= self.clock.now:
                del self._underway[whose, way]
            elif whose == domain:
                fate, why = self._relay(way)
                if fate > Fate.DEFERRED:
                    self.report(domain, f"{fate.name.lower()} in the gateway's queue: {why}")

    def _note_deferral(self, domain: str, until: int) -> None:
        """The longest that a mail may be deferred is as long as there is any answer by which it is."""
        found = self._deferrals.get(domain)
        if found is not None and min(found.until, self.clock.now) - found.since > GIVE_UP:
            self.report(domain, "bounced: deferred for more than 4 days")
        if not until:
            self._deferrals.pop(domain, None)
        elif found is None or found.until < self.clock.now:
            self._deferrals[domain] = _Deferral(self.clock.now, until)
        else:
            found.until = max(found.until, until)
