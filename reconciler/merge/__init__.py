"""The documents of shards put together into the one that one process would have made. Pure.

Nothing is taken from elsewhere: what only the whole run decides (`reconciler.limits`) is decided here, by the settings
that the shards were made with, as they say themselves. What is merged may be merged again, the order of the documents
means nothing, and one that is given twice counts once. Shards of different worlds are refused, all reasons at once.

The moment of the merged document is that of its earliest shard, and so is its expiry.
"""

from reconciler.merge.documents import NamedDocument, merge_documents
from reconciler.merge.refusals import MOST_APART, MergeableDocument, MergeError

__all__ = ["MOST_APART", "MergeError", "MergeableDocument", "NamedDocument", "merge_documents"]
