"""Why an rrset differs: what the journal says was written, beside what is declared and what is observed. Pure.

The rules, in this order; `last` is the last change that this program wrote to the rrset:

1. a value that `last` left is gone, one that it took away is back, one stands there that did not when it was written,
   or the TTL is another one than it wrote: out-of-band;
2. without `last`, an MX that changed when it began to differ: out-of-band; one that is older: what is declared changed;
3. what is wanted was not wanted by `last`, and the manifest is still what it was then: catalog;
4. the step waits for its gates, or goes on by itself because it was reviewed: pending;
5. else it was declared and not applied. Nothing shows that it ever was as declared, nor that it was not: then the class
   is unapplied, and not certain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.drift.finding import Cause, DriftClass, certain, uncertain

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from reconciler.diff import Change
    from reconciler.drift.remembered import Remembered
    from reconciler.journal.entries import AppliedChange

Unchanged = frozenset[tuple[str, str]]
"""Commits with the manifest files that are at them as they are now."""


def cause_of(
    change: Change, remembered: Remembered, *, is_waiting: bool, since: datetime, file: str, unchanged: Unchanged
) -> Cause:
    """Why an rrset differs; `since` is when that was first seen, `file` the manifest that declares it.

    `is_waiting`: the step that mends it waits for its gates, or a reviewed plan shows it, so that it goes on by itself.
    """
    last = remembered.last_applied(change.key)
    if last is None:
        return _cause_unwritten(change, remembered, since, is_waiting=is_waiting)
    moved = _moved_since(change, last)
    if moved:
        return certain(DriftClass.OUT_OF_BAND, moved)
    is_new = any(v not in last.change.after for v in change.added)
    if is_new and last.commit is not None and (last.commit, file) in unchanged:
        text = f"the manifest is as it was when {_written(last)}; the catalog changed since"
        return certain(DriftClass.CATALOG, text)
    if is_waiting:
        return certain(DriftClass.PENDING)
    return certain(DriftClass.UNAPPLIED, f"it is as {_written(last)} left it")


def _moved_since(change: Change, last: AppliedChange) -> str:
    """What somebody else did after the last write; empty where nothing shows any."""
    then = last.change
    lost = [v for v in change.added if v in then.after]
    came = [v for v in change.removed if v not in then.wanted]
    if lost or came:
        parts = [f"removed {_listed(lost)}"] if lost else []
        parts += [f"added {_listed(came)}"] if came else []
        return f"after {_written(last)}, somebody else {' and '.join(parts)}"
    is_ttl_alone = not change.added and not change.removed
    if is_ttl_alone and then.ttl == change.ttl:
        return f"after {_written(last)} with TTL {then.ttl}, somebody else set {change.ttl_before}"
    return ""


def _cause_unwritten(change: Change, remembered: Remembered, since: datetime, *, is_waiting: bool) -> Cause:
    moved = remembered.is_mx_moved(change.expected, since) if change.key.type == "MX" else None
    if moved:
        text = "it was another one when it was last looked at, and this program did not write it"
        return certain(DriftClass.OUT_OF_BAND, text)
    if is_waiting:
        return certain(DriftClass.PENDING)
    if moved is False:
        return certain(DriftClass.UNAPPLIED, "it was so before it began to differ: what is declared changed")
    text = "the journal does not show that it was ever applied"
    return uncertain(DriftClass.UNAPPLIED, text)


def _written(last: AppliedChange) -> str:
    commit = f" of commit {last.commit[:12]}" if last.commit else ""
    return f"the apply{commit} at {last.at.isoformat(sep=' ', timespec='minutes')}"


_SHOWN = 3


def _listed(values: Collection[str]) -> str:
    more = len(values) - _SHOWN
    return ", ".join(list(values)[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
