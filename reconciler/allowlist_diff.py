"""What an allowlist lacks, and what of it is ours to remove: pure, entry by entry, compared as addresses.

An entry is removed whole or not at all, so each has exactly one standing, told by the addresses that it stands for:

* needed: it stands for desired gateway addresses alone;
* wider: it stands for desired gateway addresses and for others; it covers them, is reported, and is never removed;
* stale: it stands for gateway addresses alone, and none of them is desired;
* foreign: everything else; it stays, unless the list is declared exclusive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.addresses import AddressSet, address_set, parse_address_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.targets.base import AllowlistContent, Entry


@dataclass(frozen=True, slots=True)
class Comparison:
    """Desired against observed for one list: `missing` addresses, and every entry in its order by its standing."""

    missing: AddressSet
    needed: tuple[Entry, ...]
    wider: tuple[Entry, ...]
    stale: tuple[Entry, ...]
    foreign: tuple[Entry, ...]

    def removable(self, *, exclusive: bool) -> tuple[Entry, ...]:
        """The entries that may go once no sender uses the old state; without them the list covers what it covered."""
        return (*self.stale, *self.foreign) if exclusive else self.stale

    def kept(self, *, exclusive: bool) -> tuple[Entry, ...]:
        """The entries that are not the gateway's own and stay."""
        return self.wider if exclusive else (*self.wider, *self.foreign)

    def is_in_sync(self, *, exclusive: bool) -> bool:
        """Whether there is nothing to add and nothing to remove."""
        return not self.missing and not self.removable(exclusive=exclusive)


def compare(desired: AddressSet, content: AllowlistContent, known: AddressSet) -> Comparison:
    """Compare a list with the gateway's addresses.

    `desired` are those of the target state; `known` all that the catalog has, of every region and state. A desired
    address counts as known.
    """
    gateway = known | desired
    needed, wider, stale, foreign = [], [], [], []
    for entry in content.entries:
        addresses = address_set([entry.interval])
        if desired.covers(addresses):
            needed.append(entry)
        elif desired & addresses:
            wider.append(entry)
        elif gateway.covers(addresses):
            stale.append(entry)
        else:
            foreign.append(entry)
    return Comparison(desired - content.addresses, tuple(needed), tuple(wider), tuple(stale), tuple(foreign))


def missing_addresses(needed: Sequence[str], content: AllowlistContent) -> tuple[str, ...]:
    """Those of the addresses that the list does not allow, one by one, in their order."""
    allowed = content.addresses
    return tuple(a for a in needed if not allowed.covers(parse_address_set([a])))
