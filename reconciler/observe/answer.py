"""What a reply of an authoritative server says about one rrset. Pure; every rule stands here and nowhere else.

Only an answer with the AA bit counts, and only one that comes from the zone looked for: a server that serves a child
zone too answers with authority for names that the zone itself has delegated away.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import repeat
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from reconciler.names import ROOT, Name, is_under
from reconciler.observe.records import in_order
from reconciler.observe.wire import AA, name_wire
from reconciler.state import Absent, Cause, Present, Rdata, RRset, Unknown, build_rrset, rdata_text

if TYPE_CHECKING:
    from reconciler.observe.records import Owners
    from reconciler.observe.reply import Reply
    from reconciler.observe.walker import Plain
    from reconciler.state import Key, Observed

# types whose canonical form is their octets, or has a text without case anyway (`rdata_text`)
_SAME_TEXT = frozenset({"A", "AAAA", "MX", "TXT"})
_ABSENT = Absent()


def observed_in(reply: dns.message.Message, key: Key, apex: Name) -> Observed:
    """What `reply` (NOERROR, NXDOMAIN or YXDOMAIN) says about the rrset `key` of the zone at `apex`.

    Negative answers as in RFC 2308 section 2.2: with the zone's SOA, or with nothing at all.
    """
    owner, origin = dns.name.from_text(key.name), dns.name.from_text(apex)
    if not reply.flags & dns.flags.AA:
        return _without_authority(reply, owner, origin)
    rrset = _answer(reply, owner, dns.rdatatype.from_text(key.type))
    problem = _alias(reply, owner, key) or _contradiction(reply, rrset, key)
    if problem is not None:
        return problem
    shown = owner if rrset is not None and rrset.rdtype == dns.rdatatype.SOA else _zone_in_authority(reply, owner)
    if shown is not None and shown != origin:
        return _from_other_zone(shown, owner, origin)
    if rrset is None:
        return Absent()
    return Present(build_rrset(key, rrset.ttl, frozenset(rdata_text(rdata) for rdata in rrset)))


def observed_in_reply(reply: Reply, key: Key, apex: Name) -> Observed:
    """The same, with a short cut for what most replies are: plain, with authority, from the zone itself."""
    return observed_beneath(reply, key, apex) if is_under(key.name, apex) else observed_in(reply.message, key, apex)


def observed_beneath(reply: Reply, key: Key, apex: Name) -> Observed:
    """The same, where it is known that the name is `apex` or lies below it."""
    plain = reply.plain
    if plain is None or not _is_from_zone(plain, apex):
        return observed_in(reply.message, key, apex)
    rdatas = plain.rdatas
    if not rdatas:
        return _ABSENT
    name, rdtype = key
    # a contradiction, other text than the canonical rdata's, or a zone of its own begins there
    if plain.rcode or (rdtype not in _SAME_TEXT and reply.has_capitals) or (rdtype == "SOA" and name != apex):
        return observed_in(reply.message, key, apex)
    return Present(RRset(key, plain.ttl, _texts(rdtype, rdatas)))


def is_plain_absence(reply: Reply, apex: Name) -> bool:
    """Whether a plain reply says with authority, from the zone itself, that there is no such rrset below `apex`."""
    plain = reply.plain
    return plain is not None and not plain.rdatas and _is_from_zone(plain, apex)


def _is_from_zone(plain: Plain, apex: Name) -> bool:
    """Whether a plain reply about a name at or below `apex` has authority, and shows no other zone."""
    authority = plain.authority
    if not plain.flags & AA:
        return False
    if not authority:
        return True
    shown = authority[0][1] if len(authority) == 1 else _shown_zone(authority)
    return shown == len(name_wire(apex))


def shows_apex(reply: Reply, name: Name) -> bool:
    """Whether a reply about `name` alone shows that the server holds the zone whose apex that name is.

    A positive answer with authority, beside the NS rrset of the name itself and nothing else: an authoritative server
    copies out the data of the zone nearest to the name (RFC 1034 section 4.3.2), and answers with authority for nobody
    else's (RFC 2181 section 6.1).
    """
    plain = reply.plain
    if plain is None:
        return False
    is_positive = bool(plain.rdatas) and not plain.rcode and bool(plain.flags & AA)
    return is_positive and plain.authority == ((dns.rdatatype.NS, len(name_wire(name))),)


def _shown_zone(authority: Owners) -> int:
    """The apex that the authority section shows, in octets: the SOA's of a negative answer, else the NS rrset's."""
    soa = [octets for kind, octets in authority if kind == dns.rdatatype.SOA]
    return max(soa or [octets for _, octets in authority])


def _texts(rdtype: str, rdatas: tuple[bytes, ...]) -> tuple[Rdata, ...]:
    return in_order(list(map(_txt_text, rdatas) if rdtype == "TXT" else map(_known_text, repeat(rdtype), rdatas)))


def _txt_text(wire: bytes) -> Rdata:
    """The text of TXT rdata: each domain has values of its own, and nearly all need no escapes."""
    if wire[0] == len(wire) - 1 and wire.isascii():
        text = wire[1:].decode("ascii")
        if text.isprintable() and '"' not in text and "\\" not in text:
            return Rdata(f'"{text}"')  # one character-string that needs no escapes (RFC 1035 section 5.1)
    return _known_text("TXT", wire)


@lru_cache(maxsize=4096)
def _known_text(rdtype: str, wire: bytes) -> Rdata:
    return rdata_text(dns.rdata.from_wire(dns.rdataclass.IN, rdtype, wire, 0, len(wire)))


def answered_rrset(reply: dns.message.Message, name: str, rdtype: str) -> dns.rrset.RRset | None:
    """The rrset that the answer holds at `name`: of type `rdtype`, or the CNAME."""
    owner = dns.name.from_text(name)
    return _answer(reply, owner, dns.rdatatype.CNAME) or _answer(reply, owner, dns.rdatatype.from_text(rdtype))


def has_answer(reply: Reply, name: str, rdtype: str) -> bool:
    """Whether the reply to the question for `name` and `rdtype` holds that rrset, or the CNAME."""
    if reply.plain is not None:
        return bool(reply.plain.rdatas)
    return answered_rrset(reply.message, name, rdtype) is not None


def is_alias(reply: dns.message.Message, name: Name) -> bool:
    """Whether the answer begins with a CNAME at `name`, or with a DNAME above it."""
    owner = dns.name.from_text(name)
    return _answer(reply, owner, dns.rdatatype.CNAME) is not None or _dname_above(reply, owner) is not None


def is_referral(reply: dns.message.Message) -> bool:
    """Whether the server points to others instead of answering (RFC 1034 section 4.3.2 step 3b)."""
    return (
        not reply.flags & dns.flags.AA
        and reply.rcode() == dns.rcode.NOERROR
        and not reply.answer
        and any(rrset.rdtype == dns.rdatatype.NS for rrset in reply.authority)
    )


def zone_in_soa_reply(reply: dns.message.Message, name: Name) -> dns.name.Name | None:
    """The apex of the zone that holds `name`, as the reply to its SOA question shows it; None when it shows none."""
    owner = dns.name.from_text(name)
    if _answer(reply, owner, dns.rdatatype.SOA) is not None:
        return owner
    return _deepest(reply, owner, dns.rdatatype.SOA)


def zone_around(reply: Reply, name: Name) -> Name | None:
    """The same from a reply, with a short cut for a plain one."""
    if reply.plain is None:
        zone = zone_in_soa_reply(reply.message, name)
        return None if zone is None else Name(zone.canonicalize().to_text())
    if reply.plain.rdatas:
        return name
    zones = [octets for kind, octets in reply.plain.authority if kind == dns.rdatatype.SOA]
    if not zones:
        return None
    deepest = max(zones)
    return ROOT if deepest == 1 else Name(name[len(name_wire(name)) - deepest :])


def _answer(
    reply: dns.message.Message, owner: dns.name.Name, rdtype: dns.rdatatype.RdataType
) -> dns.rrset.RRset | None:
    return reply.get_rrset(reply.answer, owner, dns.rdataclass.IN, rdtype)


def _without_authority(reply: dns.message.Message, owner: dns.name.Name, origin: dns.name.Name) -> Unknown:
    cut = _deepest(reply, owner, dns.rdatatype.NS)
    if is_referral(reply) and cut is not None and cut != origin and cut.is_subdomain(origin):
        return _from_other_zone(cut, owner, origin)
    what = "refers to other servers" if is_referral(reply) else "answers without authority (no AA bit)"
    return Unknown(Cause.NOT_AUTHORITATIVE, f"the server {what} for {owner}")


def _alias(reply: dns.message.Message, owner: dns.name.Name, key: Key) -> Unknown | None:
    dname = _dname_above(reply, owner)
    if dname is not None:
        detail = f"{owner} lies below the DNAME of {dname.name}, which points to {dname[0].target}"
        return Unknown(Cause.CNAME, detail)
    cname = None if key.type == "CNAME" else _answer(reply, owner, dns.rdatatype.CNAME)
    return None if cname is None else Unknown(Cause.CNAME, f"{owner} is a CNAME to {cname[0].target}")


def _contradiction(reply: dns.message.Message, rrset: dns.rrset.RRset | None, key: Key) -> Unknown | None:
    if reply.answer and rrset is None:
        return Unknown(Cause.MALFORMED, f"the answer to {key.type} {key.name} holds other records alone")
    rcode = reply.rcode()
    if rcode != dns.rcode.NOERROR and (rrset is not None or rcode == dns.rcode.YXDOMAIN):
        return Unknown(
            Cause.MALFORMED, f"the answer to {key.type} {key.name} contradicts its {dns.rcode.to_text(rcode)}"
        )
    return None


def _dname_above(reply: dns.message.Message, owner: dns.name.Name) -> dns.rrset.RRset | None:
    for rrset in reply.answer:
        if rrset.rdtype == dns.rdatatype.DNAME and rrset.name != owner and owner.is_subdomain(rrset.name):
            return rrset
    return None


def _zone_in_authority(reply: dns.message.Message, owner: dns.name.Name) -> dns.name.Name | None:
    """The apex that the authority section shows: the SOA's of a negative answer, else the NS rrset's."""
    return _deepest(reply, owner, dns.rdatatype.SOA) or _deepest(reply, owner, dns.rdatatype.NS)


def _deepest(reply: dns.message.Message, owner: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> dns.name.Name | None:
    names = (r.name for r in reply.authority if r.rdtype == rdtype and owner.is_subdomain(r.name))
    return max(names, key=len, default=None)


def _from_other_zone(shown: dns.name.Name, owner: dns.name.Name, origin: dns.name.Name) -> Unknown:
    if shown.is_subdomain(origin):
        return Unknown(Cause.DELEGATED, f"{owner} does not lie in the zone {origin}: it is delegated at {shown}")
    return Unknown(Cause.NOT_AUTHORITATIVE, f"the server answers for {owner} from the zone {shown}, not from {origin}")
