"""Names in messages, compressed as in RFC 1035 section 4.1.4, read as strictly as dnspython reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.names import MAX_LABEL_OCTETS, MAX_NAME_OCTETS

if TYPE_CHECKING:
    from typing import TypeAlias

    Seen: TypeAlias = dict[bytes, bytes]  # a pointer's two octets -> the name it points to

POINTER_TO_QUESTION = b"\xc0\x0c"
_POINTER = 0xC0
_FARTHEST = 0x3FFF  # where a pointer's 14 bits can point to
_MAX_POINTERS = 8  # in one name; dnspython allows more, so a longer chain is left to it


class OddError(Exception):
    """Something that dnspython has to read."""


def read_name(wire: bytes, position: int, end: int, seen: Seen) -> tuple[bytes, int]:
    """A name in canonical wire form, and where it ends: before `end`.

    Short cuts for what servers make: a pointer to a name that was read, or one label and such a pointer. What is kept
    for that needs one pointer at most itself, and ends before whoever points to it begins.

    Raises:
        OddError, IndexError: dnspython has to read it.

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
                raise OddError
            if known is seen[POINTER_TO_QUESTION] and position <= _FARTHEST:
                seen[(_POINTER << 8 | position).to_bytes(2, "big")] = name
            return name, following + 2
    return _followed(wire, position, end, seen)


def _followed(wire: bytes, position: int, end: int, seen: Seen) -> tuple[bytes, int]:
    """A name of any shape whose pointers point backwards alone, each before the place where its part of the name began.

    That part ends before there: every hop is shorter, no loop is possible (RFC 1035 section 4.1.4, as dnspython's).
    """
    labels = []
    first, begun, limit, after, pointers = position, position, end, 0, 0
    while True:
        if position >= limit:
            raise OddError
        octet = wire[position]
        if octet == 0:
            break
        if octet <= MAX_LABEL_OCTETS:
            following = position + 1 + octet
            if following > limit:
                raise OddError
            labels.append(wire[position:following])
            position = following
        else:
            if octet < _POINTER or position + 2 > limit or pointers == _MAX_POINTERS:
                raise OddError
            after = after or position + 2
            target = (octet & ~_POINTER) << 8 | wire[position + 1]
            if target >= begun:
                raise OddError
            limit = begun
            begun = position = target
            pointers += 1
    name = b"".join(labels).lower() + b"\x00"
    if len(name) > MAX_NAME_OCTETS:
        raise OddError
    if pointers == 1 and wire[first] >= _POINTER:
        seen[wire[first : first + 2]] = name
    return name, after or position + 1


def read_whole_name(wire: bytes, position: int, end: int, seen: Seen) -> bytes:
    """A name that fills what there is, to `end`.

    Raises:
        OddError, IndexError: it does not, or dnspython has to read it.

    """
    name, after = read_name(wire, position, end, seen)
    if after != end:
        raise OddError
    return name


def is_at_or_above(name: bytes, owner: bytes) -> bool:
    """Whether a name (wire form) is the owner or an ancestor of it: a suffix that begins with one of its labels."""
    begin = 0
    while len(owner) - begin > len(name):
        begin += owner[begin] + 1
    return owner[begin:] == name
