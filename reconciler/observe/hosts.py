"""Names as a sender resolves them: hosts with their addresses and aliases, TLSA, DS, and whether DNSSEC is whole.

Everything is asked from the resolvers, or from the servers that the settings name as addresses (see `zones.py`).
Whether an answer is authenticated is the resolver's word alone: its AD bit (RFC 4035 section 3.2.3).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from reconciler.names import ROOT, Name
from reconciler.observe.answer import zone_in_soa_reply
from reconciler.observe.exchange import Exchanger, Query
from reconciler.observe.shared import Once
from reconciler.observe.surroundings import name_below
from reconciler.observe.zones import ZoneFinder
from reconciler.state import Absent, Cause, Key, Present, Unknown, build_rrset, rdata_text
from reconciler.surroundings import DnssecSight, HostSight, TlsaSight

if TYPE_CHECKING:
    from reconciler.observe.exchange import DnsSettings
    from reconciler.state import Observed
    from reconciler.surroundings import Host

_DNS_PORT = 53
_MAX_CHAIN = 8


class HostLookup:
    """Asks the resolvers; each distinct look-up happens once."""

    def __init__(self, settings: DnsSettings) -> None:
        """Prepare; nothing is asked yet."""
        self._finder = ZoneFinder(Exchanger(settings), settings, _DNS_PORT)
        self.host: Once[Name, Host] = Once(self._host)
        self.tlsa: Once[Name, TlsaSight | Absent | Unknown] = Once(self._tlsa)
        self._ds: Once[Name, DnssecSight | Unknown] = Once(self._ds_sight)

    async def addresses(self, host: Name) -> tuple[str, ...] | Unknown:
        """The addresses of a host, A before AAAA; unknown where there are none, too."""
        found = await self.host(host)
        if isinstance(found, HostSight):
            return found.addresses
        return found if isinstance(found, Unknown) else Unknown(Cause.NETWORK, f"{host} has no address")

    async def txt(self, name: Name) -> Observed:
        """The TXT rrset that senders find at `name`, wherever CNAMEs lead."""
        found = await self._found(Query(name, "TXT", recurse=True))
        if isinstance(found, Unknown):
            return found
        if found.rrset is None:
            return Absent()
        rdatas = frozenset(rdata_text(rdata) for rdata in found.rrset)
        return Present(build_rrset(Key(name, "TXT"), found.rrset.ttl, rdatas))

    async def dnssec(self, domain: Name, zone: Name) -> DnssecSight | Unknown:
        """Whether `zone` is signed, and whether a validating resolver refuses what it holds at the mail domain.

        A resolver that validates answers SERVFAIL to what is bogus, and the same with the CD bit (RFC 4035 section
        3.2.2) as it got it; one that does not validate answers the same to both, and no problem is seen.
        """
        ds, mx = await asyncio.gather(self._ds(zone), self._validated(Query(domain, "MX")))
        if isinstance(ds, Unknown):
            return ds
        if isinstance(mx.reply, Unknown):
            return mx.reply
        return DnssecSight(ds.is_signed, ds.problem or mx.problem)

    async def _host(self, host: Name) -> Host:
        if host == ROOT:
            return Absent()  # the target of a null MX (RFC 7505)
        found = [await self._found(Query(host, "A", recurse=True))]
        if isinstance(found[0], _Found) and found[0].is_missing:
            return Absent()  # NXDOMAIN is for every type (RFC 2308 section 5); most names looked for do not exist
        found.append(await self._found(Query(host, "AAAA", recurse=True)))
        answers = [one for one in found if not isinstance(one, Unknown)]
        failures = [one for one in found if isinstance(one, Unknown)]
        addresses = dict.fromkeys(rdata.address for one in answers for rdata in one.rrset or ())
        if addresses:
            return HostSight(tuple(addresses), next((one.alias for one in answers if one.alias is not None), None))
        if failures:
            return Unknown(failures[0].cause, f"no address of {host} could be found: {failures[0].detail}")
        return Absent()

    async def _tlsa(self, host: Name) -> TlsaSight | Absent | Unknown:
        name = name_below("_25._tcp", host)
        if name is None or host == ROOT:
            return Absent()
        found = await self._found(Query(name, "TLSA", recurse=True, flags=dns.flags.AD))
        if isinstance(found, Unknown):
            return found
        return Absent() if found.rrset is None else TlsaSight(len(found.rrset), found.is_authenticated)

    async def _found(self, query: Query) -> _Found | Unknown:
        """The rrset at the end of the CNAMEs from a name.

        A resolver follows them; an authoritative server that the settings name may leave that to whoever asks.
        """
        name, alias, is_authenticated = query.name, None, True
        for _ in range(_MAX_CHAIN):
            reply = await self._finder.resolve(replace(query, name=name))
            if isinstance(reply, Unknown):
                return reply
            alias = alias or _alias(reply, query.name)
            is_authenticated = is_authenticated and bool(reply.flags & dns.flags.AD)
            try:
                chain = reply.resolve_chaining()  # type: ignore[attr-defined]  # from_wire gives a QueryMessage
            except dns.exception.DNSException as exc:
                return Unknown(Cause.MALFORMED, f"the CNAMEs at {query.name} lead nowhere: {exc}")
            end = chain.canonical_name.canonicalize().to_text()
            if chain.answer is not None or end == name or not _is_cut_short(reply):
                return _Found(chain.answer, alias, is_authenticated, reply.rcode() == dns.rcode.NXDOMAIN)
            name = end
        return Unknown(Cause.MALFORMED, f"the CNAMEs at {query.name} have no end")

    async def _ds_sight(self, zone: Name) -> DnssecSight | Unknown:
        """Whether a zone is signed; of the whole answer nothing is kept."""
        reply, problem = await self._validated(Query(zone, "DS"))
        if isinstance(reply, Unknown):
            return reply
        rrset = _rrset_at(reply, zone, dns.rdatatype.DS)
        if rrset is None and zone_in_soa_reply(reply, zone) == dns.name.from_text(zone):
            detail = f"the server asked serves {zone} itself and not its parent, where its DS would be"
            return Unknown(Cause.NOT_AUTHORITATIVE, detail)
        return DnssecSight(rrset is not None, problem)

    async def _validated(self, query: Query) -> _Answer:
        reply = await self._finder.resolve(Query(query.name, query.type, recurse=True, flags=dns.flags.AD))
        if not isinstance(reply, Unknown) or reply.cause is not Cause.SERVFAIL:
            return _Answer(reply, "")
        unchecked = await self._finder.resolve(Query(query.name, query.type, recurse=True, flags=dns.flags.CD))
        if isinstance(unchecked, Unknown):
            return _Answer(reply, "")
        problem = f"validation fails: the resolver refuses {query.type} {query.name} and answers it unchecked"
        return _Answer(unchecked, problem)


class _Answer(NamedTuple):
    reply: dns.message.Message | Unknown
    problem: str


class _Found(NamedTuple):
    """What a name leads to: `alias` is the target of the CNAME at the name itself, `is_missing` stands for NXDOMAIN."""

    rrset: dns.rrset.RRset | None
    alias: Name | None
    is_authenticated: bool
    is_missing: bool


def _rrset_at(reply: dns.message.Message, name: str, rdtype: dns.rdatatype.RdataType) -> dns.rrset.RRset | None:
    return reply.get_rrset(reply.answer, dns.name.from_text(name), dns.rdataclass.IN, rdtype)


def _alias(reply: dns.message.Message, host: str) -> Name | None:
    rrset = _rrset_at(reply, host, dns.rdatatype.CNAME)
    return None if rrset is None else Name(rrset[0].target.canonicalize().to_text())


def _is_cut_short(reply: dns.message.Message) -> bool:
    """Whether an authoritative server left a chain where its zones end: neither an answer nor a denial."""
    is_denied = reply.rcode() != dns.rcode.NOERROR or any(r.rdtype == dns.rdatatype.SOA for r in reply.authority)
    return not reply.flags & dns.flags.RA and not is_denied
