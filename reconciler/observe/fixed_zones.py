"""Which zone holds a name, asked of the servers of the settings, which are authoritative for every zone.

Each says which zone it holds around the name. The first that holds one at the name itself decides, for none can be
deeper; otherwise all are waited for, and `combined_step` weighs what they say.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from reconciler.names import ROOT
from reconciler.observe.answer import shows_apex
from reconciler.observe.asking import ExchangeError, Query, shown_address
from reconciler.observe.resolvers import is_address
from reconciler.observe.shared import Shared, Together
from reconciler.observe.zone_replies import combined_step, server_step
from reconciler.observe.zones import (
    FoundZone,
    Server,
    ServerSet,
    climbed,
    no_zone_at,
    no_zone_holds,
    parent_name,
    server_at,
    server_set,
)
from reconciler.state import Unknown, Zone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from reconciler.names import Name
    from reconciler.observe.asking import Address
    from reconciler.observe.reply import Reply
    from reconciler.observe.zone_replies import Step

    Ask: TypeAlias = Callable[[tuple[Address, ...], Query, Callable[[Reply | ExchangeError], None]], object]
    HasMx: TypeAlias = Callable[[int, Reply | ExchangeError], None]  # place of the server, what became of the question
    HasFound: TypeAlias = Callable[[FoundZone | Unknown], None]


class FixedZones:
    """Finds zones where all have the same servers; `find_addresses` is asked for those that are named by a host."""

    def __init__(
        self, ask: Ask, addresses: Sequence[Address], find_addresses: Shared[str, tuple[str, ...] | Unknown]
    ) -> None:
        """Prepare; nothing is asked yet."""
        self.ask = ask
        self._addresses = addresses
        self._find_addresses = find_addresses
        self._around: Shared[Name, FoundZone | Unknown] = Shared(self._look_around)
        self._servers = Shared(self._find_servers)

    @property
    def source(self) -> str:
        """Who is asked for zones, for reports."""
        return ", ".join(map(shown_address, self._addresses))

    def find(self, domain: Name, declared: Name | None, then: HasFound) -> None:
        """Calls `then` with the zone that holds `domain`; or with the zone `declared`, provided that it is one."""
        self._around(declared or domain, _confirmed(declared, then))

    def is_new(self, domain: Name, declared: Name | None) -> bool:
        """Whether the zone is still to be looked for, and the MX at `domain` may show it."""
        return declared in (None, domain) and domain != ROOT and self._around.is_new(domain)

    def find_with_mx(self, domain: Name, declared: Name | None, then: HasFound, has_mx: HasMx) -> None:
        """The same by asking for the MX at `domain`, which nearly always shows the zone; else for the SOA.

        `has_mx` is called with what became of the MX question at each server that has addresses: also of those that
        were not needed to find the zone, and then after `then`.
        """
        has_come = self._around.begin(domain, _confirmed(declared, then))
        self._servers(None, lambda fixed: _Search(self, domain, fixed, has_come).begin_with_mx(has_mx))

    def climb(self, name: Name, then: HasFound) -> None:
        """Looks on above a name at which nobody holds a zone."""
        parent = parent_name(name)
        self._around(parent, lambda above: then(climbed(name, parent, above)))

    def _look_around(self, name: Name, then: HasFound) -> None:
        if name == ROOT:
            then(no_zone_holds(name))
        else:
            self._servers(None, lambda fixed: _Search(self, name, fixed, then).begin())

    def _find_servers(self, _key: None, then: Callable[[ServerSet], None]) -> None:
        addresses = dict.fromkeys(self._addresses)
        together: Together[Server] = Together(len(addresses), lambda servers: then(server_set(servers)))
        for place, address in enumerate(addresses):
            self._find_server(address, together.at(place))

    def _find_server(self, address: Address, then: Callable[[Server], None]) -> None:
        host, port = address
        if is_address(host):
            then(Server(shown_address(address), (address,)))
        else:
            self._find_addresses(host, lambda found: then(server_at(shown_address(address), found, port)))


class _Search:
    """The search for a zone at one name, or from there upwards; `then` is called once."""

    __slots__ = ("_fixed", "_left", "_name", "_steps", "_then", "_zones")

    def __init__(self, zones: FixedZones, name: Name, fixed: ServerSet, then: HasFound) -> None:
        self._zones = zones
        self._name = name
        self._fixed = fixed
        self._then = then
        self._steps: list[Step] = [None] * len(fixed.servers)
        self._left = len(fixed.servers)  # whose word is missing; 0 as soon as nobody's is needed

    def begin(self) -> None:
        self._begin(self._ask_soa)

    def begin_with_mx(self, has_mx: HasMx) -> None:
        self._begin(partial(self._ask_mx, has_mx))

    def _begin(self, ask: Callable[[int], None]) -> None:
        for place, server in enumerate(self._fixed.servers):
            if server.problem is None:
                ask(place)
            else:
                self._has_step(place, server.problem)

    def _ask_mx(self, has_mx: HasMx, place: int) -> None:
        addresses = self._fixed.servers[place].addresses
        self._zones.ask(addresses, Query(self._name, "MX"), partial(self._has_mx, has_mx, place))

    def _ask_soa(self, place: int) -> None:
        addresses = self._fixed.servers[place].addresses
        self._zones.ask(addresses, Query(self._name, "SOA"), partial(self._has_soa, place))

    def _has_soa(self, place: int, reply: Reply | ExchangeError) -> None:
        self._has_step(place, server_step(reply, self._fixed.labels[place], self._name))

    def _has_mx(self, has_mx: HasMx, place: int, reply: Reply | ExchangeError) -> None:
        if self._left:
            if not isinstance(reply, ExchangeError) and shows_apex(reply, self._name):
                self._end(self._name)
            else:
                self._ask_soa(place)
        has_mx(place, reply)

    def _has_step(self, place: int, step: Step) -> None:
        if not self._left:
            return
        self._steps[place] = step
        self._left -= 1
        if step == self._name or not self._left:
            self._end(combined_step(self._name, self._steps))

    def _end(self, step: Step) -> None:
        self._left = 0
        if step is None:
            self._zones.climb(self._name, self._then)
        elif isinstance(step, Unknown):
            self._then(step)
        else:
            self._then(FoundZone(Zone(step, self._fixed.labels), self._fixed.servers))


def _confirmed(declared: Name | None, then: HasFound) -> HasFound:
    """`then` for a zone that is the one declared, if any is."""
    if declared is None:
        return then

    def has_found(found: FoundZone | Unknown) -> None:
        if isinstance(found, Unknown) or found.zone.apex == declared:
            then(found)
        else:
            then(no_zone_at(declared, found.zone.apex))

    return has_found
