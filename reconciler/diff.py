"""What to change in one rrset: pure, value by value, ours alone.

A `Change` never holds a foreign value in what it adds or removes: foreign values stand apart in `foreign`, for the
comparison before a write and the check after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.names import Name
    from reconciler.state import Key, Rdata


@dataclass(frozen=True, slots=True)
class Change:
    """One create, update or delete of values in one rrset of one zone.

    `before` are the values in our ownership that were observed, `after` those that shall be there, `foreign` those
    that were observed beside them and stay byte for byte; each sorted, together without duplicates. `ttl_before` is
    None exactly when nothing was observed. TTLs in seconds.
    """

    key: Key
    zone: Name
    before: tuple[Rdata, ...]
    after: tuple[Rdata, ...]
    foreign: tuple[Rdata, ...]
    ttl_before: int | None
    ttl: int

    @property
    def expected(self) -> frozenset[Rdata]:
        """The whole rrset as it must still be when the change is written; empty: there must be no rrset."""
        return frozenset((*self.before, *self.foreign))

    @property
    def wanted(self) -> frozenset[Rdata]:
        """The whole rrset afterwards; empty: no rrset."""
        return frozenset((*self.after, *self.foreign))

    @property
    def added(self) -> tuple[Rdata, ...]:
        """The values to add."""
        return tuple(v for v in self.after if v not in self.before)

    @property
    def removed(self) -> tuple[Rdata, ...]:
        """The values to remove."""
        return tuple(v for v in self.before if v not in self.after)

    @property
    def is_noop(self) -> bool:
        """Whether there is nothing to write."""
        return not self.added and not self.removed and (not self.wanted or self.ttl == self.ttl_before)
