"""What all forms of a drift document say in the same words."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from reconciler.drift import DriftClass, DriftSeverity
from reconciler.errors import Severity
from reconciler.gates import HAZARDS
from reconciler.report.alike import also_text, nameless, together
from reconciler.report.in_sync import in_sync_text

if TYPE_CHECKING:
    from collections.abc import Hashable

    from reconciler.drift import DriftDocument, FindingDocument

CLASS_MEANINGS = {
    DriftClass.OUT_OF_BAND: "somebody changed it",
    DriftClass.UNAPPLIED: "declared and not applied",
    DriftClass.CATALOG: "the catalog changed",
    DriftClass.PENDING: "on its way, or waiting for its gates",
    DriftClass.UNKNOWN: "it could not be read",
    DriftClass.ORPHANED: "no manifest declares it any more",
}
_ADVISORIES = frozenset(hazard.id for hazard in HAZARDS if hazard.severity is Severity.ADVISORY)
_HOURS_OF_A_DAY = 24
_SHOWN_DAYS = 3  # below so many days, hours are told


class ToldFinding(NamedTuple):
    """A finding as it is told; `also` is plain text on whom else it is said of, empty where that is nobody."""

    finding: FindingDocument
    also: str


def told_findings(document: DriftDocument) -> list[ToldFinding]:
    """The findings that count, the worst first; an advisory that many domains have is told of the first of them."""
    groups = together(document.counting, _said)
    return [ToldFinding(first, also_text([f.domain for f in others], "domains")) for first, others in groups]


def _said(finding: FindingDocument) -> Hashable:
    if not is_advisory(finding) or not finding.domain:
        return None
    words = (nameless(text, finding.domain) for text in (finding.summary, finding.repair))
    return (finding.code, class_text(finding), *finding.held_by, *words)


def is_advisory(finding: FindingDocument) -> bool:
    """Whether it is advice, for a person to weigh: nothing has changed, and nothing is to be put right."""
    return finding.code in _ADVISORIES


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


def counts(document: DriftDocument) -> list[tuple[str, int]]:
    """How many findings there are of each severity, advisories apart, and how many are ignored."""
    advisories = Counter(f.severity for f in document.counting if is_advisory(f))
    severities = [(s.value, document.summary.severities[s] - advisories[s]) for s in DriftSeverity]
    word = "advisory" if advisories.total() == 1 else "advisories"
    return [*severities, (word, advisories.total()), ("ignored", document.summary.ignored)]


def counts_text(document: DriftDocument) -> str:
    """The counts in one sentence."""
    told = [f"{number:,} {name}" for name, number in counts(document) if number]
    domains = in_sync_text(document.summary.in_sync, document.summary.domains)
    return f"{', '.join(told)}. {domains}." if told else f"{domains}."
