"""Plain answers are walked in wire form, and never become message objects.

Parsing whole messages is what asking costs, not the network. Nearly every answer is plain: records of the type asked
for at the name asked for, or none; NS and SOA in the authority section; addresses and OPT in the additional one. Those
are read here. For everything else `read_plain` gives None and dnspython reads the message. It never gives a reading
where dnspython refuses the message, and never another one; what is odd is left to dnspython instead.

Thousands of answers are alike but for the letters of the name asked for, and for the domain's own values: what they
have in common, their shape, is walked once.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from reconciler.observe.compression import POINTER_TO_QUESTION, OddError
from reconciler.observe.records import ADDRESS_OCTETS, NAMELESS, in_order, own_values, read_answers, read_rest
from reconciler.observe.wire import (
    EDNS_PAYLOAD,
    HEADER_OCTETS,
    LETTER,
    OPCODE,
    QR,
    RCODE,
    TC,
    encoded_wire,
    folded_case,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from reconciler.observe.records import Owners
    from reconciler.observe.wire import EncodedName

    _Form: TypeAlias = tuple[int, list[bytes]]  # octets, joined by the question's name from there on

_COUNTS = struct.Struct("!HHHHH")
_NOT_PLAIN = QR | TC | OPCODE  # all but the first are 0 in a plain answer
_NO_ANSWERS = bytes(2)
_KIND_OCTETS = 4  # a question's type and class
_READ_ALREADY = -1  # in place of a type; 0 is one that may be asked for
_LAYOUTS = 4  # known of messages that are otherwise alike

_NO_NAME = LETTER  # for what must not be pointed to: a name that begins there is odd


@dataclass(slots=True)
class Plain:
    """What a plain answer says.

    `flags` are the header's, without opcode and rcode; `rcode` is 0 or 3. `rdatas` are of the type asked for, in
    canonical wire form (RFC 4034 section 6.2), sorted, without duplicates; `ttl` in seconds is the least of theirs.
    `authority` holds, once each, type and owner name of the records in the authority section; the owner is the end of
    the name asked for, and is told by how many octets its wire form has.
    """

    flags: Final[int]
    rcode: Final[int]
    ttl: Final[int]
    rdatas: Final[tuple[bytes, ...]]
    authority: Final[Owners]


def read_plain(wire: bytes, question: bytes) -> Plain | None:
    """Reads a reply whose question section is `question`, but for case; None: dnspython has to read it.

    `wire` is whatever came; `question` is in lower case.
    """
    asked = wire[HEADER_OCTETS : HEADER_OCTETS + len(question)]
    if asked != question and folded_case(asked) != question:
        return None
    return walk(wire, encoded_wire(question[:-4]), question[-4] << 8 | question[-3])


def walk(wire: bytes, name: EncodedName, rdtype: int) -> Plain | None:
    """The same where the question is known to be for `name` and `rdtype`, but for case, unless there is none."""
    canonical, outline = name
    if len(wire) > EDNS_PAYLOAD:  # it came over TCP, is like no other, and thousands of them would fill the memory
        return _walked(wire, canonical, rdtype)
    if rdtype in NAMELESS and wire[6:8] != _NO_ANSWERS:
        # each domain has its own values here, and nothing points to them
        layouts = _layouts(outline, rdtype, wire[2:HEADER_OCTETS], len(wire))
        for layout in layouts:
            if layout.around(wire) == layout.octets:
                return _saying(layout.plain, [wire[value] for value in layout.values])
        plain = _walked(wire, canonical, rdtype)
        if plain is not None and len(layouts) < _LAYOUTS:
            layouts += _layout_of(wire, outline, rdtype, plain)
        return plain
    position = HEADER_OCTETS + len(canonical) + _KIND_OCTETS
    shape = _shape(outline, rdtype, wire[2:HEADER_OCTETS], wire[position:])
    if shape is None:
        return _walked(wire, canonical, rdtype)
    if not shape.forms:
        return shape.plain
    return _saying(shape.plain, [canonical[begin:].join(parts) for begin, parts in shape.forms])


def _saying(plain: Plain, rdatas: Sequence[bytes]) -> Plain:
    """The same with these rdatas."""
    return Plain(plain.flags, plain.rcode, plain.ttl, in_order(rdatas), plain.authority)


def _walked(wire: bytes, name: bytes, rdtype: int) -> Plain | None:
    """What this one message says, whatever others say."""
    seen = {POINTER_TO_QUESTION: name}
    position = HEADER_OCTETS + len(name) + _KIND_OCTETS
    try:
        flags, rcode, answers, authorities, additionals = _head(wire[2:HEADER_OCTETS])
        ttl, rdatas, position = read_answers(wire, position, name, rdtype, answers, seen)
        authority = read_rest(wire, position, name, seen, authorities, additionals)
    except (OddError, struct.error, IndexError):
        return None
    return Plain(flags, rcode, ttl, rdatas, authority)


def _head(octets: bytes) -> tuple[int, int, int, int, int]:
    """Flags without the rcode, rcode, and the counts of three sections.

    Raises:
        OddError, struct.error: it is not the header of a plain answer.

    """
    flags, questions, answers, authorities, additionals = _COUNTS.unpack(octets)
    rcode = flags & RCODE
    if questions != 1 or flags & _NOT_PLAIN != QR or rcode not in (0, 3):
        raise OddError
    return flags & ~RCODE, rcode, answers, authorities, additionals


@dataclass(slots=True)
class _Layout:
    """Where a message has its own values, and the octets in front of, between, and behind them.

    `around` takes those out of a message of this length; `plain` is what it says, but for the values.
    """

    around: Callable[[bytes], tuple[bytes, ...]]
    octets: tuple[bytes, ...]
    values: list[slice]
    plain: Plain


@lru_cache(maxsize=1024)
def _layouts(_outline: bytes, _rdtype: int, _head: bytes, _octets: int) -> list[_Layout]:
    """Those that are known of messages of so many octets with this header, to be added to."""
    return []


def _layout_of(wire: bytes, outline: bytes, rdtype: int, plain: Plain) -> list[_Layout]:
    """The layout of a message that says `plain`; none where it is not in the usual form.

    It holds for all questions of this outline, and for all values: so no name may point to either, but to the question.
    """
    begin = HEADER_OCTETS + len(outline) + _KIND_OCTETS
    try:
        values = own_values(wire, begin, rdtype)
    except (OddError, struct.error, IndexError):
        return []
    end = values[-1].stop
    shape = _shape(outline, _READ_ALREADY, wire[2:HEADER_OCTETS], wire[end:], end - begin)
    if shape is None:
        return []
    form = f"{begin}x"
    for value in values:
        # the first octet of a text is its length
        behind = value.start + (rdtype not in ADDRESS_OCTETS)
        form += f"{behind - begin}s{value.stop - behind}x"
        begin = value.stop
    around = struct.Struct(f"{form}{len(wire) - begin}s").unpack
    return [_Layout(around, around(wire), values, plain)]


@dataclass(slots=True)
class _Shape:
    """A message behind its question, or behind its answer, as it is for all questions of one outline.

    `plain` is what it says, but for rdatas that hold an end of the name asked for: `forms` take their place.
    """

    plain: Plain
    forms: tuple[_Form, ...]


@lru_cache(maxsize=2048)
def _shape(outline: bytes, rdtype: int, head: bytes, rest: bytes, between: int = 0) -> _Shape | None:
    """What `rest` says, which begins `between` octets behind the question, in a message with this header.

    With no `rdtype` the answer has been read already, and is what lies between. Thousands of domains at one provider
    have the same octets there. They mean the same, to the letters of the question, as long as no name in them points to
    the header or to what lies between: those are out of bounds here. None: they do, or are odd.
    """
    if LETTER in rest:
        return None
    between += _KIND_OCTETS
    wire = _NO_NAME * HEADER_OCTETS + outline + _NO_NAME * between + rest
    seen = {POINTER_TO_QUESTION: outline}
    position = HEADER_OCTETS + len(outline) + between
    try:
        flags, rcode, answers, authorities, additionals = _head(head)
        count = 0 if rdtype == _READ_ALREADY else answers
        ttl, rdatas, position = read_answers(wire, position, outline, rdtype, count, seen)
        authority = read_rest(wire, position, outline, seen, authorities, additionals)
        forms = tuple(_form(rdata, outline) for rdata in rdatas) if LETTER in b"".join(rdatas) else ()
    except (OddError, struct.error, IndexError):
        return None
    return _Shape(Plain(flags, rcode, ttl, rdatas, authority), forms)


def _form(octets: bytes, outline: bytes) -> _Form:
    """Octets where the question's name, or an end of it, stands for what comes from there.

    Only what is in the outline has its letters, from the length of a label on to the end of the name.

    Raises:
        OddError: there are ends of it that begin at different labels.

    """
    begins = set()
    parts = []
    while (letters := octets.find(LETTER)) > 0:
        size = next(n for n in range(len(outline), 0, -1) if octets.startswith(outline[-n:], letters - 1))
        begins.add(len(outline) - size)
        parts.append(octets[: letters - 1])
        octets = octets[letters - 1 + size :]
    if len(begins) > 1:
        raise OddError
    return begins.pop() if begins else 0, [*parts, octets]
