"""Lists whose formats know addresses and CIDR blocks, and no ranges."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from reconciler.addresses import Interval
from reconciler.targets.base import Entry, UnreadableExportError, read_entries
from reconciler.targets.export_text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_IPV4 = 4


def read_networks(texts: Iterable[str]) -> tuple[Entry, ...]:
    """Entries of plain addresses and blocks.

    Raises:
        UnreadableExportError: one of them is something else, a range included: the server would not take it for one.

    """
    given = tuple(texts)
    for text in given:
        if "-" in text:
            summary = f"{shown(text)} is a range, which this kind of list does not know"
            raise UnreadableExportError(summary)
    return read_entries(given)


def block_entries(interval: Interval) -> Iterator[Entry]:
    """The fewest blocks that make up an interval, each as an entry of its own."""
    make = ipaddress.IPv4Address if interval.version == _IPV4 else ipaddress.IPv6Address
    for block in ipaddress.summarize_address_range(make(interval.first), make(interval.last)):
        part = Interval(interval.version, int(block[0]), int(block[-1]))
        yield Entry(str(part), part)
