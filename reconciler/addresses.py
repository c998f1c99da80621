"""Sets of IP addresses as intervals: how allowlists are compared, whatever they are written as. Pure.

A single address, a CIDR block and a range `a-b` are one thing here: an interval of addresses of one version.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CLASSES: dict[int, type[ipaddress.IPv4Address | ipaddress.IPv6Address]] = {
    4: ipaddress.IPv4Address,
    6: ipaddress.IPv6Address,
}


class InvalidAddressError(ValueError):
    """Not an address, a CIDR block, or a range; the text says why."""


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """All addresses from `first` to `last`, both included, as integers; `version` is 4 or 6."""

    version: int
    first: int
    last: int

    @property
    def size(self) -> int:
        """How many addresses."""
        return self.last - self.first + 1

    def __str__(self) -> str:
        """A single address, a CIDR block where it is exactly one, else `a-b`."""
        make = _CLASSES[self.version]
        first, last = make(self.first), make(self.last)
        if self.first == self.last:
            return str(first)
        prefix = first.max_prefixlen - (self.size - 1).bit_length()
        is_block = self.size & (self.size - 1) == 0 and self.first % self.size == 0
        return f"{first}/{prefix}" if is_block else f"{first}-{last}"


def parse_interval(text: str) -> Interval:
    """The interval that `192.0.2.1`, `192.0.2.0/24`, `192.0.2.1-192.0.2.9`, or the same in IPv6, stands for.

    IPv4 mapped into IPv6 (RFC 4291 section 2.5.5.2) is the IPv4 address.

    Raises:
        InvalidAddressError: anything else; a block whose address has host bits set; a range that ends before it begins.

    """
    stripped = text.strip()
    if "%" in stripped:
        # RFC 4007 section 11; ipaddress takes it off a block without a word
        message = f"{text!r} has a scope, which an allowlist cannot have"
        raise InvalidAddressError(message)
    try:
        if "-" in stripped:
            first, last = (ipaddress.ip_address(part.strip()) for part in stripped.split("-", 1))
        else:
            network = ipaddress.ip_network(stripped)
            first, last = network[0], network[-1]
    except ValueError as exc:
        message = f"{text!r} is no IP address, CIDR block or range: {exc}"
        raise InvalidAddressError(message) from exc
    if first.version != last.version or int(first) > int(last):
        message = f"{text!r} is no range: it must go upwards within one version"
        raise InvalidAddressError(message)
    return _unmapped(Interval(first.version, int(first), int(last)))


_IPV6 = 6
_MAPPED = int(ipaddress.IPv6Address("::ffff:0:0"))
_MAPPED_SIZE = 1 << 32


def _unmapped(interval: Interval) -> Interval:
    is_mapped = interval.first >= _MAPPED and interval.last < _MAPPED + _MAPPED_SIZE
    if interval.version == _IPV6 and is_mapped:
        return Interval(4, interval.first - _MAPPED, interval.last - _MAPPED)
    return interval


@dataclass(frozen=True, slots=True)
class AddressSet:
    """A set of addresses, made by `address_set`: `intervals` are sorted and never touch each other."""

    intervals: tuple[Interval, ...] = ()

    def __or__(self, other: AddressSet) -> AddressSet:
        """Addresses in either."""
        return address_set((*self.intervals, *other.intervals))

    def __and__(self, other: AddressSet) -> AddressSet:
        """Addresses in both."""
        return self - (self - other)

    def __sub__(self, other: AddressSet) -> AddressSet:
        """Addresses in this and not in the other."""
        return AddressSet(tuple(_difference(self.intervals, other.intervals)))

    def __bool__(self) -> bool:
        """Whether there is any address."""
        return bool(self.intervals)

    def covers(self, other: AddressSet) -> bool:
        """Whether every address of the other is in this."""
        return not other - self

    @property
    def size(self) -> int:
        """How many addresses."""
        return sum(i.size for i in self.intervals)

    @property
    def texts(self) -> tuple[str, ...]:
        """The intervals as text, in their order."""
        return tuple(str(i) for i in self.intervals)


def address_set(intervals: Iterable[Interval]) -> AddressSet:
    """The set of all addresses of the intervals, which may overlap and come in any order."""
    merged: list[Interval] = []
    for interval in sorted(intervals):
        last = merged[-1] if merged else None
        if last is not None and last.version == interval.version and interval.first <= last.last + 1:
            merged[-1] = Interval(last.version, last.first, max(last.last, interval.last))
        else:
            merged.append(interval)
    return AddressSet(tuple(merged))


def parse_address_set(texts: Iterable[str]) -> AddressSet:
    """The set of all addresses that the texts stand for.

    Raises:
        InvalidAddressError: one of them is no address, block or range.

    """
    return address_set(parse_interval(text) for text in texts)


def _difference(these: tuple[Interval, ...], others: tuple[Interval, ...]) -> Iterator[Interval]:
    """What is left of these without the others; both sorted and disjoint, so that each is looked at about once."""
    start = 0
    for interval in these:
        version, first, last = interval.version, interval.first, interval.last
        while start < len(others) and (others[start].version, others[start].last) < (version, first):
            start += 1
        index = start
        while index < len(others) and (others[index].version, others[index].first) <= (version, last):
            if others[index].first > first:
                yield Interval(version, first, others[index].first - 1)
            first = others[index].last + 1
            index += 1
        if first <= last:
            yield Interval(version, first, last)
