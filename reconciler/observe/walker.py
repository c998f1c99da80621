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

from reconciler.observe.compression import POINTER_TO_QUESTION, OddError, read_name, read_whole_name
from reconciler.observe.wire import HEADER_OCTETS, LETTER, OPCODE, QR, RCODE, TC, folded_case

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from reconciler.observe.compression import Seen

    _Reader: TypeAlias = Callable[[bytes, int, int, Seen], bytes]  # wire, begin, end -> canonical rdata
    _Owners: TypeAlias = tuple[tuple[int, bytes], ...]
    _Form: TypeAlias = bytes | int | tuple[bytes | int, ...]  # octets, or where a part of the question's name begins

_A, _NS, _SOA, _MX, _TXT, _AAAA = 1, 2, 6, 15, 16, 28
_MAX_TTL = 0x7FFFFFFF  # a greater one counts as 0 (RFC 2181 section 8)
_RECORD_HEAD = struct.Struct("!HHIH")
_COUNTS = struct.Struct("!HHHHH")
_SOA_NUMBERS = 20
_NAMELESS = frozenset({_A, _TXT, _AAAA})
_NOT_PLAIN = QR | TC | OPCODE  # all but the first are 0 in a plain answer

_NO_NAME = LETTER  # for what must not be pointed to: a name that begins there is odd


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


def read_plain(wire: bytes, question: bytes) -> Plain | None:
    """Reads a reply whose question section is `question`, but for case; None: dnspython has to read it.

    `wire` is whatever came; `question` is in lower case.
    """
    asked = wire[HEADER_OCTETS : HEADER_OCTETS + len(question)]
    return walk(wire, question) if asked == question or folded_case(asked) == question else None


def walk(wire: bytes, question: bytes, outline: bytes = b"") -> Plain | None:
    """The same where the question section is known to be `question`, but for case, unless there is none.

    `outline` is that of the name (see `EncodedName`); without, it is made here.
    """
    try:
        return _walked(wire, question, outline or _outline(question[:-4]))
    except (OddError, struct.error, IndexError):
        return None


def _walked(wire: bytes, question: bytes, outline: bytes) -> Plain | None:
    flags, questions, answers, authorities, additionals = _COUNTS.unpack_from(wire, 2)
    rcode = flags & RCODE
    if questions != 1 or flags & _NOT_PLAIN != QR or rcode not in (0, 3):
        return None
    name, rdtype = question[:-4], question[-4] << 8 | question[-3]
    flags &= ~(OPCODE | RCODE)
    position = HEADER_OCTETS + len(question)
    ttl: int = 0
    rdatas: tuple[bytes, ...] = ()
    if answers and rdtype in _NAMELESS:
        # each domain has its own values here, and nothing points to them
        ttl, rdatas, position = _answers(wire, position, name, rdtype, answers, {POINTER_TO_QUESTION: name})
        answers = 0
    rest = wire[position:]
    found = None
    if LETTER not in rest:
        between = position - HEADER_OCTETS - len(name)
        found = _outlined(outline, between, rest, answers and rdtype, answers, authorities, additionals)
    if found is None:
        seen = {POINTER_TO_QUESTION: name}
        if answers:
            ttl, rdatas, position = _answers(wire, position, name, rdtype, answers, seen)
        return Plain(flags, rcode, ttl, rdatas, _rest(wire, position, seen, authorities, additionals))
    authority = [(kind, name[f:] if isinstance(f, int) else _spelled(f, name)) for kind, f in found.authority]
    if answers:
        ttl = found.ttl
        rdatas = tuple([_spelled(form, name) for form in found.rdatas])
        if answers > 1:
            rdatas = tuple(sorted(set(rdatas)))
    return Plain(flags, rcode, ttl, rdatas, tuple(authority))


@lru_cache(maxsize=256)
def _outline(name: bytes) -> bytes:
    """A name with all letters alike: what matters for where names in a message begin and end."""
    parts = []
    place = 0
    while octet := name[place]:
        parts.append(name[place : place + 1] + LETTER * octet)
        place += octet + 1
    return b"".join(parts) + b"\x00"


class _Outlined(NamedTuple):
    """A message behind its question, or its answer, as it is for all questions of one outline."""

    ttl: int
    rdatas: tuple[_Form, ...]
    authority: tuple[tuple[int, _Form], ...]


@lru_cache(maxsize=2048)
def _outlined(
    outline: bytes, between: int, rest: bytes, rdtype: int, answers: int, authorities: int, additionals: int
) -> _Outlined | None:
    """What `rest` says, which begins `between` octets behind the question's name.

    Thousands of domains at one provider have the same octets there. They mean the same, to the letters of the question,
    as long as no name in them points to the header or to what lies between: those are out of bounds here. None: they
    do, or are odd.
    """
    wire = _NO_NAME * HEADER_OCTETS + outline + _NO_NAME * between + rest
    seen = {POINTER_TO_QUESTION: outline}
    position = HEADER_OCTETS + len(outline) + between
    try:
        ttl, rdatas, position = _answers(wire, position, outline, rdtype, answers, seen)
        authority = _rest(wire, position, seen, authorities, additionals)
    except (OddError, struct.error, IndexError):
        return None
    forms = tuple(_form(rdata, outline) for rdata in rdatas)
    return _Outlined(ttl, forms, tuple((kind, _form(owner, outline)) for kind, owner in authority))


