"""What is remembered between runs: histories, what was applied, since when a difference is seen, and one writer's lock.

The journal only stores and loads: what follows from a history is said by the pure functions of `reconciler.history`.
It may be lost, or restored from a backup, at any time: then less is known, and every wait is the longer one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from reconciler.journal.claims import Claim
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

# what imports SQLAlchemy, by module: most runs only name the entries, or have no journal to open
_STORED_IN = {
    "Claim": "claims",
    "Journal": "store",
    "JournalReader": "reader",
    "Lock": "lock",
    "open_journal": "store",
    "read_histories": "reader",
    "read_journal": "reader",
}


def __getattr__(name: str) -> object:
    """What stores and loads, imported when it is first named (PEP 562)."""
    if name not in _STORED_IN:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{_STORED_IN[name]}"), name)
