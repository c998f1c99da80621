"""From a plan, its facts and what the journal remembers to findings, the worst first. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.drift.domains import DomainFinder
from reconciler.drift.finding import DriftClass, DriftSeverity, Finding, certain
from reconciler.drift.hazards import HAZARD_CODES
from reconciler.drift.ignore import with_ignored
from reconciler.drift.remembered import Remembered
from reconciler.drift.services import ServiceFinder
from reconciler.drift.severity import severity_of_hazard
from reconciler.manifest.fleet import Source
from reconciler.names import Name, display_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.document import DiagnosticDocument, PlanDocument
    from reconciler.drift.cause import Unchanged
    from reconciler.gates import Facts
    from reconciler.journal.entries import Event
    from reconciler.manifest.fleet import DriftIgnore
    from reconciler.orphans import KnownDomain

ORPHANED = "orphaned"
_OF_LIMITS = frozenset({"kill-switch", "freeze", "unhealthy", "limit"})


@dataclass(frozen=True, slots=True)
class Looked:
    """One look at the world: the plan of it and its facts, and what the journal knew before.

    `ignore` are the ignore rules of services, by organization and service; those of domains are in the facts.
    `unchanged` is as in `cause_of`. `reviewed` are the ids of steps that a kept reviewed plan shows.
    `is_whole` is False for a journal that is an older copy of itself. `files` are organizations' manifests, by name.
    """

    document: PlanDocument
    facts: Sequence[Facts]
    timelines: Mapping[Name, Sequence[Event]] = field(default_factory=dict)
    known: Mapping[Name, KnownDomain] = field(default_factory=dict)
    ignore: Mapping[tuple[str, str], Sequence[DriftIgnore]] = field(default_factory=dict)
    unchanged: Unchanged = frozenset()
    reviewed: frozenset[str] = frozenset()
    is_whole: bool = True
    files: Mapping[str, str] = field(default_factory=dict)


def find_drift(looked: Looked) -> list[Finding]:
    """Every finding, the worst first, each once."""
    remembered = {f.domain.name: _remembered(looked, f) for f in looked.facts}
    found = [
        *_of_domains(looked, remembered),
        *_of_services(looked, remembered),
        *_orphans(looked),
    ]
    order = list(DriftSeverity)
    found.sort(key=lambda f: (order.index(f.severity), f.organization, f.domain, f.code, f.fingerprint))
    return list({f.fingerprint: f for f in reversed(found)}.values())[::-1]


def other_diagnostics(document: PlanDocument) -> list[DiagnosticDocument]:
    """What is told beside the findings; limits speak of a run that writes."""
    kept = [d for d in document.diagnostics if not _is_found(d)]
    return [d for d in kept if d.code not in _OF_LIMITS]


def _is_found(diagnostic: DiagnosticDocument) -> bool:
    return bool(diagnostic.domain) and diagnostic.code in {*HAZARD_CODES, ORPHANED}


def _remembered(looked: Looked, facts: Facts) -> Remembered:
    events = tuple(looked.timelines.get(facts.domain.name, ()))
    return Remembered(facts.now, facts.history, events, looked.is_whole)


def _of_domains(looked: Looked, remembered: Mapping[Name, Remembered]) -> Iterator[Finding]:
    diagnostics = defaultdict(list)
    for diagnostic in looked.document.diagnostics:
        if _is_found(diagnostic) and diagnostic.code != ORPHANED:
            diagnostics[diagnostic.domain].append(diagnostic)
    facts = {display_name(f.domain.name): f for f in looked.facts}
    for document in looked.document.domains:
        own = facts[document.domain]
        memory = remembered[own.domain.name]
        told = diagnostics[document.domain]
        finder = DomainFinder(document, own, memory, told, looked.unchanged, looked.reviewed)
        for finding in finder.find():
            yield with_ignored(finding, own.domain.ignore_drift, own.today)


def _of_services(looked: Looked, remembered: Mapping[Name, Remembered]) -> Iterator[Finding]:
    by_service = defaultdict(list)
    for facts in looked.facts:
        by_service[facts.domain.organization, facts.domain.service].append((facts, remembered[facts.domain.name]))
    for document in looked.document.services:
        key = (document.organization, document.service)
        for finding in ServiceFinder(document, by_service[key]).find():
            yield with_ignored(finding, looked.ignore.get(key, ()), looked.document.created_at.date())


def _orphans(looked: Looked) -> Iterator[Finding]:
    """They have no manifest: the one of their organization is where they would have to be declared again."""
    for diagnostic in looked.document.diagnostics:
        if diagnostic.code != ORPHANED:
            continue
        known = looked.known[Name(f"{diagnostic.domain}.")]
        file = looked.files.get(known.organization)
        yield Finding(
            code=ORPHANED,
            cause=certain(DriftClass.ORPHANED),
            severity=severity_of_hazard(ORPHANED, diagnostic.severity, is_through_gateway=known.is_switched),
            organization=known.organization,
            domain=diagnostic.domain,
            resource=None,
            expected=(),
            observed=(),
            # it left the manifests after that look, and nobody saw when
            first_seen=known.last_seen,
            summary=diagnostic.summary,
            repair=diagnostic.detail,
            source=Source(file, 1) if file is not None else None,
        )
