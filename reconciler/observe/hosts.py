"""Names as a sender resolves them: hosts with their addresses and aliases, TLSA, DS, and whether DNSSEC is whole.

Everything is asked from the resolvers, or from the servers that the settings name as addresses (see `zones.py`).
Whether an answer is authenticated is the resolver's word alone: its AD bit (RFC 4035 section 3.2.3).
"""

from __future__ import annotations

import asyncio
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
from reconciler.observe.surroundings import name_below
from reconciler.observe.zones import Once, ZoneFinder
from reconciler.state import Absent, Cause, Key, Present, Unknown, build_rrset, rdata_text
from reconciler.surroundings import DnssecSight, HostSight, TlsaSight

if TYPE_CHECKING:
    from reconciler.observe.exchange import DnsSettings
    from reconciler.state import Observed
    from reconciler.surroundings import Host

_DNS_PORT = 53


class HostLookup:
    """Asks the resolvers; each distinct look-up happens once."""

    def __init__(self, settings: DnsSettings) -> None:
        """Prepare; nothing is asked yet."""
        self._finder = ZoneFinder(Exchanger(settings), settings, _DNS_PORT)
        self.host: Once[Name, Host] = Once(self._host)
        self.tlsa: Once[Name, TlsaSight | Absent | Unknown] = Once(self._tlsa)
        self._ds: Once[Name, _Answer] = Once(self._ds_answer)

    async def addresses(self, host: Name) -> tuple[str, ...] | Unknown:
        """The addresses of a host, A before AAAA; unknown where there are none, too."""
        found = await self.host(host)
        if isinstance(found, HostSight):
            return found.addresses
        return found if isinstance(found, Unknown) else Unknown(Cause.NETWORK, f"{host} has no address")

    async def txt(self, name: Name) -> Observed:
        """The TXT rrset that senders find at `name`, wherever CNAMEs lead."""
        reply = await self._resolved(Query(name, "TXT", recurse=True))
        if isinstance(reply, Unknown):
            return reply
        rrset = _at_chains_end(reply)
        if rrset is None:
            return Absent()
        return Present(build_rrset(Key(name, "TXT"), rrset.ttl, frozenset(rdata_text(rdata) for rdata in rrset)))

    async def dnssec(self, domain: Name, zone: Name) -> DnssecSight | Unknown:
        """Whether `zone` is signed, and whether a validating resolver refuses what it holds at the mail domain.

        A resolver that validates answers SERVFAIL to what is bogus, and the same with the CD bit (RFC 4035 section
        3.2.2) as it got it; one that does not validate answers the same to both, and no problem is seen.
        """
        ds, mx = await asyncio.gather(self._ds(zone), self._validated(Query(domain, "MX")))
        if isinstance(ds.reply, Unknown):
            return ds.reply
        if isinstance(mx.reply, Unknown):
            return mx.reply
        rrset = _rrset_at(ds.reply, zone, dns.rdatatype.DS)
        if rrset is None and zone_in_soa_reply(ds.reply, zone) == dns.name.from_text(zone):
            detail = f"the server asked serves {zone} itself and not its parent, where its DS would be"
            return Unknown(Cause.NOT_AUTHORITATIVE, detail)
        return DnssecSight(rrset is not None, ds.problem or mx.problem)

    async def _host(self, host: Name) -> Host:
        if host == ROOT:
            return Absent()  # the target of a null MX (RFC 7505)
        types = ("A", "AAAA")
        replies = await asyncio.gather(*(self._resolved(Query(host, t, recurse=True)) for t in types))
        answers = [reply for reply in replies if not isinstance(reply, Unknown)]
        failures = [reply for reply in replies if isinstance(reply, Unknown)]
        ends = [rrset for reply in answers if (rrset := _at_chains_end(reply)) is not None]
        alias = next((name for reply in answers if (name := _alias(reply, host)) is not None), None)
        if ends:
            return HostSight(tuple(dict.fromkeys(rdata.address for rrset in ends for rdata in rrset)), alias)
        if failures:
            return Unknown(failures[0].cause, f"no address of {host} could be found: {failures[0].detail}")
        if alias is not None and any(_is_cut_short(reply) for reply in answers):
            return Unknown(
                Cause.NOT_AUTHORITATIVE, f"{host} is a CNAME to {alias}, which the server asked does not know"
            )
        return Absent()

    async def _tlsa(self, host: Name) -> TlsaSight | Absent | Unknown:
        name = name_below("_25._tcp", host)
        if name is None or host == ROOT:
            return Absent()
        reply = await self._resolved(Query(name, "TLSA", recurse=True, flags=dns.flags.AD))
        if isinstance(reply, Unknown):
            return reply
        rrset = _at_chains_end(reply)
        return Absent() if rrset is None else TlsaSight(len(rrset), bool(reply.flags & dns.flags.AD))

    async def _ds_answer(self, zone: Name) -> _Answer:
        return await self._validated(Query(zone, "DS"))

    async def _validated(self, query: Query) -> _Answer:
        reply = await self._resolved(Query(query.name, query.type, recurse=True, flags=dns.flags.AD))
        if not isinstance(reply, Unknown) or reply.cause is not Cause.SERVFAIL:
            return _Answer(reply, "")
        unchecked = await self._resolved(Query(query.name, query.type, recurse=True, flags=dns.flags.CD))
        if isinstance(unchecked, Unknown):
            return _Answer(reply, "")
        problem = f"validation fails: the resolver refuses {query.type} {query.name} and answers it unchecked"
        return _Answer(unchecked, problem)

    async def _resolved(self, query: Query) -> dns.message.Message | Unknown:
        return await self._finder.resolve(query)


class _Answer(NamedTuple):
    reply: dns.message.Message | Unknown
    problem: str


def _rrset_at(reply: dns.message.Message, name: Name, rdtype: dns.rdatatype.RdataType) -> dns.rrset.RRset | None:
    return reply.get_rrset(reply.answer, dns.name.from_text(name), dns.rdataclass.IN, rdtype)


def _at_chains_end(reply: dns.message.Message) -> dns.rrset.RRset | None:
    """The rrset of the type asked for, behind CNAMEs or at once; None where there is none."""
    try:
        answer: dns.rrset.RRset | None = reply.resolve_chaining().answer  # type: ignore[attr-defined]
    except dns.exception.DNSException:
        return None  # a loop of CNAMEs, or a chain that is too long: it leads nowhere
    return answer


def _alias(reply: dns.message.Message, host: Name) -> Name | None:
    rrset = _rrset_at(reply, host, dns.rdatatype.CNAME)
    return None if rrset is None else Name(rrset[0].target.canonicalize().to_text())


def _is_cut_short(reply: dns.message.Message) -> bool:
    """Whether an authoritative server left a chain where its zones end: neither an answer nor a denial."""
    is_denied = reply.rcode() != dns.rcode.NOERROR or any(r.rdtype == dns.rdatatype.SOA for r in reply.authority)
    return not reply.flags & dns.flags.RA and not is_denied
