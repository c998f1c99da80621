"""Answers in wire form as servers make them, and the walker's law: what it accepts, dnspython reads in the same way."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from reconciler.observe.walker import Plain, read_plain
from reconciler.observe.wire import AA, RA, mixed_case, packed_query, question_wire

if TYPE_CHECKING:
    import random

NAMES = [
    "acme.example.",
    "_amazonses.acme.example.",
    "mail.ACME.example.",
    "example.",
    ".",
    "a.b.c.acme.example.",
    "org.",
]
RDATAS = {
    "A": ["192.0.2.1", "192.0.2.2"],
    "AAAA": ["2001:db8::1", "2001:db8::2"],
    "MX": ["10 mail.acme.example.", "0 inbound-smtp.EU-west-1.amazonaws.com.", "0 ."],
    "NS": ["ns1.acme.example.", "NS2.other.example."],
    "SOA": ["ns1.acme.example. hostmaster.acme.example. 1 2 3 4 5", ". . 4294967295 2 3 4 5"],
    "TXT": ['"a foreign value"', '"one" "two"', '"\\000\\255"', '""'],
    "CNAME": ["acme.example.", "elsewhere.example."],
    "DS": ["1 8 2 " + "AB" * 32],
}
TYPES = list(RDATAS)


def an_answer(dice: random.Random) -> tuple[bytes, bytes]:
    """A reply as a server might make it, and the question in lower case."""
    name, rdtype = dice.choice(NAMES).lower(), dice.choice(TYPES)
    question = question_wire(name, rdtype)
    asked = dns.message.from_wire(
        packed_query(b"\x12\x34", mixed_case(question, dice.randbytes(len(question))), 0, use_edns=True)
    )
    reply = dns.message.make_response(asked)
    reply.flags |= dns.flags.Flag(dice.choice([0, AA, AA, AA | RA]))
    reply.set_rcode(dns.rcode.Rcode(dice.choice([0, 0, 0, 3, 3, 2, 5])))
    if dice.random() < 0.7:
        owner = asked.question[0].name if dice.random() < 0.9 else dns.name.from_text(dice.choice(NAMES))
        kind = rdtype if dice.random() < 0.85 else dice.choice(TYPES)
        reply.answer = [rrset_of(dice, owner, kind)]
    for section, kinds in ((reply.authority, ["NS", "SOA", "SOA", "DS"]), (reply.additional, ["A", "AAAA", "TXT"])):
        for _ in range(dice.choice([0, 0, 1, 2])):
            kind = dice.choice(kinds) if dice.random() < 0.2 else kinds[dice.randrange(2)]
            section.append(rrset_of(dice, dns.name.from_text(dice.choice(NAMES)), kind))
    if dice.random() < 0.3:
        reply.use_edns(False)  # noqa: FBT003 - dnspython's way to say without
    return reply.to_wire(), question


def rrset_of(dice: random.Random, owner: dns.name.Name, rdtype: str) -> dns.rrset.RRset:
    most = 1 if rdtype in ("SOA", "CNAME") else len(RDATAS[rdtype])
    rdatas = dice.sample(RDATAS[rdtype], dice.randint(1, most))
    return dns.rrset.from_text(owner, dice.choice([0, 300, 2**31 - 1]), "IN", rdtype, *rdatas)


def check(wire: bytes, question: bytes) -> bool:
    """The walker's reading is dnspython's, or it has none; says whether it has one.

    Raises:
        AssertionError: another reading; and so is whatever dnspython raises.

    """
    plain = read_plain(wire, question)
    if plain is None:
        return False
    reply = dns.message.from_wire(wire)  # whatever the walker reads, dnspython does not refuse
    name, _ = dns.name.from_wire(question, 0)
    rdtype = dns.rdatatype.RdataType(int.from_bytes(question[-4:-2], "big"))
    assert reply.question == [dns.rrset.RRset(name, dns.rdataclass.IN, rdtype)]
    assert not reply.flags & dns.flags.TC
    rrset = reply.get_rrset(reply.answer, name, dns.rdataclass.IN, rdtype)
    assert len(reply.answer) == (rrset is not None)
    ttl = 0 if rrset is None else rrset.ttl
    rdatas = () if rrset is None else tuple(sorted(rdata.to_digestable() for rdata in rrset))
    assert replace(plain, authority=()) == Plain(reply.flags & ~0x000F, int(reply.rcode()), ttl, rdatas, ())
    assert all(name.is_subdomain(r.name) for r in reply.authority)
    expected = {(int(r.rdtype), len(r.name.to_wire() or b"")) for r in reply.authority}
    assert set(plain.authority) == expected
    return True
