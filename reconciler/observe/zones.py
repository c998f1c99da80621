"""Which zone holds a mail domain, and which servers are authoritative for it.

By default a resolver is asked: SOA at the domain and upwards, NS at the apex, addresses of every NS name. With servers
in the settings (a lab, a hidden primary, split horizon) these are asked for the SOA themselves, and they are THE
authoritative servers of every zone. Each distinct look-up happens once in a run, and everybody who needs it waits for
the same one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from reconciler.names import ROOT, Name
from reconciler.observe.exchange import Address, ExchangeError, Query, shown_address
from reconciler.observe.resolvers import is_address, system_resolvers
from reconciler.observe.shared import Once, Shared, Together
from reconciler.observe.wire import AA, RA
from reconciler.observe.zone_replies import Step, addresses_in, combined_step, hosts_in, server_step, soa_step
from reconciler.state import Cause, Unknown, Zone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import dns.message

    from reconciler.observe.exchange import DnsSettings, Exchanger
    from reconciler.observe.reply import Reply

__all__ = ["FoundZone", "Once", "Server", "ZoneFinder", "parent_name"]

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


_Around: TypeAlias = FoundZone | Name | Unknown
"""The zone around a name; where its servers are still to be found, its apex alone."""


class ZoneFinder:
    """Finds zones, their servers and addresses. `port` is where servers that were found listen."""

    def __init__(self, exchanger: Exchanger, settings: DnsSettings, port: int) -> None:
        """Prepare; nothing is asked yet."""
        self._exchanger = exchanger
        self._settings = settings
        self._port = port
        self._around: Shared[Name, _Around] = Shared(self._look_around)
        self._fixed = Shared(self._fixed_servers)
        self._named = Shared(self._named_servers)
        self._delegated = Shared(self._delegated_zone)
        self.find_addresses: Shared[str, tuple[str, ...] | Unknown] = Shared(self._addresses)

    @property
    def source(self) -> str:
        """Who is asked for zones, for reports."""
        return ", ".join(shown_address(a) for a in self._settings.servers or self._resolvers()) or "resolver"

    def find(self, domain: Name, declared: Name | None, then: Callable[[FoundZone | Unknown], None]) -> None:
        """Calls `then` with the zone that holds `domain`; or with the zone `declared`, provided that it is one."""
        self._around(declared or domain, partial(self._has_around, declared, then))

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

    def _has_around(self, declared: Name | None, then: Callable[[FoundZone | Unknown], None], around: _Around) -> None:
        if isinstance(around, Unknown):
            then(around)
            return
        apex = around.zone.apex if isinstance(around, FoundZone) else around
        if declared is not None and apex != declared:
            detail = f"the manifest names the zone {declared}, but there is no such zone: that name lies in {apex}"
            then(Unknown(Cause.NO_SUCH_ZONE, detail))
        elif isinstance(around, FoundZone):
            then(around)
        else:
            self._delegated(around, then)

    def _look_around(self, name: Name, then: Callable[[_Around], None]) -> None:
        """Looks for the zone that holds `name`, from there upwards."""
        if name == ROOT:
            then(_no_zone_holds(name))
        elif self._settings.servers:
            self._fixed(None, partial(self._ask_servers, name, then))
        else:
            self._resolve(Query(name, "SOA", recurse=True), partial(self._has_resolved, name, then))

    def _has_step(self, name: Name, fixed: ServerSet | None, then: Callable[[_Around], None], step: Step) -> None:
        if step is None:
            parent = parent_name(name)
            self._around(parent, partial(_has_climbed, name, parent, then))
        elif fixed is None or isinstance(step, Unknown):
            then(step)
        else:
            then(FoundZone(Zone(step, fixed.labels), fixed.servers))

    def _has_resolved(self, name: Name, then: Callable[[_Around], None], reply: Reply | Unknown) -> None:
        self._has_step(name, None, then, reply if isinstance(reply, Unknown) else soa_step(reply, name))

    def _ask_servers(self, name: Name, then: Callable[[_Around], None], fixed: ServerSet) -> None:
        """Asks the servers of the settings, each of them, for the SOA at `name`."""
        query = Query(name, "SOA")
        if len(fixed.servers) == 1 and fixed.servers[0].problem is None:
            server = fixed.servers[0]
            self._exchanger.begin(server.addresses, query, partial(self._has_told, name, fixed, then))
            return
        together = Together(len(fixed.servers), partial(self._have_told, name, fixed, then))
        for place, server in enumerate(fixed.servers):
            if server.problem is not None:
                together.at(place)(server.problem)
            else:
                self._exchanger.begin(server.addresses, query, together.at(place))

    def _has_told(
        self, name: Name, fixed: ServerSet, then: Callable[[_Around], None], reply: Reply | ExchangeError
    ) -> None:
        self._has_step(name, fixed, then, server_step(reply, fixed.labels[0], name))

    def _have_told(
        self,
        name: Name,
        fixed: ServerSet,
        then: Callable[[_Around], None],
        replies: Sequence[Reply | ExchangeError | Unknown],
    ) -> None:
        steps = [server_step(reply, label, name) for label, reply in zip(fixed.labels, replies, strict=True)]
        self._has_step(name, fixed, then, combined_step(name, steps))

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

    def _fixed_servers(self, _key: None, then: Callable[[ServerSet], None]) -> None:
        addresses = tuple(dict.fromkeys(self._settings.servers))
        together: Together[Server] = Together(len(addresses), lambda servers: then(_server_set(servers)))
        for place, address in enumerate(addresses):
            self._fixed_server(address, together.at(place))

    def _fixed_server(self, address: Address, then: Callable[[Server], None]) -> None:
        host, port = address
        if is_address(host):
            then(Server(shown_address(address), (address,)))
        else:
            self.find_addresses(host, lambda found: then(_server(shown_address(address), found, port)))

    def _named_servers(self, hosts: tuple[str, ...], then: Callable[[ServerSet], None]) -> None:
        def have_addresses(found: Sequence[tuple[str, ...] | Unknown]) -> None:
            then(_server_set([_server(h, addresses, self._port) for h, addresses in zip(hosts, found, strict=True)]))

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


def _server(label: str, addresses: tuple[str, ...] | Unknown, port: int) -> Server:
    if isinstance(addresses, Unknown):
        return Server(label, (), addresses)
    return Server(label, tuple((address, port) for address in addresses[:_MAX_ADDRESSES]))


def _server_set(servers: Sequence[Server]) -> ServerSet:
    ordered = tuple(sorted(servers, key=lambda s: s.label))
    return ServerSet(ordered, tuple(s.label for s in ordered))


def _has_climbed(name: Name, parent: Name, then: Callable[[_Around], None], around: _Around) -> None:
    then(_no_zone_holds(name) if around == _no_zone_holds(parent) else around)


def _no_zone_holds(name: Name) -> Unknown:
    return Unknown(Cause.NO_SUCH_ZONE, f"no zone was found that holds {name}")


def parent_name(name: Name) -> Name:
    """The name without its first label."""
    return Name(name.partition(".")[2] or ROOT)
