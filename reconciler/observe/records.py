"""The records behind a question, read as strictly as dnspython reads them, or left to it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, TypeVar

from reconciler.observe.compression import (
    POINTER_TO_QUESTION,
    OddError,
    is_at_or_above,
    read_name,
    read_whole_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from reconciler.observe.compression import Seen
    from reconciler.state import Rdata

    Owners: TypeAlias = tuple[tuple[int, int], ...]  # type, octets of the owner's name
    _Reader: TypeAlias = Callable[[bytes, int, int, Seen], bytes]  # wire, begin, end -> canonical rdata

_Value = TypeVar("_Value", bytes, "Rdata")

_A, _NS, _SOA, _MX, _TXT, _AAAA = 1, 2, 6, 15, 16, 28
NAMELESS = frozenset({_A, _TXT, _AAAA})
"""Types whose rdata holds no name."""

_MAX_TTL = 0x7FFFFFFF  # a greater one counts as 0 (RFC 2181 section 8)
_RECORD_HEAD = struct.Struct("!HHIH")
_OWN_RECORD_HEAD = struct.Struct("!6sIH")  # the first: the pointer to the question as its owner, type, and class IN
_OWN_KIND = {rdtype: POINTER_TO_QUESTION + struct.pack("!HH", rdtype, 1) for rdtype in NAMELESS}
ADDRESS_OCTETS = {_A: 4, _AAAA: 16}
SOA_NUMBERS = 20  # octets behind its names


def read_answers(
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
    return least, in_order(rdatas), position


def in_order(values: Sequence[_Value]) -> tuple[_Value, ...]:
    """Sorted, without duplicates: rdatas, or their texts."""
    if len(values) == 1:
        return (values[0],)
    if len(values) == 2:  # noqa: PLR2004 - nearly all that are several: a set takes longer to make
        first, second = values
        if first != second:
            return (first, second) if first < second else (second, first)
    return tuple(sorted(set(values)))


def own_values(wire: bytes, position: int, rdtype: int) -> list[slice]:
    """Where the answers of a type of `NAMELESS` have their rdata, in the form that nearly all have.

    Raises:
        OddError, IndexError, struct.error: it has another form.

    """
    values = []
    own, octets = _OWN_KIND[rdtype], ADDRESS_OCTETS.get(rdtype)
    for _ in range(wire[6] << 8 | wire[7]):
        kind, _ttl, size = _OWN_RECORD_HEAD.unpack_from(wire, position)
        begin = position + _OWN_RECORD_HEAD.size
        position = begin + size
        if kind != own or position > len(wire) or size != (octets or wire[begin] + 1):
            raise OddError
        values.append(slice(begin, position))
    return values


def read_rest(wire: bytes, position: int, name: bytes, seen: Seen, authorities: int, additionals: int) -> Owners:
    """Type and owner of the records in the authority section; everything to the end of the message is walked."""
    owners = []
    for _ in range(authorities):
        rdtype, owner, position = _other_record(wire, position, seen, _AUTHORITY)
        if not is_at_or_above(owner, name):
            raise OddError
        owners.append((rdtype, len(owner)))
    has_opt = False
    for _ in range(additionals):
        if wire[position : position + 3] == b"\x00\x00\x29" and not has_opt:
            position = _opt_end(wire, position)
            has_opt = True
        else:
            _, _, position = _other_record(wire, position, seen, _ADDITIONAL)
    if position != len(wire):
        raise OddError
    return tuple(dict.fromkeys(owners))


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
    numbers = end - SOA_NUMBERS
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
