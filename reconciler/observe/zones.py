"""Which zone holds a mail domain, and which servers are authoritative for it.

By default a resolver is asked: SOA at the domain and upwards, NS at the apex, addresses of every NS name. With servers
in the settings (a lab, a hidden primary, split horizon) these are asked for the SOA themselves, and they are THE
authoritative servers of every zone. Each distinct look-up happens once in a run, and everybody who needs it waits for
the same one.
"""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, TypeVar

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from reconciler.names import ROOT, Name
from reconciler.observe.answer import answered_rrset, is_alias, is_referral, zone_around
from reconciler.observe.exchange import Address, ExchangeError, Query, shown_address
from reconciler.state import Cause, Unknown, Zone

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from reconciler.observe.exchange import DnsSettings, Exchanger
    from reconciler.observe.reply import Reply

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

# a server that has answered, and holds no zone around the name
_SAYS_NO = frozenset({Cause.NO_SUCH_ZONE, Cause.REFUSED, Cause.NOT_AUTHORITATIVE})
_MAX_SERVERS = 32  # of one zone, twice what the best-served have; a reply has room for thousands of hosts of others
_MAX_ADDRESSES = 4  # of one name server; more would only make the wait for a dead one longer


class Once(Generic[_Key, _Value]):
    """Runs a coroutine function once for each key; whoever asks meanwhile or later gets the same result."""

    def __init__(self, function: Callable[[_Key], Awaitable[_Value]]) -> None:
        """Wrap a function that returns its failures instead of raising them."""
        self._function = function
        self._tasks: dict[_Key, asyncio.Future[_Value]] = {}

    async def __call__(self, key: _Key) -> _Value:
        """The result for `key`."""
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.ensure_future(self._function(key))
        return await asyncio.shield(task)


@dataclass(frozen=True, slots=True)
class Server:
    """One authoritative server: by the name or address that reports show; without addresses `problem` says why."""

    label: str
    addresses: tuple[Address, ...]
    problem: Unknown | None = None


@dataclass(frozen=True, slots=True)
class FoundZone:
    """A zone and how to reach each of its servers, sorted by label."""

    zone: Zone
    servers: tuple[Server, ...]


# what the SOA question at one name tells: the apex of the zone around it, that one has to look further up, or a failure
_Step = Name | Unknown | None


