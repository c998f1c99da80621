"""What to change in one rrset: pure, value by value, ours alone.

A `Change` never holds a foreign value in what it adds or removes: foreign values stand apart in `foreign`, for the
comparison before a write and the check after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.desired import DesiredRRset
    from reconciler.names import Name
    from reconciler.state import Key, Rdata, RRset


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
        if self.before != self.after and (self.added or self.removed):
            return False
        return self.ttl == self.ttl_before or not (self.after or self.foreign)


@dataclass(frozen=True, slots=True)
class Difference:
    """Desired against observed for one rrset of `zone`, each tuple sorted.

    `missing` are wanted and not there; `kept` are wanted and there; `surplus` are ours, there, and not wanted;
    `foreign` are not ours. `ttl_observed` is None exactly when nothing was there. TTLs in seconds.
    """

    key: Key
    zone: Name
    missing: tuple[Rdata, ...]
    kept: tuple[Rdata, ...]
    surplus: tuple[Rdata, ...]
    foreign: tuple[Rdata, ...]
    ttl_observed: int | None
    ttl_wanted: int

    @property
    def is_empty(self) -> bool:
        """Whether observed is as desired."""
        return not self.missing and not self.surplus and not self.is_ttl_off

    @property
    def is_ttl_off(self) -> bool:
        """Whether values that stay are there with another TTL than wanted."""
        return bool(self.kept) and self.ttl_observed != self.ttl_wanted

    def change(self, *, add: bool, remove: bool) -> Change:
        """The change that adds what is missing, removes what is surplus, or both."""
        before = after = self.kept
        if self.missing or self.surplus:
            before = tuple(sorted((*self.kept, *self.surplus)))
            parts = (*self.kept, *(self.missing if add else ()), *(() if remove else self.surplus))
            after = tuple(sorted(parts))
        ttl = self.ttl_wanted if add or self.ttl_observed is None else self.ttl_observed
        return Change(self.key, self.zone, before, after, self.foreign, self.ttl_observed, ttl)


def diff_rrset(desired: DesiredRRset, observed: RRset | None, *, zone: Name, new_ttl: int) -> Difference:
    """Compare one rrset, value by value; `observed` is None where the rrset is known to be absent.

    The TTL of an rrset with a foreign value in it stays; elsewhere the declared TTL holds, then the observed one, then
    `new_ttl` (seconds).
    """
    there, wanted = (observed.rdatas if observed is not None else ()), desired.wanted
    ours = tuple(filter(desired.ownership.owns, there))
    foreign = tuple(v for v in there if v not in ours) if len(ours) < len(there) else ()
    ttl_observed = observed.ttl if observed is not None else None
    declared = None if foreign else desired.ttl
    ttl_wanted = new_ttl if ttl_observed is None else ttl_observed
    is_settled = ours == wanted
    return Difference(
        key=desired.key,
        zone=zone,
        missing=() if is_settled else tuple(v for v in wanted if v not in ours),
        kept=wanted if is_settled else tuple(v for v in ours if v in wanted),
        surplus=() if is_settled else tuple(v for v in ours if v not in wanted),
        foreign=foreign,
        ttl_observed=ttl_observed,
        ttl_wanted=ttl_wanted if declared is None else declared,
    )
