"""What the walker is fuzzed for: an answer that it accepts is read by dnspython alike, or else it is a finding.

Shared by the fuzzer and by tests without it; whoever draws the octets has the few methods of `Drawing`.
"""

from __future__ import annotations

from typing import Protocol

import dns.exception
import dns.message
import dns.name
import dns.rdatatype
from plain_observer.rules import said_about
from wire_answers import check

from reconciler.names import Name
from reconciler.observe.answer import observed_in_reply
from reconciler.observe.asking import ExchangeError
from reconciler.observe.reply import is_answer_to, read_reply
from reconciler.state import Key

_HEADER = 12
_TC = 0x0200
_TYPES = (1, 2, 6, 15, 16, 28, 2, 6, 15, 16, 5, 39, 41, 43, 99)
_LABELS = (
    *(b"acme", b"ACME", b"a", b"mail", b"\0\0\0\0", b"\x80\x80\x80\x80", b"\x9d\x9d\x9d\x9d", b"\xc0\xc0\xc0\xc0"),
    *(b"x\x01a\0", b"\x03\x01a\0", b"\xc0\x0c\0"),  # names, when somebody points into them
)
_OWNERS = (b"\x04acme\x07example\x00", b"\x0a_amazonses\x04acme\x07example\x00", b"\x01a\x01a\x01a\x00", b"\x00")
_OPT = b"\x00\x29"
_SIZES = {b"\x00\x01": 4, b"\x00\x1c": 16, _OPT: 0}
_NAMES = (b"\x00\x02", b"\x00\x05", b"\x00\x27")
_ADDITIONAL = 2  # counted from the answer section
_COUNTS = (0, 1, 1, 1, 2, 3)
# each letter becomes the next of its kind: the outline stays
_NEXT = bytes(
    ord("z") if o == ord("a") else o - 1 if ord("b") <= o <= ord("z") else ord("Z") if o == ord("A") else o
    for o in range(256)
)


class Drawing(Protocol):
    """The part of atheris's FuzzedDataProvider that is used."""

    def ConsumeIntInRange(self, minimum: int, maximum: int, /) -> int:  # noqa: N802 - atheris's name
        """An integer from `minimum` to `maximum`."""
        ...

    def ConsumeBytes(self, count: int, /) -> bytes:  # noqa: N802 - atheris's name
        """At most so many octets."""
        ...

    def remaining_bytes(self) -> int:
        """How many are left."""
        ...


def fuzz_one(drawing: Drawing) -> int:
    """Draws one answer, and holds the walker against dnspython on it, and on its siblings; how many were accepted.

    Raises:
        AssertionError: a finding; and so is whatever else is raised.

    """
    draw = (_any_octets, _any_octets, _octets_behind_a_question, built)[drawing.ConsumeIntInRange(0, 3)]
    wire = draw(drawing)
    question = question_in(wire)
    # the octets behind the question of one answer are remembered for others with questions of the same outline
    sibling = _with_name(wire, question, question.translate(_NEXT))
    accepted = check(sibling, question_in(sibling)) + check(wire, question)
    _check_observed(wire, question)
    return accepted


def _check_observed(wire: bytes, question: bytes) -> None:
    """What the reply says about the rrset asked for is what the plain rules read in the message."""
    sent = wire[_HEADER : _HEADER + len(question)]
    if wire[_HEADER - 8 : _HEADER - 6] != b"\x00\x01" or not is_answer_to(wire, sent) or wire[2] << 8 & _TC:
        return
    asked = wire[:_HEADER] + question + wire[_HEADER + len(question) :]
    try:
        reply = read_reply(("192.0.2.1", 53), wire, question)
    except ExchangeError:
        assert _is_refused(asked), "dnspython reads what was given up"
        return
    name = dns.name.from_wire(question, 0)[0].to_text()
    key = Key(Name(name), dns.rdatatype.to_text(dns.rdatatype.RdataType(int.from_bytes(question[-4:-2], "big"))))
    if reply.rcode not in (0, 3, 6):
        return
    message = dns.message.from_wire(asked)
    for apex in (name, "example."):
        assert observed_in_reply(reply, key, Name(apex)) == said_about(message, key, apex)


