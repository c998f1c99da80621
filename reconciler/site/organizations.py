"""The organizations' pages, as data: each mail domain's stage, gates, plan, findings and timeline. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from reconciler.names import Name
from reconciler.plan import Status
from reconciler.report.text import STAGE_MEANINGS
from reconciler.site.cards import finding_card, step_card, told_cards
from reconciler.site.standing import NO_TROUBLE, Standing, Trouble, page_name, troubles_of
from reconciler.site.timeline import build_timeline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.document import DiagnosticDocument, ServiceDocument
    from reconciler.drift import FindingDocument
    from reconciler.site.cards import FindingCard, StepCard, ToldCard
    from reconciler.site.coverage import Coverage
    from reconciler.site.seen import Seen
    from reconciler.site.timeline import Line

_NOT_BY_MX_MEANING = "nothing in DNS: its connection needs no MX change"


@dataclass(frozen=True, slots=True)
class DomainCard:
    """One mail domain: its part of the plan, and everything that is told of it."""

    standing: Standing
    meaning: str
    findings: tuple[FindingCard, ...]
    told: tuple[ToldCard, ...]
    steps: tuple[StepCard, ...]
    flow: tuple[str, ...]
    timeline: tuple[Line, ...]
    earlier: int


class ServiceCard(NamedTuple):
    """One service's part of the plan; `is_done`: there is nothing left to do."""

    service: str
    kind: str
    steps: tuple[StepCard, ...]
    is_done: bool


@dataclass(frozen=True, slots=True)
class OrganizationPage:
    """One page of an organization; `files` are all of its pages, of which this one has the `number`.

    What is the organization's as a whole stands on its first page.
    """

    name: str
    number: int
    files: tuple[str, ...]
    domains: tuple[DomainCard, ...]
    services: tuple[ServiceCard, ...] = ()
    findings: tuple[FindingCard, ...] = ()
    coverage: tuple[Coverage, ...] = ()

    @property
    def file(self) -> str:
        """Its own file below `organizations/`."""
        return self.files[self.number - 1]


class OrganizationLine(NamedTuple):
    """One line of the list of organizations."""

    name: str
    file: str
    domains: int
    staying: int
    behind: int
    trouble: Trouble


@dataclass(slots=True)
class _Parts:
    """What belongs to one organization."""

    standings: list[Standing] = field(default_factory=list)
    services: list[ServiceDocument] = field(default_factory=list)
    findings: list[FindingDocument] = field(default_factory=list)
    coverage: list[Coverage] = field(default_factory=list)


class Organizations:
    """Every organization of a look, orphans' included, in the order of the plan."""

    def __init__(self, seen: Seen, standings: Sequence[Standing]) -> None:
        """Sort everything by where it belongs, once."""
        self._seen = seen
        self._documents = {d.domain: d for d in seen.plan.domains}
        self._findings: dict[str, list[FindingDocument]] = defaultdict(list)
        self._diagnostics: dict[str, list[DiagnosticDocument]] = defaultdict(list)
        self._parts: dict[str, _Parts] = defaultdict(_Parts)
        for standing in standings:
            self._parts[standing.organization].standings.append(standing)
        for service in seen.plan.services:
            self._parts[service.organization].services.append(service)
        for covered in seen.coverage:
            self._parts[covered.organization].coverage.append(covered)
        for finding in seen.drift.findings:
            if finding.domain in self._documents:
                self._findings[finding.domain].append(finding)
            else:
                self._parts[finding.organization].findings.append(finding)
        for diagnostic in seen.drift.diagnostics:
            self._diagnostics[diagnostic.domain].append(diagnostic)

    def lines(self) -> list[OrganizationLine]:
        """The list, the worst first."""
        troubles = troubles_of(self._seen.drift.counting, key="organization")
        lines = [
            OrganizationLine(
                name,
                page_name(name),
                len(parts.standings),
                sum(s.is_staying for s in parts.standings),
                sum(s.is_behind for s in parts.standings),
                troubles.get(name, NO_TROUBLE),
            )
            for name, parts in self._parts.items()
        ]
        return sorted(lines, key=lambda line: (line.trouble.rank, line.name))

    def files(self) -> Iterator[tuple[str, str, int]]:
        """Each page's file, its organization, and its number."""
        for name, parts in self._parts.items():
            for number, file in enumerate(_files(name, parts), 1):
                yield file, name, number

    def page(self, name: str, number: int) -> OrganizationPage:
        """One page, built when it is asked for: a fleet's pages are not held at once."""
        parts = self._parts[name]
        files = _files(name, parts)
        domains = tuple(self._domain(s) for s in parts.standings if s.page == files[number - 1])
        if number > 1:
            return OrganizationPage(name, number, files, domains)
        services = tuple(map(_service, parts.services))
        findings = tuple(map(finding_card, parts.findings))
        return OrganizationPage(name, 1, files, domains, services, findings, tuple(parts.coverage))

    def _domain(self, standing: Standing) -> DomainCard:
        name = standing.domain
        document = self._documents[name]
        timeline, earlier = build_timeline(self._seen.timelines.get(Name(f"{name}."), ()))
        return DomainCard(
            standing=standing,
            meaning=STAGE_MEANINGS[standing.stage] if standing.is_by_mx else _NOT_BY_MX_MEANING,
            findings=tuple(map(finding_card, self._findings.get(name, ()))),
            told=told_cards(self._diagnostics.get(name, ())),
            steps=tuple(map(step_card, document.steps)),
            flow=tuple(document.flow),
            timeline=timeline,
            earlier=earlier,
        )


def _service(service: ServiceDocument) -> ServiceCard:
    is_done = all(s.status is Status.DONE for s in service.steps)
    return ServiceCard(service.service, service.kind, tuple(map(step_card, service.steps)), is_done)


def _files(name: str, parts: _Parts) -> tuple[str, ...]:
    return tuple(dict.fromkeys([page_name(name), *(s.page for s in parts.standings)]))
