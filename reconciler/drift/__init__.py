"""Drift: what is observed against what was last applied and what is declared, as findings, and as a document.

`find_drift` is pure: the plan, its facts and the journal's lines are arguments. `Looked` is what it looks at. A class
that the journal does not show is told as not certain, never as a fact.
"""

from reconciler.drift.build import build_drift_document, render_drift_json
from reconciler.drift.cause import Unchanged
from reconciler.drift.find import ORPHANED, Looked, find_drift, other_diagnostics
from reconciler.drift.finding import DriftClass, DriftSeverity, Finding
from reconciler.drift.models import (
    AuthorDocument,
    DriftDocument,
    DriftDomainDocument,
    FindingDocument,
    drift_schema,
)

__all__ = [
    "ORPHANED",
    "AuthorDocument",
    "DriftClass",
    "DriftDocument",
    "DriftDomainDocument",
    "DriftSeverity",
    "Finding",
    "FindingDocument",
    "Looked",
    "Unchanged",
    "build_drift_document",
    "drift_schema",
    "find_drift",
    "other_diagnostics",
    "render_drift_json",
]
