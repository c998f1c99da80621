"""Which zone holds a mail domain, and which servers are authoritative for it, asked of a resolver.

SOA at the domain and upwards, NS at the apex, addresses of every NS name. Each distinct look-up happens once while it
is remembered, and everybody who needs it waits for the same one. With servers in the settings (a lab, a hidden
primary, split horizon) these are THE authoritative servers of every zone, and zones are looked for there: see
`fixed_zones.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from reconciler.names import ROOT, Name
from reconciler.observe.exchange import Address, ExchangeError, Query, shown_address
from reconciler.observe.resolvers import is_address, system_resolvers
from reconciler.observe.shared import Shared, Together
from reconciler.observe.wire import AA, RA
from reconciler.observe.zone_replies import addresses_in, hosts_in, soa_step
from reconciler.state import Cause, Unknown, Zone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import dns.message

    from reconciler.observe.exchange import DnsSettings, Exchanger
    from reconciler.observe.reply import Reply

_MAX_ADDRESSES = 4  # of one name server; more would only make the wait for a dead one longer
_NO_RESOLVER = Unknown(Cause.NETWORK, "this system has no resolver configured; name one in the settings")


@dataclass(frozen=True, slots=True)
class Server:
    """One authoritative server: by the name or address that reports show; without addresses `problem` says why."""

    label: str
    addresses: tuple[Address, ...]
    problem: Unknown | None = None


class ServerSet(NamedTuple):
    """The servers of a zone, sorted by label, and their labels; thousands of zones have the same ones."""

    servers: tuple[Server, ...]
    labels: tuple[str, ...]


class FoundZone(NamedTuple):
    """A zone and how to reach each of its servers, sorted by label."""

    zone: Zone
    servers: tuple[Server, ...]


class ZoneFinder:
    """Finds zones, their servers and addresses. `port` is where servers that were found listen."""

    def __init__(self, exchanger: Exchanger, settings: DnsSettings, port: int) -> None:
        """Prepare; nothing is asked yet."""
        self._exchanger = exchanger
        self._settings = settings
        self._port = port
        self._apex: Shared[Name, Name | Unknown] = Shared(self._look_for_apex)
        self._named = Shared(self._named_servers)
        self._delegated = Shared(self._delegated_zone)
        self.find_addresses: Shared[str, tuple[str, ...] | Unknown] = Shared(self._addresses)

    @property
    def source(self) -> str:
        """Who is asked for zones, for reports."""
        return ", ".join(map(shown_address, self._resolvers())) or "resolver"

    def find(self, domain: Name, declared: Name | None, then: Callable[[FoundZone | Unknown], None]) -> None:
        """Calls `then` with the zone that holds `domain`; or with the zone `declared`, provided that it is one."""

        def has_apex(apex: Name | Unknown) -> None:
            if isinstance(apex, Unknown):
                then(apex)
            elif declared is not None and apex != declared:
                then(no_zone_at(declared, apex))
            else:
                self._delegated(apex, then)

        self._apex(declared or domain, has_apex)

    async def resolve(self, query: Query) -> dns.message.Message | Unknown:
        """The resolvers' reply: NOERROR, NXDOMAIN or YXDOMAIN."""
        resolvers = self._resolvers()
        if not resolvers:
            return _NO_RESOLVER
        try:
            reply = self._resolved(query, await self._exchanger.reply(resolvers, query))
        except ExchangeError as exc:
            reply = self._resolved(query, exc)
        return reply if isinstance(reply, Unknown) else reply.message

    def _look_for_apex(self, name: Name, then: Callable[[Name | Unknown], None]) -> None:
        """Looks for the apex of the zone that holds `name`, from there upwards."""

        def has_come(reply: Reply | Unknown) -> None:
            step = reply if isinstance(reply, Unknown) else soa_step(reply, name)
            if step is None:
                parent = parent_name(name)
                self._apex(parent, lambda above: then(climbed(name, parent, above)))
            else:
                then(step)

        if name == ROOT:
            then(no_zone_holds(name))
        else:
            self._resolve(Query(name, "SOA", recurse=True), has_come)

    def _delegated_zone(self, apex: Name, then: Callable[[FoundZone | Unknown], None]) -> None:
        """The zone at `apex` with the servers that it names itself."""

        def has_servers(found: ServerSet) -> None:
            then(FoundZone(Zone(apex, found.labels), found.servers))

        def has_come(reply: Reply | Unknown) -> None:
            hosts = reply if isinstance(reply, Unknown) else hosts_in(reply, apex)
            if isinstance(hosts, Unknown):
                then(hosts)
            else:
                self._named(tuple(hosts), has_servers)

        self._resolve(Query(apex, "NS", recurse=True), has_come)

    def _named_servers(self, hosts: tuple[str, ...], then: Callable[[ServerSet], None]) -> None:
        def have_addresses(found: Sequence[tuple[str, ...] | Unknown]) -> None:
            then(server_set([server_at(h, addresses, self._port) for h, addresses in zip(hosts, found, strict=True)]))

        together = Together(len(hosts), have_addresses)
        for place, host in enumerate(hosts):
            self.find_addresses(host, together.at(place))

    def _addresses(self, host: str, then: Callable[[tuple[str, ...] | Unknown], None]) -> None:
        """The addresses of a host as text, IPv4 first; never empty."""

        def have_come(replies: Sequence[Reply | Unknown]) -> None:
            found = [a for reply in replies if not isinstance(reply, Unknown) for a in addresses_in(reply)]
            failures = [reply for reply in replies if isinstance(reply, Unknown)]
            if found:
                then(tuple(dict.fromkeys(found)))
            elif failures:
                then(Unknown(failures[0].cause, f"no address of {host} could be found: {failures[0].detail}"))
            else:
                then(Unknown(Cause.NETWORK, f"{host} has no address"))

        together: Together[Reply | Unknown] = Together(2, have_come)
        for place, rdtype in enumerate(("A", "AAAA")):
            self._resolve(Query(host, rdtype, recurse=True), together.at(place))

    def _resolve(self, query: Query, then: Callable[[Reply | Unknown], None]) -> None:
        resolvers = self._resolvers()
        if resolvers:
            self._exchanger.begin(tuple(resolvers), query, lambda reply: then(self._resolved(query, reply)))
        else:
            then(_NO_RESOLVER)

    def _resolved(self, query: Query, reply: Reply | ExchangeError) -> Reply | Unknown:
        if isinstance(reply, ExchangeError):
            return Unknown(reply.cause, f"looking up {query.type} {query.name}: {reply.detail}")
        if not reply.flags & (RA | AA):
            shown = ", ".join(shown_address(a) for a in self._resolvers())
            return Unknown(Cause.REFUSED, f"{shown} does not offer recursion; name a resolver in the settings")
        return reply

    def _resolvers(self) -> Sequence[Address]:
        if self._settings.resolvers:
            return self._settings.resolvers
        # whoever names servers as addresses has a world of its own, where they know the hosts, too
        return tuple(a for a in self._settings.servers if is_address(a[0])) or system_resolvers()


