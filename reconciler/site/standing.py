"""Where each mail domain stands: one line of the table, and what every count of the page is made of. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.drift import DriftSeverity
from reconciler.files import safe_file_name
from reconciler.names import display_name
from reconciler.plan import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from reconciler.drift import FindingDocument
    from reconciler.site.seen import Seen

NOT_BY_MX = "not by MX"
"""The stage of a mail domain whose mail reaches the gateway otherwise, or not at all: there is nothing in DNS."""

SEVERITIES = tuple(DriftSeverity)
_PAGE_DOMAINS = 200
_REACHED = (Stage.DECLARED, Stage.VERIFYING, Stage.READY, Stage.SWITCHED, Stage.PROTECTED)


@dataclass(frozen=True, slots=True)
class Trouble:
    """The open findings of something: how many, the worst severity, and since when there is one of that severity."""

    findings: int = 0
    severity: DriftSeverity | None = None
    since: datetime | None = None

    @property
    def rank(self) -> int:
        """0 for the worst severity; one more than the last where there is no finding."""
        return len(SEVERITIES) if self.severity is None else SEVERITIES.index(self.severity)


NO_TROUBLE = Trouble()


@dataclass(frozen=True, slots=True)
class Standing:
    """One mail domain. `page` is the file below `organizations/` that it stands on, `anchor` its place there."""

    domain: str
    written: str
    organization: str
    service: str
    region: str
    is_multi_region: bool
    is_by_mx: bool
    stage: Stage
    trouble: Trouble
    page: str
    anchor: str

    @property
    def stage_text(self) -> str:
        """The stage in one word or a few."""
        return self.stage.value if self.is_by_mx else NOT_BY_MX

    @property
    def alabel(self) -> str:
        """The name in A-labels, where that is not how it is written; else empty."""
        return self.domain if self.written != self.domain else ""

    @property
    def is_staying(self) -> bool:
        """Whether its mail shall go through the gateway by the MX."""
        return self.is_by_mx and self.stage not in {Stage.LEAVING, Stage.GONE}

    @property
    def is_behind(self) -> bool:
        """Whether its MX was seen to be the gateway's."""
        return self.is_by_mx and self.stage in {Stage.SWITCHED, Stage.PROTECTED}

    def has_reached(self, stage: Stage) -> bool:
        """Whether it is at a stage of the way in, or past it."""
        way = _REACHED
        return self.is_by_mx and self.stage in way and way.index(self.stage) >= way.index(stage)


def build_standings(seen: Seen) -> tuple[Standing, ...]:
    """Every mail domain of the plan, in its order."""
    declared = {display_name(d.name): d for d in seen.domains}
    troubles = troubles_of(seen.drift.counting, key="domain")
    numbers: dict[str, int] = defaultdict(int)
    found = []
    for document in seen.plan.domains:
        domain = declared[document.domain]
        number = numbers[document.organization]
        numbers[document.organization] += 1
        found.append(
            Standing(
                domain=document.domain,
                written=document.written,
                organization=document.organization,
                service=domain.service,
                region=domain.region,
                is_multi_region=domain.multi_region,
                is_by_mx=domain.is_filtered_by_mx,
                stage=document.stage,
                trouble=troubles.get(document.domain, NO_TROUBLE),
                page=page_name(document.organization, number // _PAGE_DOMAINS + 1),
                anchor=anchor_of(document.domain),
            )
        )
    return tuple(found)


def worst_first(standings: Iterable[Standing]) -> list[Standing]:
    """The worst severity first, then what lasts longest, then by name."""

    def key(standing: Standing) -> tuple[int, float, str]:
        trouble = standing.trouble
        return trouble.rank, trouble.since.timestamp() if trouble.since else 0.0, standing.domain

    return sorted(standings, key=key)


def troubles_of(findings: Iterable[FindingDocument], *, key: str) -> Mapping[str, Trouble]:
    """The open findings by an attribute of theirs: `domain` or `organization`."""
    grouped: dict[str, list[FindingDocument]] = defaultdict(list)
    for finding in findings:
        grouped[getattr(finding, key)].append(finding)
    return {name: trouble_of(group) for name, group in grouped.items()}


def trouble_of(findings: Sequence[FindingDocument]) -> Trouble:
    """What findings, of which there is at least one, come to."""
    worst = min((f.severity for f in findings), key=SEVERITIES.index)
    return Trouble(len(findings), worst, min(f.first_seen for f in findings if f.severity is worst))


def page_name(organization: str, number: int = 1) -> str:
    """The file of an organization's page, safe on every system; a tilde, which no name has, stands before a number.

    Names that differ in case alone have different files, because some file systems do not tell them apart.
    """
    name = safe_file_name(organization)
    if name != name.lower() or organization.startswith("_"):
        name = safe_file_name(f"{organization}/")
    return f"{name}.html" if number == 1 else f"{name}~{number}.html"


def anchor_of(domain: str) -> str:
    """The id of a mail domain on its organization's page."""
    return f"d-{safe_file_name(domain)}"
