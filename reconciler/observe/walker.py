"""Plain answers are walked in wire form, and never become message objects.

Parsing whole messages is what asking costs, not the network. Nearly every answer is plain: records of the type asked
for at the name asked for, or none; NS and SOA in the authority section; addresses and OPT in the additional one. Those
are read here. For everything else `read_plain` gives None and dnspython reads the message. It never gives a reading
where dnspython refuses the message, and never another one; what is odd is left to dnspython instead.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from reconciler.names import MAX_LABEL_OCTETS, MAX_NAME_OCTETS
from reconciler.observe.wire import HEADER_OCTETS, OPCODE, QR, RCODE, TC, folded_case

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    _Seen: TypeAlias = dict[bytes, bytes]  # a pointer's two octets -> the name it points to
    _Reader: TypeAlias = Callable[[bytes, int, int, _Seen], bytes]  # wire, begin, end -> canonical rdata
    _Owners: TypeAlias = tuple[tuple[int, bytes], ...]

_A, _NS, _SOA, _MX, _TXT, _AAAA = 1, 2, 6, 15, 16, 28
_POINTER_TO_QUESTION = b"\xc0\x0c"
_POINTER = 0xC0
_MAX_POINTERS = 8  # in one name; dnspython allows more, so a longer chain is left to it
_MAX_TTL = 0x7FFFFFFF  # a greater one counts as 0 (RFC 2181 section 8)
_RECORD_HEAD = struct.Struct("!HHIH")
_COUNTS = struct.Struct("!HHHHH")
_SOA_NUMBERS = 20
_NOT_PLAIN = QR | TC | OPCODE  # all but the first are 0 in a plain answer

_LETTER = _NO_NAME = b"\x80"  # for every letter of the question, and all that must not be pointed to: begins no name


class Plain(NamedTuple):
    """What a plain answer says.

    `flags` are the header's, without opcode and rcode; `rcode` is 0 or 3. `rdatas` are of the type asked for, in
    canonical wire form (RFC 4034 section 6.2), sorted, without duplicates; `ttl` in seconds is the least of theirs.
    `authority` holds type and owner name (canonical wire form) of the records in the authority section.
    """

    flags: int
    rcode: int
    ttl: int
    rdatas: tuple[bytes, ...]
    authority: tuple[tuple[int, bytes], ...]


class _OddError(Exception):
    """Something that dnspython has to read."""


def read_plain(wire: bytes, question: bytes) -> Plain | None:
    """Reads a reply whose question section is `question`, but for case; None: dnspython has to read it.

    `wire` is whatever came; `question` is in lower case.
    """
    try:
        return _plain(wire, question)
    except (_OddError, struct.error, IndexError):
        return None


def _plain(wire: bytes, question: bytes) -> Plain | None:
    flags, questions, answers, authorities, additionals = _COUNTS.unpack_from(wire, 2)
    rcode = flags & RCODE
    position = HEADER_OCTETS + len(question)
    if questions != 1 or flags & _NOT_PLAIN != QR or rcode not in (0, 3):
        return None
    asked = wire[HEADER_OCTETS:position]
    if asked != question and folded_case(asked) != question:
        return None
    seen = {_POINTER_TO_QUESTION: question[:-4]}
    flags &= ~(OPCODE | RCODE)
    ttl, rdatas, position = _answers(wire, position, question, answers, seen)
    tail = wire[position:]
    owners = None
    if _LETTER not in tail:
        outline = _outline(question)
        owners = _outlined_tail(outline, position - HEADER_OCTETS - len(outline), tail, authorities, additionals)
    if owners is None:
        return Plain(flags, rcode, ttl, rdatas, _tail(wire, position, seen, authorities, additionals))
    read = tuple((rdtype, owner if begin < 0 else question[begin:-4]) for rdtype, owner, begin in owners)
    return Plain(flags, rcode, ttl, rdatas, read)


def _outline(question: bytes) -> bytes:
    """The question's name with all letters alike: what matters for where names in a message begin and end."""
    parts = []
    place = 0
    while octet := question[place]:
        parts.append(question[place : place + 1] + _LETTER * octet)
        place += octet + 1
    return b"".join(parts) + b"\x00"


