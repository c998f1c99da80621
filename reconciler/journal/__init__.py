"""What is remembered between runs: histories, what was applied, since when a difference is seen, and one writer's lock.

The journal only stores and loads: what follows from a history is said by the pure functions of `reconciler.history`.
It may be lost, or restored from a backup, at any time: then less is known, and every wait is the longer one.
"""

from reconciler.journal.claims import Claim
from reconciler.journal.entries import (
    AppliedChange,
    DriftCounts,
    Event,
    EventKind,
    KnownDomain,
    Look,
    ReviewedPlan,
    Told,
)
from reconciler.journal.lock import Lock
from reconciler.journal.reader import JournalReader, read_histories, read_journal
from reconciler.journal.store import Journal, open_journal

__all__ = [
    "AppliedChange",
    "Claim",
    "DriftCounts",
    "Event",
    "EventKind",
    "Journal",
    "JournalReader",
    "KnownDomain",
    "Lock",
    "Look",
    "ReviewedPlan",
    "Told",
    "open_journal",
    "read_histories",
    "read_journal",
]
