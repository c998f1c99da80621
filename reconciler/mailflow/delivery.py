"""What becomes of one mail: a sender with an MX rrset, one of its hosts, and one way behind that host."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from reconciler.mailflow.model import Restriction

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from reconciler.mailflow.model import Mx, Scenario, World

RETRIES = timedelta(days=4)
"""For so long senders try again, at the least (RFC 5321 section 4.5.4.1)."""
_NULL_HOST = "."  # RFC 7505


class Way(NamedTuple):
    """A host of an MX rrset and the address that the gateway relays from; no relay: not through the gateway."""

    host: str
    relay: str = ""


class Fate(Enum):
    """What becomes of a mail."""

    DELIVERED = auto()
    DEFERRED = auto()
    LOST = auto()


class Outcome(NamedTuple):
    """A mail's fate, and why in a few words."""

    fate: Fate
    why: str = ""


_DELIVERED = Outcome(Fate.DELIVERED)


def shown(host: str) -> str:
    """A host as people write it."""
    return host.removesuffix(".") or host


class Delivery:
    """Follows mail in the worlds of one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        """Take what does not change with the moves."""
        self._scenario = scenario
        seen = (scenario.world.mx, *(c.mx for c in scenario.cached))
        hosts = {host for mx in seen if mx is not None for host in self.hosts(mx)}
        self._known = {*scenario.next_hops, *scenario.known_hosts, *hosts}

    def hosts(self, mx: Mx) -> tuple[str, ...]:
        """The hosts that a sender tries; without an MX the domain itself (RFC 5321 section 5.1)."""
        return tuple(host for _, host in mx) or (self._scenario.domain,)

    def ways(self, hosts: Iterable[str]) -> list[Way]:
        """Every way that mail to these hosts may take."""
        gateways = self._scenario.gateways
        return [way for h in hosts for way in ([Way(h, a) for a in gateways[h].relays] if h in gateways else [Way(h)])]

    def outcome(self, mx: Mx, until: datetime | None, way: Way, world: World, moment: datetime) -> Outcome:
        """What becomes of mail that goes this way at `moment`.

        The sender holds `mx` until `until`, None while it is published.
        """
        first = self._at(way, world)
        if first.fate is not Fate.DEFERRED or self._delivers(mx, world):
            return first if first.fate is Fate.LOST else _DELIVERED
        if until is None or world.mx is None or not self._delivers(world.mx, world):
            return Outcome(Fate.LOST, f"{first.why}, and no retry ever gets through")
        if until - moment > RETRIES:
            return Outcome(Fate.LOST, f"{first.why} for longer than senders retry ({RETRIES.days} days)")
        return _DELIVERED

    def _delivers(self, mx: Mx, world: World) -> bool:
        """Whether a sender that tries all of the hosts again and again gets through at one of them."""
        by_host = (self.ways((host,)) for host in self.hosts(mx))
        return any(all(self._at(way, world).fate is Fate.DELIVERED for way in ways) for ways in by_host)

    def _at(self, way: Way, world: World) -> Outcome:
        return self._through_gateway(way, world) if way.host in self._scenario.gateways else self._direct(way, world)

    def _through_gateway(self, way: Way, world: World) -> Outcome:
        missing = self._scenario.gateways[way.host].needs - world.tokens
        if missing:
            value = min(missing)
            why = f"the gateway at {shown(way.host)} drops it, because the verification value {value} is not in DNS"
            return Outcome(Fate.LOST, why)
        if self._scenario.looping:
            hop = min(self._scenario.looping)
            return Outcome(Fate.LOST, f"it loops, because the next hop {shown(hop)} is the gateway itself")
        for one in world.lists:
            if way.relay not in one.allowed:
                why = f"{shown(way.host)} may relay it from {way.relay}, which {one.name} does not allow"
                return Outcome(Fate.LOST, why)
        return _DELIVERED

    def _direct(self, way: Way, world: World) -> Outcome:
        if way.host == _NULL_HOST:
            return Outcome(Fate.LOST, "it bounces, because the MX says that the domain takes no mail")
        if way.host not in self._known:
            return Outcome(Fate.LOST, f"it goes to {shown(way.host)}, which is not known to take the domain's mail")
        strictest = max(world.lists, key=lambda one: one.restriction, default=None)
        if strictest is None or strictest.restriction is Restriction.NONE:
            return _DELIVERED
        if strictest.restriction is Restriction.HARD:
            why = f"it bounces at {shown(way.host)}, because {strictest.name} refuses all but the gateway"
            return Outcome(Fate.LOST, why)
        return Outcome(Fate.DEFERRED, f"{strictest.name} defers what comes to {shown(way.host)} past the gateway")