def server_at(label: str, addresses: tuple[str, ...] | Unknown, port: int) -> Server:
    """The server that reports call `label`, by what became of the look-up of its addresses."""
    if isinstance(addresses, Unknown):
        return Server(label, (), addresses)
    return Server(label, tuple((address, port) for address in addresses[:_MAX_ADDRESSES]))


def server_set(servers: Sequence[Server]) -> ServerSet:
    """Servers in any order."""
    ordered = tuple(sorted(servers, key=lambda s: s.label))
    return ServerSet(ordered, tuple(s.label for s in ordered))


_Found = TypeVar("_Found", Name, FoundZone)


def climbed(name: Name, parent: Name, above: _Found | Unknown) -> _Found | Unknown:
    """What was found above a name that is no apex: where that is nothing, the name is what nobody holds."""
    return no_zone_holds(name) if above == no_zone_holds(parent) else above


def no_zone_holds(name: Name) -> Unknown:
    """Nobody holds a zone at the name or above it."""
    return Unknown(Cause.NO_SUCH_ZONE, f"no zone was found that holds {name}")


def no_zone_at(declared: Name, apex: Name) -> Unknown:
    """The zone that a manifest names lies in another one, at `apex`."""
    detail = f"the manifest names the zone {declared}, but there is no such zone: that name lies in {apex}"
    return Unknown(Cause.NO_SUCH_ZONE, detail)


def parent_name(name: Name) -> Name:
    """The name without its first label."""
    return Name(name.partition(".")[2] or ROOT)
