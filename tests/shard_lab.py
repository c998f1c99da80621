"""A fleet in the current folder, looked at as a whole, in shards, and in shards that are merged."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from builders import NOW

from reconciler.document import PlanDocument, checked_document, render_document
from reconciler.drift import DriftDocument, render_drift_json
from reconciler.invocation import Invocation, Progress, open_invocation
from reconciler.merge import MergeableDocument, NamedDocument, merge_documents
from reconciler.run import plan
from reconciler.run_drift import drift
from reconciler.scan import ScanOrder, scan
from reconciler.selection import Selection, Shard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

Kind = Literal["plan", "drift"]
KINDS: tuple[Kind, ...] = ("plan", "drift")


@contextmanager
def _untold(what: str, total: int) -> Iterator[Callable[[int], None]]:
    del what, total
    yield lambda _done: None


def opened(now: datetime = NOW, progress: Progress = _untold) -> Invocation:
    return open_invocation(
        manifests=Path("manifests"),
        settings_file=Path("reconciler.yaml"),
        is_settings_required=True,
        now=now,
        commit=None,
        progress=progress,
    )


def order(kind: Kind, shard: Shard, now: datetime = NOW, organizations: tuple[str, ...] = ()) -> ScanOrder:
    return ScanOrder(kind, shard, "manifests", "reconciler.yaml", now, None, organizations=organizations)


def rendered(document: MergeableDocument) -> str:
    return render_document(document) if isinstance(document, PlanDocument) else render_drift_json(document)


def whole(kind: Kind, selection: Selection | None = None) -> MergeableDocument:
    """What one process finds."""
    look = plan if kind == "plan" else drift
    return look(opened(), selection or Selection())


def read(octets: bytes) -> MergeableDocument:
    """As whoever merges reads them: nothing of a plan was altered on its way."""
    if b'"kind": "plan"' in octets:
        return checked_document(PlanDocument.model_validate_json(octets).model_dump(mode="json"), Path("x"))
    return DriftDocument.model_validate_json(octets)


def shard(kind: Kind, index: int, count: int, organizations: tuple[str, ...] = ()) -> MergeableDocument:
    """One shard, by the way of its octets."""
    return read(scan(order(kind, Shard(index, count), organizations=organizations)))


def shards(kind: Kind, count: int, organizations: tuple[str, ...] = ()) -> list[MergeableDocument]:
    return [shard(kind, index, count, organizations) for index in range(1, count + 1)]


def merged(documents: Iterable[MergeableDocument]) -> MergeableDocument:
    return merge_documents([NamedDocument(f"{n}.json", document) for n, document in enumerate(documents, start=1)])