def _is_refused(wire: bytes) -> bool:
    try:
        dns.message.from_wire(wire)
    except dns.exception.DNSException:
        return True
    return False


def question_in(wire: bytes) -> bytes:
    """The first question that the octets hold, in lower case and in class IN; another one where they hold none."""
    place = _HEADER
    while place < len(wire) and 0 < wire[place] < 64:
        place += 1 + wire[place]
    if len(wire) < place + 5 or wire[place] or place + 1 - _HEADER > 255:
        return _OWNERS[0] + b"\x00\x0f\x00\x01"
    return wire[_HEADER : place + 1].lower() + wire[place + 1 : place + 3] + b"\x00\x01"


def _with_name(wire: bytes, old: bytes, new: bytes) -> bytes:
    """The same answer to a question for another name of the same outline."""
    new_name = bytearray(new[:-4])
    place = 0
    while place < len(new_name):
        new_name[place] = old[place]  # the length of a label is no letter
        place += 1 + old[place]
    end = _HEADER + len(new_name)
    return wire[:_HEADER] + bytes(new_name) + wire[end:] if question_in(wire) == old else wire


def _any_octets(drawing: Drawing) -> bytes:
    return drawing.ConsumeBytes(drawing.remaining_bytes())


def _header(drawing: Drawing, counts: list[int]) -> bytes:
    bits = (0x8400, 0x8400, 0x8403, 0x8000, drawing.ConsumeIntInRange(0, 0xFFFF))[drawing.ConsumeIntInRange(0, 4)]
    return b"".join(number.to_bytes(2, "big") for number in (0x1234, bits, *counts))


def _question(drawing: Drawing) -> bytes:
    owner = _OWNERS[drawing.ConsumeIntInRange(0, 3)]
    if drawing.ConsumeIntInRange(0, 3) == 0:
        labels = [_label(drawing) for _ in range(drawing.ConsumeIntInRange(1, 3))]
        owner = b"".join(bytes((len(label),)) + label for label in labels) + b"\x00"
    return owner + _type(drawing) + b"\x00\x01"


def _octets_behind_a_question(drawing: Drawing) -> bytes:
    counts = [1, *(_COUNTS[drawing.ConsumeIntInRange(0, 5)] for _ in range(3))]
    head = _header(drawing, counts) + _question(drawing)
    return head + drawing.ConsumeBytes(drawing.remaining_bytes())


def _type(drawing: Drawing) -> bytes:
    return _TYPES[drawing.ConsumeIntInRange(0, len(_TYPES) - 1)].to_bytes(2, "big")


def built(drawing: Drawing) -> bytes:
    """An answer that is right, or nearly so: pointers may be astray, or counts and lengths, too, be off."""
    damage = drawing.ConsumeIntInRange(0, 3)
    return _Draft(drawing, is_right=damage > 0, is_straight=damage > 1).wire()


