"""DNS queries in wire form, without message objects: packing one costs a hundredth of what dnspython's message does."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING

import dns.name
import dns.rdatatype

from reconciler.names import MAX_LABEL_OCTETS, MAX_NAME_OCTETS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    EncodedName: TypeAlias = tuple[bytes, bytes]
    """Its canonical wire form (lowercase, uncompressed), and that with all letters alike: its outline."""

HEADER_OCTETS = 12
EDNS_PAYLOAD = 1232  # octets that pass nearly every path unfragmented (DNS flag day 2020; RFC 9715 section 3.2)

QR, AA, TC, RD, RA = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080  # RFC 1035 section 4.1.1
OPCODE, RCODE = 0x7800, 0x000F

_IN = b"\x00\x01"
_OPT_RECORD = (
    b"\x00\x00\x29" + struct.pack("!H", EDNS_PAYLOAD) + bytes(6)
)  # RFC 6891 section 6.1.2; version 0, no flags
# for every letter of a name in its outline: begins no name, and is in no usual number of seconds (days are multiples
# of 128)
LETTER = b"\x9d"

_LENGTH = [bytes((size,)) for size in range(MAX_LABEL_OCTETS + 1)]
_SIMPLE = b"abcdefghijklmnopqrstuvwxyz0123456789_*-"

# the bit that tells upper from lower case, at each letter; nothing elsewhere
_CASE_BIT = bytes(0x20 if chr(octet).isalpha() and octet < 0x80 else 0 for octet in range(256))  # noqa: PLR2004 - ASCII


@lru_cache(maxsize=2048)
def encoded_name(name: str) -> EncodedName:
    """What every question for an absolute name in text needs.

    Raises:
        dns.exception.DNSException: it is no name.

    """
    first, _, rest = name.partition(".")
    label = first.encode()
    size = len(label)
    if rest and rest != "." and 0 < size <= MAX_LABEL_OCTETS and not label.strip(_SIMPLE):
        above, outline = encoded_name(rest)  # known, as a rule
        wire = _LENGTH[size] + label + above
        if len(wire) <= MAX_NAME_OCTETS:
            return wire, _outline_below(size, outline)
    labels = dns.name.from_text(name).canonicalize().labels
    return encoded_wire(b"".join(_LENGTH[len(label)] + label for label in labels))


@lru_cache(maxsize=256)
def encoded_wire(wire: bytes) -> EncodedName:
    """The same from the canonical wire form."""
    sizes = []
    place = 0
    while octet := wire[place]:
        sizes.append(octet)
        place += octet + 1
    outline = b"\x00"
    for size in reversed(sizes):
        outline = _outline_below(size, outline)
    return wire, outline


@lru_cache(maxsize=2048)
def _outline_below(size: int, above: bytes) -> bytes:
    """The outline of a name whose first label has so many octets: the same object for all that have that one."""
    return _LENGTH[size] + LETTER * size + above


def name_wire(name: str) -> bytes:
    """The canonical wire form (lowercase, uncompressed) of an absolute name in text.

    Raises:
        dns.exception.DNSException: it is no name.

    """
    return encoded_name(name)[0]


def question_wire(name: str, rdtype: str) -> bytes:
    """The question section for one name and type in class IN, in lower case.

    Raises:
        dns.exception.DNSException: it is no name, or no type.

    """
    return name_wire(name) + encoded_kind(rdtype)[0]


@lru_cache(maxsize=256)
def encoded_kind(rdtype: str) -> tuple[bytes, int]:
    """What follows the name in a question for a type in text: type and class IN; and the type's number.

    Raises:
        dns.exception.DNSException: it is no type.

    """
    number = int(dns.rdatatype.from_text(rdtype))
    return number.to_bytes(2, "big") + _IN, number


def mixed_case(question: bytes, randomness: bytes) -> bytes:
    """The question with the case of each letter chosen by a bit of `randomness`, which is as long as the question.

    A server repeats the question to the letter, a forger has to guess it (draft-vixie-dnsext-dns0x20).
    """
    return mixed_names([question[:-4]], randomness)[0] + question[-4:]


def mixed_names(names: Sequence[bytes], randomness: bytes) -> list[bytes]:
    """The same for many names alone; `randomness` is at least as long as all of them together."""
    joined = b"".join(names)
    bits = int.from_bytes(joined.translate(_CASE_BIT), "big") & int.from_bytes(randomness, "big")
    mixed = (int.from_bytes(joined, "big") ^ bits).to_bytes(len(joined), "big")
    begin = 0
    return [mixed[begin : (begin := begin + len(name))] for name in names]


def folded_case(question: bytes) -> bytes:
    """The question in lower case; type and class are no letters, whatever their octets."""
    return question[:-4].lower() + question[-4:]


def packed_query(identity: bytes, question: bytes, flags: int, *, use_edns: bool) -> bytes:
    """A query with one question; `identity` has two octets, `flags` are those of the header."""
    head, tail = query_frame(flags, use_edns=use_edns)
    return identity + head + question + tail


@lru_cache(maxsize=64)
def query_frame(flags: int, *, use_edns: bool) -> tuple[bytes, bytes]:
    """What such a query has between id and question, and behind the question."""
    tail = _OPT_RECORD if use_edns else b""
    return struct.pack("!HHHHH", flags, 1, 0, 0, int(use_edns)), tail
