"""The shell of `merge`: read documents, put them together, and, when told to, remember the look that they are.

The world is not looked at, and of the settings only the journal's are used, and only to remember.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.document import PlanDocument
from reconciler.documents import load_documents
from reconciler.drift import DriftDocument
from reconciler.errors import JournalError, error
from reconciler.journal import DriftCounts, Look
from reconciler.merge import MergeableDocument, MergeError, NamedDocument
from reconciler.names import Name
from reconciler.run_drift import counts_of
from reconciler.session import open_session
from reconciler.state import Rdata

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from reconciler.drift import DriftShardDocument, LookDocument
    from reconciler.invocation import Invocation

_MERGEABLE: Final[tuple[type[MergeableDocument], ...]] = (PlanDocument, DriftDocument)


def load_named(paths: Iterable[Path]) -> list[NamedDocument]:
    """The plans and drifts in these files, each named by its file.

    Raises:
        DocumentFileError: unreadable, of another kind, or an altered plan; all files that are.

    """
    every = list(paths)
    documents = load_documents(every, _MERGEABLE)
    return [NamedDocument(str(path), document) for path, document in zip(every, documents, strict=True)]


def record(invocation: Invocation, merged: DriftDocument, given: Sequence[NamedDocument]) -> None:
    """Keep in the journal what all shards of a drift saw, as `drift --record` does for what it sees itself.

    Raises:
        MergeError: none of them is a shard's.
        JournalError: the journal is not the one that the shards read, was written to since, or cannot be used.

    """
    shards = {s.index: s for _, d in given if isinstance(d, DriftDocument) and (s := d.shard) is not None}
    if not shards:
        summary = "there is nothing to record: a document that is about everything already does not say what was seen"
        raise MergeError([error("merge-record", summary, "Give the documents of the shards, or use `drift --record`.")])
    first = next(iter(shards.values()))
    with open_session(invocation) as session:
        if not session.journal.is_as_at(first.journal):
            summary = "the journal is not as the shards read it, so their look is not recorded"
            detail = (
                "Let every shard read this journal, and nothing write to it until they are merged; then look again."
            )
            raise JournalError([error("merge-journal", summary, detail)])
        # a shard may have looked long after it was ordered, and waits count from what was seen last: never too early
        seen_at = max(invocation.looked_at(), *(d.created_at for _, d in given))
        session.record_looks(_looks(shards.values(), merged), seen_at)
        if first.is_everything:  # counts of a part would look like a fleet that got better
            session.journal.record_counts(DriftCounts(merged.created_at, counts_of(merged)))


def _looks(shards: Iterable[DriftShardDocument], merged: DriftDocument) -> list[Look]:
    """In the order of the domains, as one process records them."""
    looks = {look.domain: _look(look) for shard in shards for look in shard.looks}
    return [looks[name] for d in merged.domains if (name := f"{d.domain}.") in looks]


def _look(document: LookDocument) -> Look:
    return Look(
        domain=Name(document.domain),
        organization=document.organization,
        shown=frozenset((tuple(map(Rdata, shown.values)), shown.ttl) for shown in document.shown),
        is_complete=document.is_complete,
        open_steps=frozenset(document.open_steps),
        tokens_visible=document.tokens_visible,
        next_hops=tuple(map(Name, document.next_hops)),
        is_switched=document.is_switched,
        is_gone=document.is_gone,
        lifecycle=document.lifecycle,
    )