def _form(octets: bytes, outline: bytes) -> _Form:
    """Octets where the question's name, or the end of it, stands for what comes from there.

    Only what is in the outline has its letters, from the length of a label on to the end of the name.
    """
    parts: list[bytes | int] = []
    while (letters := octets.find(LETTER)) > 0:
        begin = letters - 1
        size = next(n for n in range(len(outline), 0, -1) if octets.startswith(outline[-n:], begin))
        parts += [octets[:begin], len(outline) - size]
        octets = octets[begin + size :]
    if not parts:
        return octets
    return parts[1] if len(parts) == 2 and parts[0] == octets == b"" else (*parts, octets)  # noqa: PLR2004 - a part alone


def _spelled(form: _Form, name: bytes) -> bytes:
    """The octets of a form in an answer to the question for `name`."""
    if isinstance(form, bytes):
        return form
    if isinstance(form, int):
        return name[form:]
    return b"".join([part if isinstance(part, bytes) else name[part:] for part in form])


def _rest(wire: bytes, position: int, seen: Seen, authorities: int, additionals: int) -> _Owners:
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
        raise OddError
    return tuple(owners)


def _answers(
    wire: bytes, position: int, name: bytes, rdtype: int, count: int, seen: Seen
) -> tuple[int, tuple[bytes, ...], int]:
    """TTL, rdatas, and where the section ends."""
    if not count:
        return 0, (), position
    read = _READERS.get(rdtype)
    if read is None or (rdtype == _SOA and count > 1):
        raise OddError
    least = _MAX_TTL
    rdatas = []
    for _ in range(count):
        if wire[position : position + 2] == POINTER_TO_QUESTION:
            position += 2
        else:
            owner, position = read_name(wire, position, len(wire), seen)
            if owner != name:
                raise OddError
        kind, rdclass, ttl, size = _RECORD_HEAD.unpack_from(wire, position)
        if kind != rdtype or rdclass != 1:
            raise OddError
        position += 10 + size
        if position > len(wire):
            raise OddError
        rdatas.append(read(wire, position - size, position, seen))
        least = min(least, ttl if ttl <= _MAX_TTL else 0)
    return least, tuple(rdatas) if count == 1 else tuple(sorted(set(rdatas))), position


def _other_record(wire: bytes, position: int, seen: Seen, readable: frozenset[int]) -> tuple[int, bytes, int]:
    """Type and owner of a record beside the answer, and where it ends; its rdata is walked, for it must be valid."""
    owner, position = read_name(wire, position, len(wire), seen)
    rdtype, rdclass, _, size = _RECORD_HEAD.unpack_from(wire, position)
    position += 10 + size
    if rdtype not in readable or rdclass != 1 or position > len(wire):
        raise OddError
    _READERS[rdtype](wire, position - size, position, seen)
    return rdtype, owner, position


def _opt_end(wire: bytes, position: int) -> int:
    """Where an OPT record without options ends; extended rcodes and other versions are dnspython's."""
    if wire[position + 5 : position + 7] != b"\x00\x00" or wire[position + 9 : position + 11] != b"\x00\x00":
        raise OddError
    return position + 11


def _sized(octets: int) -> _Reader:
    def read(wire: bytes, position: int, end: int, _seen: Seen) -> bytes:
        if end - position != octets:
            raise OddError
        return wire[position:end]

    return read


def _mx(wire: bytes, position: int, end: int, seen: Seen) -> bytes:
    if end - position <= 2:  # noqa: PLR2004 - the preference
        raise OddError
    return wire[position : position + 2] + read_whole_name(wire, position + 2, end, seen)


def _soa(wire: bytes, position: int, end: int, seen: Seen) -> bytes:
    first, position = read_name(wire, position, end, seen)
    numbers = end - _SOA_NUMBERS
    if numbers <= position:
        raise OddError
    return first + read_whole_name(wire, position, numbers, seen) + wire[numbers:end]


def _txt(wire: bytes, position: int, end: int, _seen: Seen) -> bytes:
    place = position
    while place < end:
        place += 1 + wire[place]
    if place != end or position == end:
        raise OddError
    return wire[position:end]


_READERS: dict[int, _Reader] = {
    _A: _sized(4),
    _NS: read_whole_name,
    _SOA: _soa,
    _MX: _mx,
    _TXT: _txt,
    _AAAA: _sized(16),
}
_AUTHORITY = frozenset({_NS, _SOA})
_ADDITIONAL = frozenset({_A, _AAAA})
