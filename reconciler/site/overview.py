"""The first page, as data: are we protected, what is wrong, since when. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from reconciler.drift import DriftClass, DriftSeverity
from reconciler.errors import Severity
from reconciler.journal.entries import DriftCounts
from reconciler.plan import Stage
from reconciler.report.terminal import counted
from reconciler.report.text import STAGE_MEANINGS
from reconciler.site.cards import prose, told_cards
from reconciler.site.chart import build_chart
from reconciler.site.coverage import CoverageState
from reconciler.site.standing import NO_TROUBLE, NOT_BY_MX, SEVERITIES, page_name, trouble_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reconciler.drift import FindingDocument
    from reconciler.site.cards import Text, ToldCard
    from reconciler.site.chart import Chart
    from reconciler.site.coverage import Coverage
    from reconciler.site.seen import Seen
    from reconciler.site.standing import Standing, Trouble

_SHOWN_FINDINGS = 10
_SHOWN_GAPS = 10
_SHOWN_TOLD = 20


@dataclass(frozen=True, slots=True)
class Headline:
    """The one sentence; `level` is a severity, `unknown` or `ok`. `since` is when the worst of it was first seen."""

    level: str
    title: str
    text: str
    since: datetime | None


class Bar(NamedTuple):
    """One line of the funnel; `share` is a percentage of the first line."""

    label: str
    meaning: str
    number: int
    share: int


class RegionLine(NamedTuple):
    """One region: `share` is the percentage of its mail domains with multi-region."""

    region: str
    organizations: int
    domains: int
    behind: int
    multi_region: int
    share: int


class OpenFinding(NamedTuple):
    """One of the findings that a reader shall see first."""

    severity: str
    summary: Text
    whose: str
    href: str
    since: datetime
    age: str


@dataclass(frozen=True, slots=True)
class Overview:
    """What the first page says, section by section."""

    headline: Headline
    staying: int
    behind: int
    unseen: int
    severities: tuple[tuple[str, int], ...]
    ignored: int
    oldest: OpenFinding | None
    funnel: tuple[Bar, ...]
    beside: tuple[tuple[str, int, str], ...]
    chart: Chart | None
    recorded: int
    findings: tuple[OpenFinding, ...]
    more_findings: int
    regions: tuple[RegionLine, ...]
    coverage: tuple[tuple[str, int], ...]
    gaps: tuple[Coverage, ...]
    told: tuple[ToldCard, ...]
    more_told: int


def build_overview(seen: Seen, standings: Sequence[Standing]) -> Overview:
    """Count, and choose what is shown first."""
    pages = {s.domain: f"organizations/{s.page}#{s.anchor}" for s in standings}
    counting = sorted(seen.drift.counting, key=lambda f: (SEVERITIES.index(f.severity), f.first_seen))
    real = [f for f in counting if f.severity is not DriftSeverity.INFO]
    oldest = min(real, key=lambda f: f.first_seen, default=None)
    gaps = [c for c in seen.coverage if c.state in {CoverageState.MISSING, CoverageState.UNKNOWN}]
    states = Counter(c.state for c in seen.coverage)
    fleets = [d for d in seen.drift.diagnostics if not d.domain]
    return Overview(
        headline=_headline(seen, counting),
        staying=sum(s.is_staying for s in standings),
        behind=sum(s.is_behind for s in standings),
        unseen=sum(s.is_staying and s.stage is Stage.UNKNOWN for s in standings),
        severities=tuple((s.value, seen.drift.summary.severities.get(s, 0)) for s in SEVERITIES),
        ignored=seen.drift.summary.ignored,
        oldest=_open_finding(oldest, pages) if oldest is not None else None,
        funnel=_funnel(standings),
        beside=_beside(standings),
        chart=build_chart(_looks(seen)),
        recorded=len(seen.counts),
        findings=tuple(_open_finding(f, pages) for f in real[:_SHOWN_FINDINGS]),
        more_findings=max(0, len(real) - _SHOWN_FINDINGS),
        regions=_regions(standings),
        coverage=tuple((state.value, states[state]) for state in CoverageState),
        gaps=tuple(gaps[:_SHOWN_GAPS]),
        told=told_cards(fleets[:_SHOWN_TOLD]),
        more_told=max(0, len(fleets) - _SHOWN_TOLD),
    )


def _headline(seen: Seen, counting: Sequence[FindingDocument]) -> Headline:
    trouble = trouble_of(counting) if counting else NO_TROUBLE
    unread = [f for f in counting if f.drift_class is DriftClass.UNKNOWN]
    wrong = [d for d in seen.drift.diagnostics if d.severity is Severity.ERROR]
    if trouble.severity is DriftSeverity.CRITICAL:
        return _worst("Mail is lost, or will be", trouble, counting)
    if trouble.severity is DriftSeverity.HIGH:
        return _worst("Mail can pass by the gateway, or bounce", trouble, counting)
    if unread or wrong:
        trouble = trouble_of(unread) if unread else NO_TROUBLE
        text = f"{counted(len(unread), 'thing')} could not be read, {counted(len(wrong), 'error')}"
        return Headline("unknown", "Not everything is known", text, trouble.since)
    if trouble.severity is DriftSeverity.MEDIUM:
        return _worst("No mail is at risk; somebody has to do something", trouble, counting)
    text = "no finding is critical, high or medium"
    return Headline("ok", "No mail is at risk", text, None)


def _worst(title: str, trouble: Trouble, counting: Sequence[FindingDocument]) -> Headline:
    severity = trouble.severity or DriftSeverity.INFO
    worst = [f for f in counting if f.severity is severity]
    places = {f.domain or f.organization for f in worst}
    text = f"{len(worst)} {severity.value} finding{'s' if len(worst) > 1 else ''}"
    if len(places) == 1 and worst[0].domain:
        text += f", of {worst[0].domain}"
    elif len(places) > 1:
        text += f", of {len(places)} domains or organizations"
    return Headline(severity.value, title, text, trouble.since)


def _open_finding(finding: FindingDocument, pages: dict[str, str]) -> OpenFinding:
    elsewhere = f"organizations/{page_name(finding.organization)}"
    return OpenFinding(
        severity=finding.severity.value,
        summary=prose(finding.summary),
        whose=finding.domain or finding.organization,
        href=pages.get(finding.domain, elsewhere),
        since=finding.first_seen,
        age=age_text(finding.age_hours),
    )


_HOURS_OF_A_DAY = 24
_SHOWN_DAYS = 3


def age_text(hours: int) -> str:
    """An age as a person says it."""
    if hours < 1:
        return "seen now"
    return f"{hours} h" if hours < _SHOWN_DAYS * _HOURS_OF_A_DAY else f"{hours // _HOURS_OF_A_DAY} days"


_FUNNEL = (
    (Stage.DECLARED, "declared", "in the manifests"),
    (Stage.VERIFYING, "verifying", "its values are in DNS"),
    (Stage.READY, "ready", "nothing holds the MX"),
    (Stage.SWITCHED, "switched", "mail goes through"),
    (Stage.PROTECTED, "protected", "nothing left to do"),
)


def _funnel(standings: Sequence[Standing]) -> tuple[Bar, ...]:
    reached = [sum(s.has_reached(stage) for s in standings) for stage, _, _ in _FUNNEL]
    return tuple(
        Bar(label, meaning, number, percentage(number, reached[0]))
        for (_, label, meaning), number in zip(_FUNNEL, reached, strict=True)
    )


def _beside(standings: Sequence[Standing]) -> tuple[tuple[str, int, str], ...]:
    """What is not on the way in, where there is any."""
    counts = Counter(s.stage_text for s in standings)
    meanings = {stage.value: STAGE_MEANINGS[stage] for stage in (Stage.UNKNOWN, Stage.LEAVING, Stage.GONE)}
    meanings[NOT_BY_MX] = "their connection needs no MX change"
    return tuple((name, counts[name], meaning) for name, meaning in meanings.items() if counts[name])


def _looks(seen: Seen) -> list[DriftCounts]:
    """The recorded looks at the whole fleet, and this one."""
    if not seen.is_whole:
        return []
    now, summary = seen.drift.created_at, seen.drift.summary
    counts = {severity.value: number for severity, number in summary.severities.items()}
    counts |= {"in_sync": summary.in_sync, "domains": summary.domains}
    return [*(c for c in seen.counts if c.at < now), DriftCounts(now, counts)]


def _regions(standings: Sequence[Standing]) -> tuple[RegionLine, ...]:
    by_region: dict[str, list[Standing]] = defaultdict(list)
    for standing in standings:
        by_region[standing.region].append(standing)
    return tuple(_region(region, found) for region, found in sorted(by_region.items()))


def _region(region: str, standings: Sequence[Standing]) -> RegionLine:
    multi = sum(s.is_multi_region for s in standings)
    return RegionLine(
        region,
        len({s.organization for s in standings}),
        len(standings),
        sum(s.is_behind for s in standings),
        multi,
        percentage(multi, len(standings)),
    )


def percentage(part: int, whole: int) -> int:
    """A share in whole percent, downwards, so that 100 means all; 0 of nothing is 0."""
    return part * 100 // whole if whole else 0
