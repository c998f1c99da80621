"""Merging documents of either kind. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.document import PlanDocument
from reconciler.merge.drifts import merge_drifts
from reconciler.merge.plans import merge_plans
from reconciler.merge.refusals import NamedDocument, refuse_altered, refuse_unlike

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.merge.refusals import MergeableDocument

__all__ = ["NamedDocument", "merge_documents"]


def merge_documents(given: Sequence[NamedDocument]) -> MergeableDocument:
    """The document of the whole run of which these are all shards, in any order; of at least one document.

    A document that is about everything already, given alone or several times, is given back.

    Raises:
        MergeError: they are not shards of one run, or not all of them, or one of them was altered.

    """
    first = given[0].document
    if first.shard is None and all(document == first for _, document in given):
        refuse_altered(given)
        return first
    refuse_unlike(given)
    shards = {d.shard.index: d for _, d in given if d.shard is not None}
    documents = [shards[index] for index in sorted(shards)]
    plans = [d for d in documents if isinstance(d, PlanDocument)]
    return merge_plans(plans) if plans else merge_drifts([d for d in documents if not isinstance(d, PlanDocument)])
