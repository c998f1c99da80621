"""What all forms of a drift document say in the same words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.drift import DriftClass, DriftSeverity

if TYPE_CHECKING:
    from reconciler.drift import DriftDocument, FindingDocument

CLASS_MEANINGS = {
    DriftClass.OUT_OF_BAND: "somebody changed it",
    DriftClass.UNAPPLIED: "declared and not applied",
    DriftClass.CATALOG: "the catalog changed",
    DriftClass.PENDING: "on its way, or waiting for its gates",
    DriftClass.UNKNOWN: "it could not be read",
    DriftClass.ORPHANED: "no manifest declares it any more",
}
_HOURS_OF_A_DAY = 24
_SHOWN_DAYS = 3  # below so many days, hours are told


def class_text(finding: FindingDocument) -> str:
    """The class and what it means; where the journal does not show which of two it is, both."""
    if finding.is_certain:
        return f"{finding.drift_class.value}: {CLASS_MEANINGS[finding.drift_class]}"
    likely = finding.drift_class
    other = DriftClass.UNAPPLIED if likely is DriftClass.OUT_OF_BAND else DriftClass.OUT_OF_BAND
    return f"{likely.value} or {other.value}: the journal does not show which"


def since_text(finding: FindingDocument) -> str:
    """Since when it is seen, and how long that is."""
    hours = finding.age_hours
    age = f"{hours} h" if hours < _SHOWN_DAYS * _HOURS_OF_A_DAY else f"{hours // _HOURS_OF_A_DAY} days"
    return f"{finding.first_seen.isoformat(sep=' ', timespec='minutes')} ({age})"


def about_text(finding: FindingDocument) -> str:
    """The domain and the rrset, or the origin's list, that it is about."""
    resource = finding.resource
    if resource is None:
        return finding.domain
    name = resource.name.removesuffix(".")
    return f"{resource.type} {name}" if resource.kind == "rrset" else name


def changed_by_text(finding: FindingDocument) -> str:
    """Who changed the line that declares it last; empty where that is not known."""
    by = finding.changed_by
    if by is None:
        return ""
    return f"{by.author}, commit {by.commit[:12]}, {by.at.isoformat(sep=' ', timespec='minutes')}"


def place_text(finding: FindingDocument) -> str:
    """The file and line that declare it; empty where nothing does."""
    return f"{finding.source.file}:{finding.source.line}" if finding.source is not None else ""


def ignored_text(finding: FindingDocument) -> str:
    """Who lets it be, until when and why; empty where nobody does."""
    rule = finding.ignored_by
    return "" if rule is None else f"ignored by {rule.owner} until {rule.expires.isoformat()}: {rule.reason}"


def counts_text(document: DriftDocument) -> str:
    """The counts in one sentence."""
    summary = document.summary
    parts = [f"{summary.severities[s]} {s.value}" for s in DriftSeverity if summary.severities[s]]
    ignored = [f"{summary.ignored} ignored"] if summary.ignored else []
    domains = f"{summary.in_sync} of {summary.domains} domains in sync"
    counts = ", ".join([*parts, *ignored])
    return f"{counts}. {domains}." if counts else f"{domains}."
