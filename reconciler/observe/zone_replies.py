"""What replies say about zones, their name servers and the addresses of these. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import dns.exception
import dns.ipv4
import dns.ipv6
import dns.name
import dns.rcode
import dns.rdatatype

from reconciler.names import ROOT, Name
from reconciler.observe.answer import answered_rrset, is_alias, is_referral, zone_around
from reconciler.observe.asking import ExchangeError
from reconciler.observe.wire import AA
from reconciler.state import Cause, Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.observe.reply import Reply

# what the SOA question at one name tells: the apex of the zone around it, that one has to look further up, or a failure
Step = Name | Unknown | None

# a server that has answered, and holds no zone around the name
_SAYS_NO = frozenset({Cause.NO_SUCH_ZONE, Cause.REFUSED, Cause.NOT_AUTHORITATIVE})
_MAX_SERVERS = 32  # of one zone, twice what the best-served have; a reply has room for thousands of hosts of others
_IPV4_OCTETS = 4


def soa_step(reply: Reply, name: Name) -> Step:
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


def server_step(reply: Reply | ExchangeError | Unknown, label: str, name: Name) -> Step:
    """The same for what became of the question at the server that reports call `label`: only authority counts."""
    if isinstance(reply, Unknown):
        return reply
    if isinstance(reply, ExchangeError):
        return reply.unknown
    plain = reply.plain
    if plain is not None and plain.rdatas and plain.flags & AA and name != ROOT:
        return name  # nearly always: the mail domain is an apex
    if reply.flags & AA:
        return soa_step(reply, name)
    if is_referral(reply.message):
        return None
    return Unknown(Cause.NOT_AUTHORITATIVE, f"{label} answers without authority for {name}")


def combined_step(name: Name, steps: Sequence[Step]) -> Step:
    """What all of a zone's servers tell together about the SOA at `name`."""
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


def hosts_in(reply: Reply, apex: Name) -> list[str] | Unknown:
    """The name servers of the zone at `apex`, sorted: the reply to its NS question."""
    if reply.plain is not None:
        hosts = {_host(target) for target in reply.plain.rdatas}
    else:
        rrset = answered_rrset(reply.message, apex, "NS")
        is_there = rrset is not None and rrset.rdtype == dns.rdatatype.NS
        hosts = {rdata.target.canonicalize().to_text() for rdata in rrset} if is_there and rrset else set()
    if not hosts:
        return Unknown(Cause.MALFORMED, f"the zone {apex} shows no NS rrset")
    if len(hosts) > _MAX_SERVERS:
        detail = f"the zone {apex} names {len(hosts)} name servers, and at most {_MAX_SERVERS} are asked"
        return Unknown(Cause.MALFORMED, detail)
    return sorted(hosts)


@lru_cache(maxsize=4096)
def _host(target: bytes) -> str:
    """A name in wire form as text: thousands of zones have the same name servers."""
    return dns.name.from_wire(target, 0)[0].to_text()


def addresses_in(reply: Reply) -> list[str]:
    """The addresses at the end of a CNAME chain, or none: the reply to an A or AAAA question."""
    if reply.plain is not None:
        octets = reply.plain.rdatas if reply.plain.rcode == dns.rcode.NOERROR else ()
        return [dns.ipv4.inet_ntoa(o) if len(o) == _IPV4_OCTETS else dns.ipv6.inet_ntoa(o) for o in octets]
    try:
        answer = reply.message.resolve_chaining().answer  # type: ignore[attr-defined]  # from_wire gives a QueryMessage
    except dns.exception.DNSException:
        return []
    return [] if answer is None else [rdata.address for rdata in answer]


@lru_cache(maxsize=4096)
def _is_public_suffix(apex: Name) -> bool:
    return bool(_public_suffixes().is_public(apex.rstrip(".")))


@lru_cache(maxsize=1)
def _public_suffixes():  # type: ignore[no-untyped-def]  # noqa: ANN202 - the library has no types
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 - read only where a name does not exist

    return PublicSuffixList()