@lru_cache(maxsize=2048)
def _outlined_tail(
    outline: bytes, between: int, tail: bytes, authorities: int, additionals: int
) -> tuple[tuple[int, bytes, int], ...] | None:
    """The sections after the answer: (type, owner, -1) or, for a part of the question, (type, b"", where it begins).

    Thousands of domains at one provider have the same octets there. They mean the same, to the letters of the question,
    as long as no name in them points to the header or to the answer: those are out of bounds here. None: they do, or
    are odd, or hold a name that is only partly the question's.
    """
    wire = _NO_NAME * HEADER_OCTETS + outline + _NO_NAME * between + tail
    try:
        owners = _tail(wire, len(wire) - len(tail), {_POINTER_TO_QUESTION: outline}, authorities, additionals)
    except (_OddError, struct.error, IndexError):
        return None
    outlined = []
    for rdtype, owner in owners:
        begin = len(outline) - len(owner)
        if _LETTER not in owner:
            outlined.append((rdtype, owner, -1))
        elif begin >= 0 and outline[begin:] == owner:
            outlined.append((rdtype, b"", begin))
        else:
            return None
    return tuple(outlined)


def _tail(wire: bytes, position: int, seen: _Seen, authorities: int, additionals: int) -> _Owners:
    """Type and owner of the records in the authority section; everything to the end of the message is walked."""
    owners = []
    for _ in range(authorities):
        rdtype, owner, position = _other_record(wire, position, seen, _AUTHORITY)
        owners.append((rdtype, owner))
    has_opt = False
    for _ in range(additionals):
        if wire[position : position + 3] == b"\x00\x00\x29" and not has_opt:
            position = _opt_end(wire, position)
            has_opt = True
        else:
            _, _, position = _other_record(wire, position, seen, _ADDITIONAL)
    if position != len(wire):
        raise _OddError
    return tuple(owners)


def _answers(
    wire: bytes, position: int, question: bytes, count: int, seen: _Seen
) -> tuple[int, tuple[bytes, ...], int]:
    """TTL, rdatas, and where the section ends."""
    if not count:
        return 0, (), position
    rdtype = question[-4] << 8 | question[-3]
    read = _READERS.get(rdtype)
    if read is None or (rdtype == _SOA and count > 1):
        raise _OddError
    least = _MAX_TTL
    rdatas = []
    for _ in range(count):
        owner, position = _name(wire, position, len(wire), seen)
        kind, rdclass, ttl, size = _RECORD_HEAD.unpack_from(wire, position)
        if kind != rdtype or rdclass != 1 or owner != question[:-4]:
            raise _OddError
        position += 10 + size
        if position > len(wire):
            raise _OddError
        rdatas.append(read(wire, position - size, position, seen))
        least = min(least, ttl if ttl <= _MAX_TTL else 0)
    return least, tuple(rdatas) if count == 1 else tuple(sorted(set(rdatas))), position


def _other_record(wire: bytes, position: int, seen: _Seen, readable: frozenset[int]) -> tuple[int, bytes, int]:
    """Type and owner of a record beside the answer, and where it ends; its rdata is walked, for it must be valid."""
    owner, position = _name(wire, position, len(wire), seen)
    rdtype, rdclass, _, size = _RECORD_HEAD.unpack_from(wire, position)
    position += 10 + size
    if rdtype not in readable or rdclass != 1 or position > len(wire):
        raise _OddError
    _READERS[rdtype](wire, position - size, position, seen)
    return rdtype, owner, position


def _opt_end(wire: bytes, position: int) -> int:
    """Where an OPT record without options ends; extended rcodes and other versions are dnspython's."""
    if wire[position + 5 : position + 7] != b"\x00\x00" or wire[position + 9 : position + 11] != b"\x00\x00":
        raise _OddError
    return position + 11


