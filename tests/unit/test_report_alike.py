"""What many domains have in the same words is told once: advisories, and nothing that somebody has to work through."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from builders import NOW, document, facts
from hostile import IN_DOCUMENTS, Page, assert_log_is_safe

from reconciler.document import DiagnosticDocument, DocumentHead
from reconciler.drift import DriftClass, DriftDocument, build_drift_document, render_drift_json
from reconciler.drift.finding import DriftSeverity, Finding, certain
from reconciler.errors import Diagnostic, Severity
from reconciler.escape import log_text
from reconciler.report.drift_html import render_drift_html
from reconciler.report.drift_markdown import render_drift_markdown
from reconciler.report.drift_text import render_drift_text
from reconciler.report.html import render_html
from reconciler.report.markdown import render_markdown
from reconciler.report.terminal import render_diagnostics
from reconciler.report.text import render_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.document import PlanDocument


def _signed(name: str, **changes: object) -> Diagnostic:
    summary, detail = f"the zone of {name} is signed with DNSSEC", f"Edit {name} where it is signed."
    given = Diagnostic(Severity.ADVISORY, "dnssec", summary, detail, "manifests/a.yaml", 7, domain=name)
    return given._replace(**changes)  # type: ignore[arg-type]


def _many(count: int, **changes: object) -> list[Diagnostic]:
    return [_signed(f"d{number:04}.example", **changes) for number in range(count)]


def _lines(*given: Diagnostic) -> list[str]:
    return list(render_diagnostics(given, color=False))


def test_an_advisory_of_many_domains_is_told_once_with_their_number_and_the_first_names() -> None:
    assert _lines(*reversed(_many(1204))) == [
        "manifests/a.yaml:7: advisory[dnssec]: the zone of d0000.example is signed with DNSSEC",
        "    Edit d0000.example where it is signed.",
        "    the same for 1,203 more domains: d0001.example, d0002.example, d0003.example and 1,200 more",
    ]


def test_a_few_are_told_one_by_one() -> None:
    three, four = _lines(*_many(3)), _lines(*_many(4))
    assert [line for line in three if "advisory" in line] == [line for line in three if not line.startswith(" ")]
    assert len(three) == 6
    assert four[2:] == ["    the same for 3 more domains: d0001.example, d0002.example, d0003.example"]


@pytest.mark.parametrize("severity", [Severity.ERROR, Severity.WARNING])
def test_errors_and_warnings_are_told_one_by_one(severity: Severity) -> None:
    lines = _lines(*_many(50, severity=severity))
    assert len([line for line in lines if line.startswith("manifests/a.yaml:7: ")]) == 50
    assert not [line for line in lines if "the same for" in line]


def test_what_has_no_domain_is_told_with_its_places() -> None:
    given = [_signed("", file=f"manifests/{letter}.yaml") for letter in "abcdef"]
    assert _lines(*given)[2:] == [
        "    the same for 5 more places: manifests/b.yaml:7, manifests/c.yaml:7, manifests/d.yaml:7 and 2 more"
    ]


@pytest.mark.parametrize(
    "changes", [{"code": "other"}, {"summary": "another"}, {"detail": "Do something else."}, {"domain": ""}]
)
def test_what_differs_in_more_than_the_name_is_told_apart(changes: dict[str, object]) -> None:
    lines = _lines(*_many(5), _signed("d0002.example", **changes))
    assert len([line for line in lines if line.startswith("manifests/a.yaml:7: ")]) == 2
    assert [line for line in lines if "the same for" in line] == [
        "    the same for 4 more domains: d0001.example, d0002.example, d0003.example and 1 more"
    ]


def test_domains_and_places_are_not_counted_together() -> None:
    given = [_signed(name, summary="s", detail="d", file=file) for name, file in (("a.example", "a"), ("", "b"))]
    lines = _lines(*given, *_many(4, summary="s", detail="d"))
    assert lines.count("b:7: advisory[dnssec]: s") == 1
    assert next(line for line in lines if "the same for" in line).startswith("    the same for 4 more domains: ")


def test_what_is_told_once_stands_where_the_first_of_them_would() -> None:
    """Nothing moves: between two that are not told together, others keep their place."""
    early, late = (_signed(f"{name}.example", code=name, summary=name) for name in ("a", "z"))
    lines = _lines(late, *_many(9), early)
    shown = [line.partition("[")[2].partition("]")[0] for line in lines if "advisory[" in line]
    assert shown == ["a", "dnssec", "z"]


@pytest.mark.parametrize("text", IN_DOCUMENTS)
def test_names_of_others_are_not_obeyed(text: str) -> None:
    given = [_signed("", summary="s", detail="d", file=f"{text}{number}") for number in range(5)]
    lines = _lines(*given)
    assert len(lines) == 3
    assert_log_is_safe(log_text("\n".join(lines)))


def _plan() -> PlanDocument:
    told = [DiagnosticDocument.model_validate(d, from_attributes=True) for d in _many(500)]
    return document(facts()).model_copy(update={"diagnostics": told})


def _visible(html: str) -> str:
    return " ".join(Page(html).text.split())


PLANS: dict[str, Callable[[PlanDocument], str]] = {
    "text": lambda made: render_text(made, color=False),
    "markdown": lambda made: render_markdown(made).replace("\\", ""),
    "html": lambda made: _visible(render_html(made, None)),
}


@pytest.mark.parametrize("form", sorted(PLANS))
def test_every_form_of_a_plan_tells_it_once(form: str) -> None:
    shown = PLANS[form](_plan())
    assert shown.count("is signed with DNSSEC") == 1
    assert "the same for 499 more domains: d0001.example, d0002.example, d0003.example and 496 more" in shown


HEAD = DocumentHead(commit="0" * 40, manifests_digest="sha256:m", catalog_digest="sha256:c", created_at=NOW)


def _finding(name: str, code: str = "limits", **changes: object) -> Finding:
    given = Finding(
        code=code,
        cause=certain(DriftClass.PENDING),
        severity=DriftSeverity.LOW,
        organization="acme",
        domain=name,
        resource=None,
        expected=(),
        observed=(),
        first_seen=NOW,
        summary=f"limits would defer the mail of {name}",
        repair="Exempt the gateway.",
        source=None,
    )
    return replace(given, **changes)  # type: ignore[arg-type]


def _drift(*findings: Finding) -> DriftDocument:
    return build_drift_document(HEAD, [], findings, [], {})


DRIFTS: dict[str, Callable[[DriftDocument], str]] = {
    "text": lambda made: render_drift_text(made, color=False),
    "markdown": lambda made: render_drift_markdown(made).replace("\\", ""),
    "html": lambda made: _visible(render_drift_html(made, None)),
}


@pytest.mark.parametrize("form", sorted(DRIFTS))
def test_every_form_of_drift_tells_an_advisory_of_many_domains_once(form: str) -> None:
    names = [f"d{number:04}.example" for number in range(500)]
    made = _drift(*map(_finding, names))
    shown = DRIFTS[form](made)
    assert shown.count("limits would defer") == 1
    assert "the same for 499 more domains: d0001.example, d0002.example, d0003.example and 496 more" in shown
    # documents hold all of it
    assert render_drift_json(made).count("limits would defer") == 500


@pytest.mark.parametrize("form", sorted(DRIFTS))
@pytest.mark.parametrize(
    "changes", [{"code": "ttl"}, {"code": "bypass-mx", "severity": DriftSeverity.HIGH}, {"code": "token-removed"}]
)
def test_findings_that_are_no_advisories_are_told_one_by_one(form: str, changes: dict[str, object]) -> None:
    findings = [_finding(f"d{number}.example", **changes) for number in range(9)]  # type: ignore[arg-type]
    shown = DRIFTS[form](_drift(*findings))
    assert shown.count("limits would defer") == 9


@pytest.mark.parametrize(
    "changes",
    [
        {"cause": certain(DriftClass.OUT_OF_BAND)},
        {"held_by": ("console",)},
        {"repair": "Do something else."},
        {"summary": "another"},
        {"code": "dane"},
    ],
)
def test_advisories_that_differ_in_more_than_the_name_are_told_apart(changes: dict[str, object]) -> None:
    findings = [_finding(f"d{number}.example") for number in range(5)]
    shown = render_drift_text(_drift(*findings, _finding("other.example", **changes)), color=False)  # type: ignore[arg-type]
    assert shown.count("LOW ") == 2
    assert "the same for 4 more domains" in shown


@pytest.mark.parametrize(
    ("findings", "told"),
    [
        ([_finding("a.example")], "Drift: 1 advisory. 0 of 0 domains in sync."),
        ([_finding("a.example"), _finding("b.example")], "Drift: 2 advisories. 0 of 0 domains in sync."),
        (
            [_finding("a.example"), _finding("a.example", "ttl")],
            "Drift: 1 low, 1 advisory. 0 of 0 domains in sync.",
        ),
    ],
)
def test_advisories_are_counted_apart_from_what_has_changed(findings: list[Finding], told: str) -> None:
    """At 03:00 nobody gets up for twelve findings that are twelve pieces of advice."""
    made = _drift(*findings)
    assert render_drift_text(made, color=False).endswith(f"\n{told}\n")
    assert made.summary.severities[DriftSeverity.LOW] == len(findings)
