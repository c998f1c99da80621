"""Drift: what is observed against what was last applied and what is declared, as findings, and as a document.

`find_drift` is pure: the plan, its facts and the journal's lines are arguments. `Looked` is what it looks at. A class
that the journal does not show is told as not certain, never as a fact.
"""

from reconciler.drift.build import assemble_drift_document, build_drift_document, is_as_written, render_drift_json
from reconciler.drift.cause import Unchanged
from reconciler.drift.find import (
    ORPHANED,
    FoundInParts,
    Looked,
    find_drift,
    find_in_parts,
    other_diagnostics,
    worst_first,
)
from reconciler.drift.finding import DriftClass, DriftSeverity, Finding
from reconciler.drift.models import (
    AuthorDocument,
    DriftDocument,
    DriftDomainDocument,
    DriftShardDocument,
    FindingDocument,
    HeldFindingDocument,
    LookDocument,
    OpenPartDocument,
    ShownDocument,
    drift_schema,
)
from reconciler.drift.shard import open_parts

__all__ = [
    "ORPHANED",
    "AuthorDocument",
    "DriftClass",
    "DriftDocument",
    "DriftDomainDocument",
    "DriftSeverity",
    "DriftShardDocument",
    "Finding",
    "FindingDocument",
    "FoundInParts",
    "HeldFindingDocument",
    "LookDocument",
    "Looked",
    "OpenPartDocument",
    "ShownDocument",
    "Unchanged",
    "assemble_drift_document",
    "build_drift_document",
    "drift_schema",
    "find_drift",
    "find_in_parts",
    "is_as_written",
    "open_parts",
    "other_diagnostics",
    "render_drift_json",
    "worst_first",
]
