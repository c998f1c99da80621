"""The zone around a mail domain and its servers, found with one look-up after the other."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
from publicsuffixlist import PublicSuffixList

from plain_observer.exchange import NoReplyError, reply_from, shown
from plain_observer.rules import deepest, dname_above, points_elsewhere, rrset_at
from reconciler.names import ROOT, Name
from reconciler.state import Cause, Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.observe.asking import Address, DnsSettings

_SUFFIXES = PublicSuffixList()


@dataclass(frozen=True)
class Server:
    """A name server as reports show it; `problem` says why it has no addresses."""

    label: str
    addresses: tuple[Address, ...]
    problem: Unknown | None = None


class Zones:
    """Looks zones up; `port` is where name servers listen that are found by their names."""

    def __init__(self, settings: DnsSettings, port: int) -> None:
        """Keep the settings."""
        self.settings = settings
        self.port = port

    @property
    def resolvers(self) -> Sequence[Address]:
        """Who is asked with recursion."""
        return self.settings.resolvers or [server for server in self.settings.servers if _is_address(server[0])]

    def find(self, domain: Name, declared: Name | None) -> tuple[Name, list[Server]] | Unknown:
        """Apex and servers of the zone around `domain`, or of the zone `declared`."""
        name = declared or domain
        apex: Name | Unknown | None = None
        while apex is None and name != ROOT:
            apex = self._apex_at_servers(name) if self.settings.servers else self._apex_at_resolvers(name)
            name = Name(name.partition(".")[2] or ROOT)
        if apex is None:
            return Unknown(Cause.NO_SUCH_ZONE, f"no zone was found that holds {declared or domain}")
        if isinstance(apex, Unknown):
            return apex
        if declared is not None and apex != declared:
            detail = f"the manifest names the zone {declared}, but there is no such zone: that name lies in {apex}"
            return Unknown(Cause.NO_SUCH_ZONE, detail)
        servers = self._configured_servers() if self.settings.servers else self._servers_of(apex)
        return servers if isinstance(servers, Unknown) else (apex, sorted(servers, key=lambda s: s.label))

    def _apex_at_resolvers(self, name: Name) -> Name | Unknown | None:
        reply = self._resolved(name, "SOA")
        return reply if isinstance(reply, Unknown) else _apex_in(reply, name)

    def _apex_at_servers(self, name: Name) -> Name | Unknown | None:
        """Every configured server says which zone it holds around the name; the deepest one counts.

        One that did not answer may hold a deeper zone, unless another one holds a zone at the name itself.
        """
        said = [self._apex_at(server, name) for server in sorted(self._configured_servers(), key=lambda s: s.label)]
        zones = [one for one in said if isinstance(one, str)]
        no_zone = (Cause.NO_SUCH_ZONE, Cause.REFUSED, Cause.NOT_AUTHORITATIVE)
        failures = [one for one in said if isinstance(one, Unknown)]
        silent = [one for one in failures if one.cause not in no_zone]
        if silent and name not in zones:
            return silent[0]
        if zones:
            return Name(max(zones, key=len))
        if None in said:
            return None
        undecided = [one for one in failures if one.cause is not Cause.NO_SUCH_ZONE]
        return (undecided or failures)[0]

    def _apex_at(self, server: Server, name: Name) -> Name | Unknown | None:
        if server.problem is not None:
            return server.problem
        try:
            reply = reply_from(self.settings, server.addresses, name, "SOA")
        except NoReplyError as exc:
            return exc.unknown
        if reply.flags & dns.flags.AA:
            return _apex_in(reply, name)
        if points_elsewhere(reply):
            return None
        return Unknown(Cause.NOT_AUTHORITATIVE, f"{server.label} answers without authority for {name}")

    def _configured_servers(self) -> list[Server]:
        servers = []
        for host, port in dict.fromkeys(self.settings.servers):
            if _is_address(host):
                servers.append(Server(shown((host, port)), ((host, port),)))
            else:
                servers.append(_server(shown((host, port)), self.addresses(host), port))
        return servers

    def _servers_of(self, apex: Name) -> list[Server] | Unknown:
        reply = self._resolved(apex, "NS")
        if isinstance(reply, Unknown):
            return reply
        rrset = rrset_at(reply, dns.name.from_text(apex), "NS")
        if rrset is None:
            return Unknown(Cause.MALFORMED, f"the zone {apex} shows no NS rrset")
        hosts = {rdata.target.canonicalize().to_text() for rdata in rrset}
        if len(hosts) > 32:
            detail = f"the zone {apex} names {len(hosts)} name servers, and at most 32 are asked"
            return Unknown(Cause.MALFORMED, detail)
        return [_server(host, self.addresses(host), self.port) for host in hosts]

    def addresses(self, host: str) -> tuple[str, ...] | Unknown:
        """The addresses of a host, IPv4 first."""
        found: list[str] = []
        failures: list[Unknown] = []
        for rdtype in ("A", "AAAA"):
            reply = self._resolved(host, rdtype)
            if isinstance(reply, Unknown):
                failures.append(reply)
            else:
                found.extend(address for address in _addresses_in(reply) if address not in found)
        if found:
            return tuple(found)
        if failures:
            return Unknown(failures[0].cause, f"no address of {host} could be found: {failures[0].detail}")
        return Unknown(Cause.NETWORK, f"{host} has no address")

    def _resolved(self, name: str, rdtype: str) -> dns.message.Message | Unknown:
        try:
            reply = reply_from(self.settings, self.resolvers, name, rdtype, recurse=True)
        except NoReplyError as exc:
            return Unknown(exc.unknown.cause, f"looking up {rdtype} {name}: {exc.unknown.detail}")
        if not reply.flags & (dns.flags.RA | dns.flags.AA):
            who = ", ".join(shown(address) for address in self.resolvers)
            return Unknown(Cause.REFUSED, f"{who} does not offer recursion; name a resolver in the settings")
        return reply


def _server(label: str, addresses: tuple[str, ...] | Unknown, port: int) -> Server:
    if isinstance(addresses, Unknown):
        return Server(label, (), addresses)
    return Server(label, tuple((address, port) for address in addresses[:4]))


def _apex_in(reply: dns.message.Message, name: Name) -> Name | Unknown | None:
    owner = dns.name.from_text(name)
    if rrset_at(reply, owner, "CNAME") is not None or dname_above(reply, owner) is not None:
        return None
    apex = owner if rrset_at(reply, owner, "SOA") is not None else deepest(reply, owner, "SOA")
    if apex is None:
        return None
    text = Name(apex.canonicalize().to_text())
    is_missing = reply.rcode() == dns.rcode.NXDOMAIN and apex != owner
    if text == ROOT or (is_missing and _SUFFIXES.is_public(text.rstrip("."))):
        return Unknown(Cause.NO_SUCH_ZONE, f"{name} does not exist: the zone {text} knows nothing of it")
    return text


def _addresses_in(reply: dns.message.Message) -> list[str]:
    try:
        rrset = reply.resolve_chaining().answer  # type: ignore[attr-defined]  # from_wire gives a QueryMessage
    except dns.exception.DNSException:
        return []
    return [rdata.address for rdata in rrset or ()]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
