"""What the walker is fuzzed for: an answer that it accepts is read by dnspython alike, or else it is a finding.

Shared by the fuzzer and by tests without it; whoever draws the octets has the few methods of `Drawing`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import dns.exception
import dns.message
import dns.name
import dns.rdatatype
from reference.rules import said_about
from wire_answers import check

from reconciler.names import Name
from reconciler.observe.answer import observed_in_reply
from reconciler.observe.asking import ExchangeError
from reconciler.observe.reply import is_answer_to, read_reply
from reconciler.state import Key

if TYPE_CHECKING:
    from collections.abc import Callable

_HEADER = 12
_TC = 0x0200
_TYPES = (1, 2, 5, 6, 15, 16, 28, 39, 41, 43, 99)
_OWNERS = (b"\x04acme\x07example\x00", b"\x0a_amazonses\x04acme\x07example\x00", b"\x01a\x01a\x01a\x00", b"\x00")
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
    draw = (_any_octets, _any_octets, _octets_behind_a_question, _built)[drawing.ConsumeIntInRange(0, 3)]
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
        owner = _name(drawing, [])[:60].rstrip(b"\x00")
    owner = owner if owner.endswith(b"\x00") else _OWNERS[0]
    return owner + _type(drawing) + b"\x00\x01"


def _octets_behind_a_question(drawing: Drawing) -> bytes:
    counts = [1, *(_COUNTS[drawing.ConsumeIntInRange(0, 5)] for _ in range(3))]
    head = _header(drawing, counts) + _question(drawing)
    return head + drawing.ConsumeBytes(drawing.remaining_bytes())


def _type(drawing: Drawing) -> bytes:
    return _TYPES[drawing.ConsumeIntInRange(0, len(_TYPES) - 1)].to_bytes(2, "big")


def _built(drawing: Drawing) -> bytes:
    """Sections that are nearly right: each count, length and pointer may be off."""
    counts = [1, *(_COUNTS[drawing.ConsumeIntInRange(0, 5)] for _ in range(3))]
    said = [max(0, number + _off(drawing)) for number in counts]
    wire = bytearray(_header(drawing, said) + _question(drawing))
    asked = wire[-4:-2]
    places = [_HEADER]
    for section, number in enumerate(counts[1:]):
        for _ in range(number):
            _add_record(drawing, wire, places, section, bytes(asked))
    wire += drawing.ConsumeBytes(1) if drawing.ConsumeIntInRange(0, 15) == 0 else b""
    for _ in range(drawing.ConsumeIntInRange(0, 2)):
        wire[drawing.ConsumeIntInRange(0, len(wire) - 1)] = drawing.ConsumeIntInRange(0, 255)
    return bytes(wire)


def _off(drawing: Drawing) -> int:
    return (0, 0, 0, 0, 0, 0, 1, -1)[drawing.ConsumeIntInRange(0, 7)]


def _add_record(drawing: Drawing, wire: bytearray, places: list[int], section: int, asked: bytes) -> None:
    usual = (asked, b"\x00\x02" if drawing.ConsumeIntInRange(0, 1) else b"\x00\x06", b"\x00\x01")[section]
    rdtype = usual if drawing.ConsumeIntInRange(0, 7) else _type(drawing)
    if section == 2 and drawing.ConsumeIntInRange(0, 2) == 0:
        rdtype = b"\x00\x29"
    is_opt = rdtype == b"\x00\x29"
    owner = b"\x00" if is_opt else _name(drawing, places) if drawing.ConsumeIntInRange(0, 2) else b"\xc0\x0c"
    places.append(len(wire))
    wire += owner + rdtype + (b"\x04\xd0" if is_opt else b"\x00\x01")
    wire += b"\x00\x00\x00\x00" if is_opt else drawing.ConsumeIntInRange(0, 0xFFFFFFFF).to_bytes(4, "big")
    begin = len(wire) + 2
    rdata = _RDATAS.get(rdtype, _text)(drawing, places, begin)
    wire += max(0, len(rdata) + _off(drawing)).to_bytes(2, "big") + rdata


def _name(drawing: Drawing, places: list[int]) -> bytes:
    """Labels, and a pointer to a name written before, to anywhere, or none."""
    labels = b""
    for _ in range(drawing.ConsumeIntInRange(0, 3)):
        label = drawing.ConsumeBytes(drawing.ConsumeIntInRange(1, 12))
        labels += bytes((len(label),)) + label if label else b""
    kind = drawing.ConsumeIntInRange(0, 5)
    if kind == 0 or not places:
        return labels + b"\x00"
    if kind == 1:
        return labels + (0xC000 | drawing.ConsumeIntInRange(0, 255)).to_bytes(2, "big")
    target = places[drawing.ConsumeIntInRange(0, len(places) - 1)]
    return labels + (0xC000 | target & 0x3FFF).to_bytes(2, "big")


def _one_name(drawing: Drawing, places: list[int], begin: int) -> bytes:
    name = _name(drawing, places)
    places.append(begin)
    return name


def _mx(drawing: Drawing, places: list[int], begin: int) -> bytes:
    return drawing.ConsumeIntInRange(0, 0xFFFF).to_bytes(2, "big") + _one_name(drawing, places, begin + 2)


def _soa(drawing: Drawing, places: list[int], begin: int) -> bytes:
    first = _one_name(drawing, places, begin)
    return first + _one_name(drawing, places, begin + len(first)) + drawing.ConsumeBytes(20).ljust(20, b"\x01")


def _text(drawing: Drawing, _places: list[int], _begin: int) -> bytes:
    strings = (drawing.ConsumeBytes(drawing.ConsumeIntInRange(0, 20)) for _ in range(drawing.ConsumeIntInRange(0, 2)))
    return b"".join(bytes((len(string),)) + string for string in strings)


def _octets(count: int) -> Callable[[Drawing, list[int], int], bytes]:
    return lambda drawing, _places, _begin: drawing.ConsumeBytes(count).ljust(count, b"\x00")


_RDATAS: dict[bytes, Callable[[Drawing, list[int], int], bytes]] = {
    b"\x00\x01": _octets(4),
    b"\x00\x02": _one_name,
    b"\x00\x05": _one_name,
    b"\x00\x06": _soa,
    b"\x00\x0f": _mx,
    b"\x00\x10": _text,
    b"\x00\x1c": _octets(16),
    b"\x00\x29": _octets(0),
}