class ZoneFinder:
    """Finds zones, their servers and addresses. `port` is where servers that were found listen."""

    def __init__(self, exchanger: Exchanger, settings: DnsSettings, port: int) -> None:
        """Prepare; nothing is asked yet."""
        self._exchanger = exchanger
        self._settings = settings
        self._port = port
        self._soa_step = Once(self._step_by_servers if settings.servers else self._step_by_resolver)
        self._servers = Once(self._fixed_servers if settings.servers else self._servers_in_ns_rrset)
        self.addresses: Once[str, tuple[str, ...] | Unknown] = Once(self._addresses)

    @property
    def source(self) -> str:
        """Who is asked for zones, for reports."""
        return ", ".join(shown_address(a) for a in self._settings.servers or self._resolvers()) or "resolver"

    async def find(self, domain: Name, declared: Name | None) -> FoundZone | Unknown:
        """The zone that holds `domain`; or the zone `declared`, provided that it is one."""
        apex = await self._enclosing(declared or domain)
        if isinstance(apex, Unknown):
            return apex
        if declared is not None and apex != declared:
            detail = f"the manifest names the zone {declared}, but there is no such zone: that name lies in {apex}"
            return Unknown(Cause.NO_SUCH_ZONE, detail)
        servers = await self._servers(apex)
        if isinstance(servers, Unknown):
            return servers
        return FoundZone(Zone(apex, tuple(s.label for s in servers)), servers)

    async def resolve(self, query: Query) -> dns.message.Message | Unknown:
        """The resolvers' reply: NOERROR, NXDOMAIN or YXDOMAIN."""
        reply = await self._resolved(query)
        return reply if isinstance(reply, Unknown) else reply.message

    async def _enclosing(self, name: Name) -> Name | Unknown:
        current = name
        while current != ROOT:
            step = await self._soa_step(current)
            if step is not None:
                return step
            current = parent_name(current)
        return Unknown(Cause.NO_SUCH_ZONE, f"no zone was found that holds {name}")

    async def _step_by_resolver(self, name: Name) -> _Step:
        reply = await self._resolved(Query(name, "SOA", recurse=True))
        return reply if isinstance(reply, Unknown) else _step(reply, name)

    async def _step_by_servers(self, name: Name) -> _Step:
        servers = await self._servers(name)
        if isinstance(servers, Unknown):
            return servers
        steps = await asyncio.gather(*(self._step_by_server(server, name) for server in servers))
        apexes = [step for step in steps if isinstance(step, str)]
        failures = [step for step in steps if isinstance(step, Unknown)]
        silent = next((f for f in failures if f.cause not in _SAYS_NO), None)
        if silent is not None and name not in apexes:
            return silent  # a server may hold the child zone, another one its parent alone
        if apexes:
            return max(apexes, key=len)
        if None in steps:
            return None
        # that a zone does not exist must not be concluded while some server did not say so
        return next((f for f in failures if f.cause is not Cause.NO_SUCH_ZONE), failures[0])

    async def _step_by_server(self, server: Server, name: Name) -> _Step:
        if server.problem is not None:
            return server.problem
        try:
            reply = await self._exchanger.reply(server.addresses, Query(name, "SOA"))
        except ExchangeError as exc:
            return exc.unknown
        if not reply.flags & dns.flags.AA:
            if is_referral(reply.message):
                return None
            return Unknown(Cause.NOT_AUTHORITATIVE, f"{server.label} answers without authority for {name}")
        return _step(reply, name)

    async def _fixed_servers(self, _apex: Name) -> tuple[Server, ...] | Unknown:
        servers = await asyncio.gather(*(self._fixed_server(a) for a in dict.fromkeys(self._settings.servers)))
        return tuple(sorted(servers, key=lambda s: s.label))

    async def _fixed_server(self, address: Address) -> Server:
        host, port = address
        if _is_address(host):
            return Server(shown_address(address), (address,))
        return self._server(shown_address(address), await self.addresses(host), port)

    async def _servers_in_ns_rrset(self, apex: Name) -> tuple[Server, ...] | Unknown:
        reply = await self.resolve(Query(apex, "NS", recurse=True))
        if isinstance(reply, Unknown):
            return reply
        rrset = answered_rrset(reply, apex, "NS")
        if rrset is None or rrset.rdtype != dns.rdatatype.NS:
            return Unknown(Cause.MALFORMED, f"the zone {apex} shows no NS rrset")
        hosts = sorted({rdata.target.canonicalize().to_text() for rdata in rrset})
        if len(hosts) > _MAX_SERVERS:
            detail = f"the zone {apex} names {len(hosts)} name servers, and at most {_MAX_SERVERS} are asked"
            return Unknown(Cause.MALFORMED, detail)
        found = await asyncio.gather(*(self.addresses(host) for host in hosts))
        return tuple(self._server(h, addresses, self._port) for h, addresses in zip(hosts, found, strict=True))

    @staticmethod
    def _server(label: str, addresses: tuple[str, ...] | Unknown, port: int) -> Server:
        if isinstance(addresses, Unknown):
            return Server(label, (), addresses)
        return Server(label, tuple((address, port) for address in addresses[:_MAX_ADDRESSES]))

    async def _addresses(self, host: str) -> tuple[str, ...] | Unknown:
        """The addresses of a host as text, IPv4 first; never empty."""
        types = ("A", "AAAA")
        replies = await asyncio.gather(*(self.resolve(Query(host, t, recurse=True)) for t in types))
        found = [a for reply in replies if not isinstance(reply, Unknown) for a in _addresses_in(reply)]
        if found:
            return tuple(dict.fromkeys(found))
        failures = [reply for reply in replies if isinstance(reply, Unknown)]
        if failures:
            return Unknown(failures[0].cause, f"no address of {host} could be found: {failures[0].detail}")
        return Unknown(Cause.NETWORK, f"{host} has no address")

    async def _resolved(self, query: Query) -> Reply | Unknown:
        resolvers = self._resolvers()
        if not resolvers:
            return Unknown(Cause.NETWORK, "this system has no resolver configured; name one in the settings")
        try:
            reply = await self._exchanger.reply(resolvers, query)
        except ExchangeError as exc:
            return Unknown(exc.cause, f"looking up {query.type} {query.name}: {exc.detail}")
        if not reply.flags & (dns.flags.RA | dns.flags.AA):
            shown = ", ".join(shown_address(a) for a in resolvers)
            return Unknown(Cause.REFUSED, f"{shown} does not offer recursion; name a resolver in the settings")
        return reply

    def _resolvers(self) -> Sequence[Address]:
        if self._settings.resolvers:
            return self._settings.resolvers
        # whoever names servers as addresses has a world of its own, where they know the hosts, too
        return tuple(a for a in self._settings.servers if _is_address(a[0])) or _system_resolvers()


def parent_name(name: Name) -> Name:
    """The name without its first label."""
    return Name(name.partition(".")[2] or ROOT)


def _step(reply: Reply, name: Name) -> _Step:
    """Reads the reply to the SOA question at `name`."""
    if reply.plain is None and is_alias(reply.message, name):
        return None  # an alias is no apex, and the rest of the answer speaks of where it points to
    apex = zone_around(reply, name)
    if apex is None:
        return None
    is_missing = reply.rcode == dns.rcode.NXDOMAIN
    if apex == ROOT or (is_missing and apex != name and _is_public_suffix(apex)):
        # a registry's answer about a name that nobody has registered: its zone is not the domain's
        return Unknown(Cause.NO_SUCH_ZONE, f"{name} does not exist: the zone {apex} knows nothing of it")
    return apex


def _addresses_in(reply: dns.message.Message) -> list[str]:
    """The addresses at the end of a CNAME chain, or none."""
    try:
        answer = reply.resolve_chaining().answer  # type: ignore[attr-defined]  # from_wire gives a QueryMessage
    except dns.exception.DNSException:
        return []
    return [] if answer is None else [rdata.address for rdata in answer]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=1)
def _system_resolvers() -> tuple[Address, ...]:
    import dns.resolver  # noqa: PLC0415 - 20 ms that a run with resolvers or servers in its settings does not need

    try:
        resolver = dns.resolver.Resolver()
    except (dns.resolver.NoResolverConfiguration, OSError):
        return ()
    return tuple((host, resolver.port) for host in resolver.nameservers if isinstance(host, str) and _is_address(host))


@lru_cache(maxsize=4096)
def _is_public_suffix(apex: Name) -> bool:
    return bool(_public_suffixes().is_public(apex.rstrip(".")))


@lru_cache(maxsize=1)
def _public_suffixes():  # type: ignore[no-untyped-def]  # noqa: ANN202 - the library has no types
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 - read only where a name does not exist

    return PublicSuffixList()
