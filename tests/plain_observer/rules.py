"""What a reply says about one rrset of one zone, and about the zone around a name."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from reconciler.state import Absent, Cause, Key, Observed, Present, RRset, Unknown, rdata_text


def rrset_at(reply: dns.message.Message, owner: dns.name.Name, rdtype: str) -> dns.rrset.RRset | None:
    """The rrset of the answer section."""
    for rrset in reply.answer:
        if (rrset.name, rrset.rdclass, rrset.rdtype) == (owner, dns.rdataclass.IN, dns.rdatatype.from_text(rdtype)):
            return rrset
    return None


def dname_above(reply: dns.message.Message, owner: dns.name.Name) -> dns.rrset.RRset | None:
    """The DNAME that rewrote the name, if any (RFC 6672)."""
    for rrset in reply.answer:
        if rrset.rdtype == dns.rdatatype.DNAME and rrset.name != owner and owner.is_subdomain(rrset.name):
            return rrset
    return None


def deepest(reply: dns.message.Message, owner: dns.name.Name, rdtype: str) -> dns.name.Name | None:
    """The lowest owner in the authority section of records of a type, at the name or above it."""
    kind = dns.rdatatype.from_text(rdtype)
    found = [r.name for r in reply.authority if r.rdtype == kind and owner.is_subdomain(r.name)]
    return max(found, key=len) if found else None


def points_elsewhere(reply: dns.message.Message) -> bool:
    """A referral (RFC 1034 section 4.3.2 step 3b)."""
    has_servers = any(r.rdtype == dns.rdatatype.NS for r in reply.authority)
    is_empty = reply.rcode() == dns.rcode.NOERROR and not reply.answer
    return is_empty and has_servers and not reply.flags & dns.flags.AA


def said_about(reply: dns.message.Message, key: Key, apex: str) -> Observed:
    """What an authoritative reply says about an rrset of the zone at `apex`."""
    owner, origin = dns.name.from_text(key.name), dns.name.from_text(apex)
    if not reply.flags & dns.flags.AA:
        return _without_authority(reply, owner, origin)
    rrset = rrset_at(reply, owner, key.type)
    problem = _alias(reply, owner, key) or _contradiction(reply, rrset, key)
    if problem is not None:
        return problem
    shown = deepest(reply, owner, "SOA") or deepest(reply, owner, "NS")
    if rrset is not None and key.type == "SOA":
        shown = owner
    if shown is not None and shown != origin:
        return _other_zone(shown, owner, origin)
    if rrset is None:
        return Absent()
    return Present(RRset(key, rrset.ttl, tuple(sorted({rdata_text(rdata) for rdata in rrset}))))


def _alias(reply: dns.message.Message, owner: dns.name.Name, key: Key) -> Unknown | None:
    dname = dname_above(reply, owner)
    if dname is not None:
        detail = f"{owner} lies below the DNAME of {dname.name}, which points to {dname[0].target}"
        return Unknown(Cause.CNAME, detail)
    cname = rrset_at(reply, owner, "CNAME")
    if cname is not None and key.type != "CNAME":
        return Unknown(Cause.CNAME, f"{owner} is a CNAME to {cname[0].target}")
    return None


def _contradiction(reply: dns.message.Message, rrset: dns.rrset.RRset | None, key: Key) -> Unknown | None:
    if rrset is None and reply.answer:
        return Unknown(Cause.MALFORMED, f"the answer to {key.type} {key.name} holds other records alone")
    rcode = reply.rcode()
    if rcode == dns.rcode.YXDOMAIN or (rcode == dns.rcode.NXDOMAIN and rrset is not None):
        detail = f"the answer to {key.type} {key.name} contradicts its {dns.rcode.to_text(rcode)}"
        return Unknown(Cause.MALFORMED, detail)
    return None


def _without_authority(reply: dns.message.Message, owner: dns.name.Name, origin: dns.name.Name) -> Unknown:
    if not points_elsewhere(reply):
        return Unknown(Cause.NOT_AUTHORITATIVE, f"the server answers without authority (no AA bit) for {owner}")
    cut = deepest(reply, owner, "NS")
    if cut is not None and cut != origin and cut.is_subdomain(origin):
        return _other_zone(cut, owner, origin)
    return Unknown(Cause.NOT_AUTHORITATIVE, f"the server refers to other servers for {owner}")


def _other_zone(zone: dns.name.Name, owner: dns.name.Name, origin: dns.name.Name) -> Unknown:
    if zone.is_subdomain(origin):
        return Unknown(Cause.DELEGATED, f"{owner} does not lie in the zone {origin}: it is delegated at {zone}")
    return Unknown(Cause.NOT_AUTHORITATIVE, f"the server answers for {owner} from the zone {zone}, not from {origin}")
