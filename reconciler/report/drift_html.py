"""Drift as one self-contained HTML page: no script, no request to anywhere, readable in light, dark and print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.report.alike import told
from reconciler.report.drift_words import (
    about_text,
    changed_by_text,
    class_text,
    counts,
    ignored_text,
    place_text,
    since_text,
    told_findings,
)
from reconciler.templating import Templates

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.drift import DriftDocument, FindingDocument


def render_drift_html(document: DriftDocument, user_templates: Path | None) -> str:
    """The page, from `report/drift.html.j2`; `user_templates` is the user's own folder of templates, if any."""
    return Templates(user_templates).render(
        "report/drift.html.j2",
        {
            "drift": document,
            "counts": [
                *counts(document),
                ("domains", document.summary.domains),
                ("in sync", document.summary.in_sync),
            ],
            "findings": [_view(finding, also) for finding, also in told_findings(document)],
            "ignored": [_view(f, "") for f in document.findings if f.is_ignored],
            "diagnostics": [d.as_data() for d in document.diagnostics],
            "told": told(d.as_data() for d in document.diagnostics),
        },
    )


def _view(finding: FindingDocument, also: str) -> dict[str, object]:
    """A finding and what is said of it in the words of every form."""
    return {
        "severity": finding.severity.value,
        "code": finding.code,
        "domain": finding.domain or finding.organization,
        "summary": finding.summary,
        "about": about_text(finding),
        "expected": finding.expected,
        "observed": finding.observed,
        "why": class_text(finding),
        "cause": finding.cause,
        "since": since_text(finding),
        "place": place_text(finding),
        "by": changed_by_text(finding),
        "held_by": finding.held_by,
        "also": also,
        "repair": finding.repair,
        "ignored": ignored_text(finding),
    }
