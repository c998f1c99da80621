"""DNS queries in wire form, without message objects: packing one costs a hundredth of what dnspython's message does."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import NamedTuple

import dns.name
import dns.rdatatype

from reconciler.names import MAX_LABEL_OCTETS, MAX_NAME_OCTETS

HEADER_OCTETS = 12
EDNS_PAYLOAD = 1232  # octets that pass nearly every path unfragmented (DNS flag day 2020; RFC 9715 section 3.2)

QR, AA, TC, RD, RA = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080  # RFC 1035 section 4.1.1
OPCODE, RCODE = 0x7800, 0x000F

_IN = b"\x00\x01"
_OPT_RECORD = (
    b"\x00\x00\x29" + struct.pack("!H", EDNS_PAYLOAD) + bytes(6)
)  # RFC 6891 section 6.1.2; version 0, no flags
_ONE_QUESTION = {True: struct.pack("!HHHH", 1, 0, 0, 1), False: struct.pack("!HHHH", 1, 0, 0, 0)}
_PLAIN_HEAD = bytes(2) + _ONE_QUESTION[True]
# for every letter of a name in its outline: begins no name, and is in no usual number of seconds (days are multiples
# of 128)
LETTER = b"\x9d"

_LENGTH = [bytes((size,)) for size in range(MAX_LABEL_OCTETS + 1)]
_OUTLINE = [bytes((size,)) + LETTER * size for size in range(MAX_LABEL_OCTETS + 1)]

# the bit that tells upper from lower case, at each letter; nothing elsewhere
_CASE_BIT = bytes(0x20 if chr(octet).isalpha() and octet < 0x80 else 0 for octet in range(256))  # noqa: PLR2004 - ASCII


class EncodedName(NamedTuple):
    """A name as it is asked for again and again.

    `wire` is its canonical wire form (lowercase, uncompressed), `outline` the same with all letters alike; `number` is
    the wire form as a number, `case_bits` has the bit that tells upper from lower case, at each of its letters.
    """

    wire: bytes
    outline: bytes
    number: int
    case_bits: int


@lru_cache(maxsize=2048)
def encoded_name(name: str) -> EncodedName:
    """An absolute name in text, with what every question for it needs.

    Raises:
        dns.exception.DNSException: it is no name.

    """
    first, _, rest = name.partition(".")
    size = len(first)
    if rest and 0 < size <= MAX_LABEL_OCTETS and _is_simple(name):
        above = encoded_name(rest)  # known, as a rule
        wire = _LENGTH[size] + first.lower().encode("ascii") + above.wire
        outline = _OUTLINE[size] + above.outline
    else:
        labels = _labels(name)
        wire = b"".join(_LENGTH[len(label)] + label for label in labels)
        outline = b"".join(_OUTLINE[len(label)] for label in labels)
    return EncodedName(wire, outline, int.from_bytes(wire, "big"), int.from_bytes(wire.translate(_CASE_BIT), "big"))


def _is_simple(name: str) -> bool:
    """Whether its labels are what stands between its dots."""
    return name.isascii() and name[-1] == "." and "\\" not in name and len(name) < MAX_NAME_OCTETS


def _labels(name: str) -> list[bytes]:
    """The labels of an absolute name in lower case, the root's empty one included.

    Raises:
        dns.exception.DNSException: it is no name.

    """
    labels = name.lower().encode("ascii").split(b".") if _is_simple(name) else []
    if labels and all(0 < len(label) <= MAX_LABEL_OCTETS for label in labels[:-1]) and labels[0]:
        return labels
    return list(dns.name.from_text(name).canonicalize().labels)


def name_wire(name: str) -> bytes:
    """The canonical wire form (lowercase, uncompressed) of an absolute name in text.

    Raises:
        dns.exception.DNSException: it is no name.

    """
    return encoded_name(name).wire


def question_wire(name: str, rdtype: str) -> bytes:
    """The question section for one name and type in class IN, in lower case.

    Raises:
        dns.exception.DNSException: it is no name, or no type.

    """
    return name_wire(name) + kind_wire(rdtype)


@lru_cache(maxsize=256)
def kind_wire(rdtype: str) -> bytes:
    """What follows the name in a question: a type in text, and the class IN.

    Raises:
        dns.exception.DNSException: it is no type.

    """
    return int(dns.rdatatype.from_text(rdtype)).to_bytes(2, "big") + _IN


def mixed_case(question: bytes, randomness: bytes) -> bytes:
    """The question with the case of each letter chosen by a bit of `randomness`, which is as long as the question.

    A server repeats the question to the letter, a forger has to guess it (draft-vixie-dnsext-dns0x20).
    """
    name = question[:-4]
    bits = int.from_bytes(name.translate(_CASE_BIT), "big")
    return mixed_name(EncodedName(name, b"", int.from_bytes(name, "big"), bits), randomness) + question[-4:]


def mixed_name(name: EncodedName, randomness: bytes) -> bytes:
    """The same for a name alone; more randomness than it has octets does no harm."""
    mixed = name.number ^ (name.case_bits & int.from_bytes(randomness, "big"))
    return mixed.to_bytes(len(name.wire), "big")


def folded_case(question: bytes) -> bytes:
    """The question in lower case; type and class are no letters, whatever their octets."""
    return question[:-4].lower() + question[-4:]


def packed_query(identity: bytes, question: bytes, flags: int, *, use_edns: bool) -> bytes:
    """A query with one question; `identity` has two octets, `flags` are those of the header."""
    if use_edns and not flags:
        return identity + _PLAIN_HEAD + question + _OPT_RECORD
    query = identity + flags.to_bytes(2, "big") + _ONE_QUESTION[use_edns] + question
    return query + _OPT_RECORD if use_edns else query