def _name(wire: bytes, position: int, end: int, seen: _Seen) -> tuple[bytes, int]:
    """A name in canonical wire form, and where it ends: before `end`.

    Short cuts for what servers make: a pointer to a name that was read, or one label and such a pointer. What is kept
    for that needs one pointer at most itself, and ends before whoever points to it begins.
    """
    octet = wire[position]
    if octet >= _POINTER:
        known = seen.get(wire[position : position + 2])
        if known is not None and position + 2 <= end:
            return known, position + 2
    elif octet:
        following = position + 1 + octet
        known = seen.get(wire[following : following + 2])
        if known is not None and octet <= MAX_LABEL_OCTETS and following + 2 <= end:
            name = wire[position:following].lower() + known
            if len(name) > MAX_NAME_OCTETS:
                raise _OddError
            if known is seen[_POINTER_TO_QUESTION]:
                seen[(_POINTER << 8 | position).to_bytes(2, "big")] = name
            return name, following + 2
    return _followed(wire, position, end, seen)


def _followed(wire: bytes, position: int, end: int, seen: _Seen) -> tuple[bytes, int]:
    """A name of any shape whose pointers point backwards alone, each before the place where its part of the name began.

    That part ends before there: every hop is shorter, no loop is possible (RFC 1035 section 4.1.4, as dnspython's).
    """
    labels = []
    first, begun, limit, after, pointers = position, position, end, 0, 0
    while True:
        if position >= limit:
            raise _OddError
        octet = wire[position]
        if octet == 0:
            break
        if octet <= MAX_LABEL_OCTETS:
            following = position + 1 + octet
            if following > limit:
                raise _OddError
            labels.append(wire[position:following])
            position = following
        else:
            if octet < _POINTER or position + 2 > limit or pointers == _MAX_POINTERS:
                raise _OddError
            after = after or position + 2
            target = (octet & ~_POINTER) << 8 | wire[position + 1]
            if target >= begun:
                raise _OddError
            limit = begun
            begun = position = target
            pointers += 1
    name = b"".join(labels).lower() + b"\x00"
    if len(name) > MAX_NAME_OCTETS:
        raise _OddError
    if pointers == 1 and wire[first] >= _POINTER:
        seen[wire[first : first + 2]] = name
    return name, after or position + 1


def _whole_name(wire: bytes, position: int, end: int, seen: _Seen) -> bytes:
    name, after = _name(wire, position, end, seen)
    if after != end:
        raise _OddError
    return name


def _sized(octets: int) -> _Reader:
    def read(wire: bytes, position: int, end: int, _seen: _Seen) -> bytes:
        if end - position != octets:
            raise _OddError
        return wire[position:end]

    return read


def _mx(wire: bytes, position: int, end: int, seen: _Seen) -> bytes:
    if end - position <= 2:  # noqa: PLR2004 - the preference
        raise _OddError
    return wire[position : position + 2] + _whole_name(wire, position + 2, end, seen)


def _soa(wire: bytes, position: int, end: int, seen: _Seen) -> bytes:
    first, position = _name(wire, position, end, seen)
    numbers = end - _SOA_NUMBERS
    if numbers <= position:
        raise _OddError
    return first + _whole_name(wire, position, numbers, seen) + wire[numbers:end]


def _txt(wire: bytes, position: int, end: int, _seen: _Seen) -> bytes:
    place = position
    while place < end:
        place += 1 + wire[place]
    if place != end or position == end:
        raise _OddError
    return wire[position:end]


_READERS: dict[int, _Reader] = {
    _A: _sized(4),
    _NS: _whole_name,
    _SOA: _soa,
    _MX: _mx,
    _TXT: _txt,
    _AAAA: _sized(16),
}
_AUTHORITY = frozenset({_NS, _SOA})
_ADDITIONAL = frozenset({_A, _AAAA})
