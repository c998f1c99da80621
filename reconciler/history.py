"""What is remembered of one mail domain between runs, and what follows from it: which MX senders may still hold.

Pure. The journal keeps a history and gives it back; nothing here knows how. A history that is lost, restored from a
backup, or has a gap is never dangerous: where it does not say what was in DNS, and until when, anything may have been
until now, and the full time is waited from now.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.names import Name
    from reconciler.state import Key, Observation, Rdata


# as in the settings: a named tuple's class is made in a third of the time of a frozen dataclass, at every start


class Waits(NamedTuple):
    """How long is waited.

    `settle`: after the old TTL, before what only the old state needed goes. `assumed_ttl`: what an rrset's TTL is
    taken for where nobody saw it. `absent_ttl`: how long senders remember that there was no MX (RFC 2308 section 5).
    `restrict`: after that, before an origin refuses others for now (4xx); `restrict_hard`: after that, for good (5xx).
    `gap`: how long nobody may have looked for a history to count as unbroken. `support`: how long a verification value
    is visible and nobody attests "Verified" before the advice is to write to the vendor's support.
    """

    settle: timedelta = timedelta(hours=1)
    assumed_ttl: timedelta = timedelta(days=7)
    absent_ttl: timedelta = timedelta(days=1)
    restrict: timedelta = timedelta(days=3)
    restrict_hard: timedelta = timedelta(days=7)
    gap: timedelta = timedelta(days=7)
    support: timedelta = timedelta(hours=4)


class MxSighting(NamedTuple):
    """An MX rrset as at least one authoritative server showed it; `rdatas` are sorted, and empty where there was none.

    `ttl` is in seconds, None where it was never seen, as with none. `gone` is when every server was first seen to show
    something else; None while it is, or may be, shown.
    """

    rdatas: tuple[Rdata, ...]
    ttl: int | None
    first_seen: datetime
    last_seen: datetime
    gone: datetime | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What is remembered of one mail domain; empty for one that was never seen.

    `mx` has every sighting that may still matter, oldest first. `written` are the values that the program added and
    has not removed since. `first_seen` tells since when a step that is not done has been seen, by its id, since when a
    hazard has (`hazard_id`), and since when other things are so, by a word (`TOKENS_VISIBLE`). `next_hops` are those
    that were declared before the ones of now, empty where none are known, and `next_hops_since` when the ones of now
    were first declared.
    """

    mx: tuple[MxSighting, ...] = ()
    written: frozenset[tuple[Key, Rdata]] = frozenset()
    first_seen: Mapping[str, datetime] = field(default_factory=dict)
    next_hops: tuple[Name, ...] = ()
    next_hops_since: datetime | None = None


NO_HISTORY = History()
DEFAULT_WAITS = Waits()

TOKENS_VISIBLE = "tokens-visible"
"""In `History.first_seen`: since when every server has shown every wanted verification value."""


def hazard_id(domain: str, code: str) -> str:
    """In `History.first_seen`, beside the ids of steps: since when a hazard of a mail domain (as displayed) is seen."""
    return f"{domain}/{code}"


class CachedMx(NamedTuple):
    """An MX rrset that is no longer shown and that senders may hold until `until`; `rdatas` None: any at all."""

    rdatas: tuple[Rdata, ...] | None
    until: datetime


Shown = frozenset[tuple[tuple["Rdata", ...], int | None]]
"""The MX rrsets that servers show: sorted values and TTL in seconds; no value and None where there is no MX."""


def shown_in(observation: Observation) -> tuple[Shown, bool]:
    """What the servers that answered show of an MX rrset, and whether every server answered."""
    from reconciler.state import Present, Unknown  # noqa: PLC0415 - dnspython, which settings and their waits do without

    answers = [a.observed for a in observation.answers if not isinstance(a.observed, Unknown)]
    shown = frozenset((o.rrset.rdatas, o.rrset.ttl) if isinstance(o, Present) else ((), None) for o in answers)
    return shown, bool(answers) and len(answers) == len(observation.answers)


def with_mx_seen(
    history: History,
    shown: Shown,
    now: datetime,
    *,
    is_complete: bool,
    waits: Waits = DEFAULT_WAITS,
) -> History:
    """The history after a look at the MX, as `shown_in` has it.

    Unless every server answered (`is_complete`), one that is not shown may still be there, and is not gone. After a
    gap the history begins anew: whatever senders may still hold by it counts as shown until now.
    """
    if history.mx and now - max(s.last_seen for s in history.mx) > waits.gap:
        held = [s for s in history.mx if s.gone is None or s.gone + _life(s, waits) > now]
        history = replace(history, mx=tuple(MxSighting(s.rdatas, s.ttl, now, now) for s in held))
    known = {(s.rdatas, s.ttl) for s in history.mx if s.gone is None}
    kept = []
    for sighting in history.mx:
        if sighting.gone is not None:
            kept.append(sighting)
        elif (sighting.rdatas, sighting.ttl) in shown:
            kept.append(sighting._replace(last_seen=max(now, sighting.last_seen)))
        elif is_complete:
            # a clock that went back takes no time off a wait
            kept.append(sighting._replace(gone=max(now, sighting.last_seen)))
        else:
            kept.append(sighting)
    new = [MxSighting(rdatas, ttl, now, now) for rdatas, ttl in sorted(shown - known, key=repr)]
    return replace(history, mx=(*kept, *new))


def cached_mx(history: History, now: datetime, waits: Waits) -> tuple[CachedMx, ...]:
    """Every MX rrset that is gone and that senders may hold at `now` or later, by this history.

    An rrset that is still shown is not among them: look at what is observed. The longest-lived comes last.
    """
    return tuple(c for c in _ever_cached(history, now, waits) if c.until > now)


def caches_empty_at(history: History, now: datetime, waits: Waits) -> datetime:
    """Since when, or from when on, no sender holds an MX that is not shown now."""
    return _ever_cached(history, now, waits)[-1].until


def _ever_cached(history: History, now: datetime, waits: Waits) -> list[CachedMx]:
    """In the order of their ends; never empty.

    Nobody shortens a TTL without a reason: what was there unseen had the longest TTL that was ever seen, at the least.
    """
    unseen = max((timedelta(seconds=s.ttl) for s in history.mx if s.ttl is not None), default=timedelta())
    assumed = max(unseen, waits.assumed_ttl)
    cached = [CachedMx(s.rdatas, s.gone + _life(s, waits)) for s in history.mx if s.gone is not None]
    looks = [s.last_seen for s in history.mx if s.gone is None]
    if not looks or now - max(looks) > waits.gap:
        cached.append(CachedMx(None, now + assumed))
    else:
        # what was there before the first look nobody knows
        cached.append(CachedMx(None, min(s.first_seen for s in history.mx) + assumed))
    return sorted(cached, key=lambda c: c.until)


def _life(sighting: MxSighting, waits: Waits) -> timedelta:
    if not sighting.rdatas:
        return waits.absent_ttl
    return waits.assumed_ttl if sighting.ttl is None else timedelta(seconds=sighting.ttl)


def pruned(history: History, now: datetime, waits: Waits) -> History:
    """Without the sightings that no wait can depend on any more; the newest that is gone is always kept."""
    gone = [s for s in history.mx if s.gone is not None]
    newest = max(gone, key=lambda s: s.gone or now, default=None)
    horizon = waits.restrict + waits.restrict_hard + waits.settle
    kept = [s for s in history.mx if s.gone is None or s is newest or s.gone + _life(s, waits) + horizon > now]
    return replace(history, mx=tuple(kept))
