"""From a plan, its facts and what the journal remembers to findings, the worst first. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

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
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.document import DiagnosticDocument, PlanDocument
    from reconciler.drift.cause import Unchanged
    from reconciler.drift.models import FindingDocument
    from reconciler.gates import Facts
    from reconciler.journal.entries import Event
    from reconciler.manifest.fleet import DriftIgnore
    from reconciler.orphans import KnownDomain

_Ranked = TypeVar("_Ranked", "Finding", "FindingDocument")

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
    return worst_first(find_in_parts(looked).every)


@dataclass(frozen=True, slots=True)
class FoundInParts:
    """Findings as they were found: of each domain of the plan, of each service, in their order, and of orphans.

    Of a domain and of a service the first ones are those of its steps that are not done, one for each, in their order.
    """

    domains: list[list[Finding]]
    services: list[list[Finding]]
    orphans: list[Finding]

    @property
    def every(self) -> list[Finding]:
        """All of them, in this order."""
        return [*chain.from_iterable(self.domains), *chain.from_iterable(self.services), *self.orphans]


def find_in_parts(looked: Looked) -> FoundInParts:
    """Every finding as it is found, some of them perhaps more than once."""
    remembered = {f.domain.name: _remembered(looked, f) for f in looked.facts}
    return FoundInParts(
        list(_of_domains(looked, remembered)), list(_of_services(looked, remembered)), list(_orphans(looked))
    )


def worst_first(found: Iterable[_Ranked]) -> list[_Ranked]:
    """Findings in the order in which they are told, each once."""
    order = {severity: at for at, severity in enumerate(DriftSeverity)}
    ranked = sorted(found, key=lambda f: (order[f.severity], f.organization, f.domain, f.code, f.fingerprint))
    return list({f.fingerprint: f for f in reversed(ranked)}.values())[::-1]


def other_diagnostics(document: PlanDocument) -> list[DiagnosticDocument]:
    """What is told beside the findings; limits speak of a run that writes."""
    kept = [d for d in document.diagnostics if not _is_found(d)]
    return [d for d in kept if d.code not in _OF_LIMITS]


def _is_found(diagnostic: DiagnosticDocument) -> bool:
    return bool(diagnostic.domain) and diagnostic.code in {*HAZARD_CODES, ORPHANED}


def _remembered(looked: Looked, facts: Facts) -> Remembered:
    events = tuple(looked.timelines.get(facts.domain.name, ()))
    return Remembered(facts.now, facts.history, events, looked.is_whole)


def _of_domains(looked: Looked, remembered: Mapping[Name, Remembered]) -> Iterator[list[Finding]]:
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
        yield [with_ignored(finding, own.domain.ignore_drift, own.today) for finding in finder.find()]


def _of_services(looked: Looked, remembered: Mapping[Name, Remembered]) -> Iterator[list[Finding]]:
    by_service = defaultdict(list)
    for facts in looked.facts:
        by_service[facts.domain.organization, facts.domain.service].append((facts, remembered[facts.domain.name]))
    for document in looked.document.services:
        key = (document.organization, document.service)
        rules, today = looked.ignore.get(key, ()), looked.document.created_at.date()
        yield [with_ignored(finding, rules, today) for finding in ServiceFinder(document, by_service[key]).find()]


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
