"""What the first page says: exact counts, the one sentence, the drawing, and what is honest where nothing is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from builders import EU, MX_KEY, NOW, OLD_MX, SOURCE, attestation, domain, facts, present, waiver
from site_builders import DONE, counts, drift_of, fleet, seen

from reconciler.drift import DriftClass, DriftSeverity
from reconciler.drift.finding import Finding, certain
from reconciler.manifest.fleet import Lifecycle, ServiceAllowlist
from reconciler.origin import AllowlistFact
from reconciler.plan import Stage
from reconciler.site import Coverage, CoverageState, Seen, find_coverage
from reconciler.site.chart import HEIGHT, WIDTH, build_chart
from reconciler.site.overview import Overview, age_text, build_overview, percentage
from reconciler.site.standing import build_standings, worst_first
from reconciler.state import Cause, Unknown
from reconciler.targets.base import DeclaredAllowlist, Intent

if TYPE_CHECKING:
    from reconciler.gates import Facts


def overview(given: Seen) -> Overview:
    return build_overview(given, build_standings(given))


def with_findings(*given: tuple[DriftSeverity, DriftClass, int]) -> Seen:
    """A look at acme.example with findings of these severities and classes, seen for so many hours."""
    base = seen(DONE)
    findings = [
        Finding(
            code=f"code-{number}",
            cause=certain(drift_class),
            severity=severity,
            organization="acme",
            domain="acme.example",
            resource=None,
            expected=(),
            observed=(),
            first_seen=NOW - timedelta(hours=hours),
            summary=f"summary {number}",
            repair="mend it",
            source=None,
        )
        for number, (severity, drift_class, hours) in enumerate(given)
    ]
    return replace(base, drift=drift_of(base.plan, findings))


OUT = DriftClass.OUT_OF_BAND


@pytest.mark.parametrize(
    ("found", "level", "title", "text"),
    [
        ([], "ok", "No mail is at risk", "no finding is critical, high or medium"),
        ([(DriftSeverity.INFO, OUT, 9)], "ok", "No mail is at risk", "no finding is critical, high or medium"),
        (
            [(DriftSeverity.MEDIUM, OUT, 9)],
            "medium",
            "No mail is at risk; somebody has to do something",
            "1 medium finding, of acme.example",
        ),
        (
            [(DriftSeverity.MEDIUM, DriftClass.UNKNOWN, 9)],
            "unknown",
            "Not everything is known",
            "1 thing could not be read, 0 errors",
        ),
        (
            [(DriftSeverity.HIGH, OUT, 9), (DriftSeverity.HIGH, OUT, 20)],
            "high",
            "Mail can pass by the gateway, or bounce",
            "2 high findings, of acme.example",
        ),
        (
            [(DriftSeverity.HIGH, OUT, 90), (DriftSeverity.CRITICAL, OUT, 1)],
            "critical",
            "Mail is lost, or will be",
            "1 critical finding, of acme.example",
        ),
    ],
)
def test_the_sentence_is_about_the_worst(
    found: list[tuple[DriftSeverity, DriftClass, int]], level: str, title: str, text: str
) -> None:
    headline = overview(with_findings(*found)).headline
    assert (headline.level, headline.title, headline.text) == (level, title, text)


def test_the_sentence_tells_since_when_the_worst_is_seen() -> None:
    found = with_findings(
        (DriftSeverity.CRITICAL, OUT, 3), (DriftSeverity.CRITICAL, OUT, 30), (DriftSeverity.LOW, OUT, 99)
    )
    assert overview(found).headline.since == NOW - timedelta(hours=30)


def test_findings_are_the_worst_first_then_the_oldest_without_what_is_on_its_way() -> None:
    found = with_findings(
        (DriftSeverity.LOW, OUT, 500),
        (DriftSeverity.INFO, DriftClass.PENDING, 900),
        (DriftSeverity.HIGH, OUT, 2),
        (DriftSeverity.HIGH, OUT, 80),
    )
    said = overview(found)
    assert [(f.severity, f.age) for f in said.findings] == [("high", "3 days"), ("high", "2 h"), ("low", "20 days")]
    assert said.oldest is not None
    assert said.oldest.age == "20 days"
    assert said.findings[0].href == "organizations/acme.html#d-acme.example"


def test_the_funnel_counts_who_has_come_so_far() -> None:
    said = overview(fleet(30, 3))
    assert [(b.label, b.number, b.share) for b in said.funnel] == [
        ("declared", 30, 100),
        ("verifying", 20, 66),
        ("ready", 20, 66),
        ("switched", 20, 66),
        ("protected", 10, 33),
    ]
    assert (said.behind, said.staying, said.unseen, said.beside) == (20, 30, 0, ())


@pytest.mark.parametrize(
    ("given", "beside", "counts_as"),
    [
        (facts(domain(connection="api")), "not by MX", (0, 0, 0)),
        (facts(txt=Unknown(Cause.SERVFAIL, "x"), mx=present(MX_KEY, EU)), "unknown", (1, 0, 1)),
        (facts(domain(lifecycle=Lifecycle.OFFBOARDED), mx=present(MX_KEY, EU)), "leaving", (0, 0, 0)),
        (facts(domain(lifecycle=Lifecycle.OFFBOARDED), mx=present(MX_KEY, OLD_MX)), "gone", (0, 0, 0)),
    ],
)
def test_what_is_not_on_the_way_in_is_counted_apart(given: Facts, beside: str, counts_as: tuple[int, int, int]) -> None:
    said = overview(seen(given))
    assert [(name, number) for name, number, _ in said.beside] == [(beside, 1)]
    assert (said.staying, said.behind, said.unseen) == counts_as
    assert said.funnel[0].number == 0


def test_regions_have_their_multi_region_share() -> None:
    base = fleet(9, 3)
    domains = tuple(replace(d, region="us" if n % 3 else "eu", multi_region=n > 5) for n, d in enumerate(base.domains))
    said = overview(replace(base, domains=domains))
    assert [tuple(r) for r in said.regions] == [("eu", 1, 3, 3, 1, 33), ("us", 2, 6, 3, 2, 33)]


def test_coverage_tells_seen_from_attested_from_missing_and_from_not_known() -> None:
    unread = AllowlistFact(
        ServiceAllowlist(DeclaredAllowlist("plain", "", Intent.ALLOW, exclusive=False), "x.txt", SOURCE),
        Unknown(Cause.STALE_EXPORT, "the export is old"),
    )
    given = {
        "attested": facts(domain(service="attested"), mx=present(MX_KEY, EU)),
        "missing": facts(domain(service="missing", attestations=(), waivers=(waiver("allowlist"),))),
        "partly": facts(domain(service="partly", multi_region=True, attestations=(attestation(),))),
        "unknown": facts(domain(service="unknown"), allowlists=(unread,)),
    }
    beside = [
        facts(domain(service="api", connection="api")),
        facts(domain(service="left", lifecycle=Lifecycle.OFFBOARDED)),
    ]
    found = {c.service: c.state for c in find_coverage([*given.values(), *beside])}
    assert found == {
        "attested": CoverageState.ATTESTED,
        "missing": CoverageState.MISSING,
        "partly": CoverageState.MISSING,
        "unknown": CoverageState.UNKNOWN,
    }


def test_gaps_of_coverage_are_shown_and_the_rest_is_counted() -> None:
    states = [CoverageState.OBSERVED, CoverageState.MISSING, CoverageState.UNKNOWN, CoverageState.ATTESTED]
    said = overview(seen(coverage=tuple(Coverage("acme", s.name, s, "evidence") for s in states)))
    assert [number for _, number in said.coverage] == [1, 1, 1, 1]
    assert [gap.service for gap in said.gaps] == ["MISSING", "UNKNOWN"]


def test_without_a_recorded_look_there_is_no_drawing() -> None:
    said = overview(seen())
    assert (said.chart, said.recorded) == (None, 0)


def test_the_drawing_ends_with_this_look() -> None:
    chart = overview(seen(counts=(counts(48, critical=3, in_sync=1, domains=4),))).chart
    assert chart is not None
    assert [layer.last for layer in chart.layers][:1] == [1]
    assert [look.at for look in chart.looks] == [NOW, NOW - timedelta(hours=48)]
    assert chart.summary.startswith("2 looks over 2 days: from 3 findings to ")


def test_a_drawing_of_a_part_is_not_made() -> None:
    assert overview(seen(counts=(counts(5), counts(3)), is_whole=False)).chart is None


def test_the_drawings_steps_hold_until_the_next_look() -> None:
    chart = build_chart([counts(4, critical=2), counts(2, critical=1), counts(0, critical=0)])
    assert chart is not None
    assert chart.layers[0].path == "M34 10H334V89H634V168L634 168V168H334V168H34Z"
    assert [(t.at, t.text) for t in chart.levels] == [(168, "0"), (89, "1"), (10, "2")]


def test_a_year_of_looks_is_drawn_with_the_worst_of_each_moment_and_stays_inside() -> None:
    looks = [counts(n, low=1) for n in range(9000, -1, -1)]
    looks[4000] = counts(5000, critical=7)
    chart = build_chart(looks)
    assert chart is not None
    assert all(len(layer.path) < 12_000 for layer in chart.layers)
    assert "V29.8" in chart.layers[0].path  # 7 of 8 on the scale of 158
    numbers = [float(n) for layer in chart.layers for n in layer.path.replace("Z", "").translate(SPACED).split()]
    assert max(numbers) <= WIDTH
    assert min(numbers) >= 0
    assert (chart.earlier, len(chart.looks)) == (9001 - 30, 30)
    assert HEIGHT < WIDTH


SPACED = str.maketrans("MLHV", "    ")


def test_the_table_is_the_worst_first_then_the_oldest_then_by_name() -> None:
    ordered = worst_first(build_standings(fleet(9, 2)))
    assert [s.domain[:6] for s in ordered[:3]] == ["d00001", "d00004", "d00007"]
    assert [s.stage for s in ordered[-3:]] == [Stage.PROTECTED] * 3


@pytest.mark.parametrize(
    ("hours", "text"), [(0, "seen now"), (1, "1 h"), (71, "71 h"), (72, "3 days"), (500, "20 days")]
)
def test_ages_are_told_as_people_tell_them(hours: int, text: str) -> None:
    assert age_text(hours) == text


@pytest.mark.parametrize(
    ("most", "top"), [(0, 2), (2, 2), (3, 4), (10, 10), (11, 12), (13, 16), (18, 20), (99, 100), (10999, 12000)]
)
def test_the_scale_ends_at_an_even_round_number(most: int, top: int) -> None:
    chart = build_chart([counts(2, low=most), counts(1)])
    assert chart is not None
    assert chart.levels[-1].text == str(top)
    assert int(chart.levels[1].text) * 2 == top


@pytest.mark.parametrize(("part", "whole", "share"), [(0, 0, 0), (199, 200, 99), (200, 200, 100), (1, 300, 0)])
def test_100_percent_means_all(part: int, whole: int, share: int) -> None:
    assert percentage(part, whole) == share