class _Draft:
    """An answer on its way to octets; `places` are where names begin that may be pointed to."""

    def __init__(self, drawing: Drawing, *, is_right: bool, is_straight: bool) -> None:
        self._drawing = drawing
        self._draw = drawing.ConsumeIntInRange
        self._is_right = is_right
        self._is_straight = is_straight
        self._places = [_HEADER]

    def wire(self) -> bytes:
        counts = [1, *(_COUNTS[self._draw(0, 5)] for _ in range(3))]
        said = [max(0, number + self._off()) for number in counts]
        wire = bytearray(_header(self._drawing, said) + _question(self._drawing))
        asked = bytes(wire[-4:-2])
        for section, number in enumerate(counts[1:]):
            has_opt = False
            for _ in range(number):
                rdtype = self._rdtype(section, asked, has_opt=has_opt)
                has_opt = has_opt or rdtype == _OPT
                self._add_record(wire, rdtype, section)
        if not self._is_right:
            wire += self._drawing.ConsumeBytes(self._draw(0, 1))
            for _ in range(self._draw(0, 2)):
                wire[self._draw(0, len(wire) - 1)] = self._draw(0, 255)
        return bytes(wire)

    def _off(self) -> int:
        return 0 if self._is_right else (0, 0, 0, 0, 0, 0, 1, -1)[self._draw(0, 7)]

    def _rdtype(self, section: int, asked: bytes, *, has_opt: bool) -> bytes:
        if section == _ADDITIONAL and self._draw(0, 2) == 0 and not (has_opt and self._is_right):
            return _OPT
        if not self._is_right and self._draw(0, 7) == 0:
            return _type(self._drawing)
        return (asked, (b"\x00\x02", b"\x00\x06")[self._draw(0, 1)], (b"\x00\x01", b"\x00\x1c")[self._draw(0, 1)])[
            section
        ]

    def _add_record(self, wire: bytearray, rdtype: bytes, section: int) -> None:
        if rdtype == _OPT:
            wire += b"\x00" + _OPT + b"\x04\xd0\x00\x00\x00\x00"
        else:
            is_asked = section == 0 and (self._is_right or self._draw(0, 3))
            owner = b"\xc0\x0c" if is_asked or self._draw(0, 2) == 0 else self._name()
            self._places.append(len(wire))
            wire += owner + rdtype + b"\x00\x01" + self._draw(0, 0xFFFFFFFF).to_bytes(4, "big")
        rdata = self._rdata(rdtype, len(wire) + 2)
        wire += max(0, len(rdata) + self._off()).to_bytes(2, "big") + rdata

    def _rdata(self, rdtype: bytes, begin: int) -> bytes:
        if rdtype in _SIZES:
            return self._drawing.ConsumeBytes(_SIZES[rdtype]).ljust(_SIZES[rdtype], b"\x9d")
        if rdtype == b"\x00\x0f":
            return self._draw(0, 0xFFFF).to_bytes(2, "big") + self._name(begin + 2)
        if rdtype == b"\x00\x06":
            first = self._name(begin)
            numbers = self._drawing.ConsumeBytes(20).ljust(20, b"\x01")
            return first + self._name(begin + len(first)) + numbers
        if rdtype in _NAMES:
            return self._name(begin)
        strings = (self._drawing.ConsumeBytes(self._draw(0, 20)) for _ in range(self._draw(0, 2)))
        return b"".join(bytes((len(string),)) + string for string in strings)

    def _name(self, place: int | None = None) -> bytes:
        """Labels, and a pointer to a name written before, to anywhere, or none; `place` is where it will stand."""
        is_long = self._draw(0, 15) == 0
        labels = b""
        for _ in range(3 if is_long else self._draw(0, 3)):
            label = b"l" * 63 if is_long else _label(self._drawing)
            labels += bytes((len(label),)) + label
        kind = self._draw(0 if self._is_straight else -4, 5)
        target = self._places[self._draw(0, len(self._places) - 1)]
        if kind == -1:
            target = self._draw(0, 255)
        elif kind < -1:  # into itself, or into the one that stands there
            target = (target if place is None else place) + self._draw(0, max(len(labels) - 1, 0))
        if place is not None:
            self._places.append(place)
        return labels + (b"\x00" if kind == 0 else (0xC000 | target & 0x3FFF).to_bytes(2, "big"))


def _label(drawing: Drawing) -> bytes:
    usual = drawing.ConsumeIntInRange(0, 2 * len(_LABELS))
    if usual < len(_LABELS):
        return _LABELS[usual]
    return drawing.ConsumeBytes(drawing.ConsumeIntInRange(1, 63)) or b"x"
