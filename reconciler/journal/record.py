"""All that is kept of one mail domain, and what becomes of it by a look and by a write. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.history import NO_HISTORY, TOKENS_VISIBLE, History, pruned, with_mx_seen
from reconciler.journal.entries import Event, EventKind
from reconciler.manifest.fleet import Lifecycle
from reconciler.state import Key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from reconciler.history import Waits
    from reconciler.journal.entries import AppliedChange, Look
    from reconciler.names import Name


@dataclass(frozen=True, slots=True)
class Record:
    """A mail domain's history, and what was said of it at the last look; `next_hops` is None before the first one."""

    history: History
    organization: str
    lifecycle: Lifecycle
    is_switched: bool
    is_gone: bool
    last_seen: datetime
    next_hops: tuple[Name, ...] | None = None


def after_look(record: Record | None, look: Look, now: datetime, waits: Waits) -> Record:
    """The record after a look at `now`."""
    history = record.history if record is not None else NO_HISTORY
    history = pruned(with_mx_seen(history, look.shown, now, is_complete=look.is_complete, waits=waits), now, waits)
    history = replace(history, first_seen=_first_seen(history, look, now))
    known = record.next_hops if record is not None else None
    if known is None:
        history = replace(history, next_hops_since=now)
    elif set(known) != set(look.next_hops):
        history = replace(history, next_hops=known, next_hops_since=now)
    return Record(history, look.organization, look.lifecycle, look.is_switched, look.is_gone, now, look.next_hops)


def _first_seen(history: History, look: Look, now: datetime) -> dict[str, datetime]:
    kept = {what: since for what, since in history.first_seen.items() if what in {*look.open_steps, TOKENS_VISIBLE}}
    if look.tokens_visible is False:
        kept.pop(TOKENS_VISIBLE, None)
    new = look.open_steps if not look.tokens_visible else {*look.open_steps, TOKENS_VISIBLE}
    return {**dict.fromkeys(sorted(new), now), **kept}


def after_applied(record: Record | None, applied: AppliedChange) -> Record:
    """The record after a write: what was added is among the written values, and what was removed is not.

    An MX that was written over was shown until then, also where no run looked: as when a plan was undone and done anew.
    """
    if record is None:
        record = Record(NO_HISTORY, applied.organization, Lifecycle.ACTIVE, False, False, applied.at)  # noqa: FBT003 - as nobody has looked
    change = applied.change
    removed = {(change.key, value) for value in change.removed}
    added = {(change.key, value) for value in change.added}
    history = replace(record.history, written=record.history.written - removed | added)
    if change.key == Key(applied.domain, "MX"):
        before = tuple(sorted(change.expected))
        shown = frozenset({(before, change.ttl_before)})
        history = with_mx_seen(history, shown, applied.at, is_complete=False)
    return replace(record, history=history, organization=applied.organization)


def events_between(before: Record | None, after: Record) -> Iterator[Event]:
    """What a look found new: the lines that it adds to the timeline, in a stable order."""
    now = after.last_seen
    old, new = (before.history if before is not None else NO_HISTORY), after.history
    for what in sorted(new.first_seen.keys() - old.first_seen.keys()):
        is_step = what != TOKENS_VISIBLE
        yield Event(now, EventKind.DIFFERENCE_SEEN, what) if is_step else Event(now, EventKind.TOKENS_VISIBLE)
    for what in sorted(old.first_seen.keys() - new.first_seen.keys()):
        is_step = what != TOKENS_VISIBLE
        yield Event(now, EventKind.DIFFERENCE_CLOSED, what) if is_step else Event(now, EventKind.TOKENS_HIDDEN)
    shown = {(s.rdatas, s.ttl) for s in new.mx if s.gone is None}
    shown_before = {(s.rdatas, s.ttl) for s in old.mx if s.gone is None}
    for rdatas, ttl in sorted(shown_before - shown, key=repr):
        yield Event(now, EventKind.MX_GONE, values=rdatas, ttl=ttl)
    for rdatas, ttl in sorted(shown - shown_before, key=repr):
        yield Event(now, EventKind.MX_SEEN, values=rdatas, ttl=ttl)
    known = before.next_hops if before is not None else None
    if known is not None and set(known) != set(after.next_hops or ()):
        yield Event(now, EventKind.NEXT_HOPS_CHANGED, values=after.next_hops or ())
