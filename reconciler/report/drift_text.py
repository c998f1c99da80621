"""Drift as text for the person at 03:00: the worst first; what, why, since when, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.drift import DriftClass, DriftSeverity
from reconciler.escape import terminal_text
from reconciler.report.drift_words import (
    about_text,
    changed_by_text,
    class_text,
    counts_text,
    ignored_text,
    place_text,
    since_text,
    told_findings,
)
from reconciler.report.in_sync import NO_DOMAIN, no_drift
from reconciler.report.terminal import Style, render_diagnostics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.drift import DriftDocument, FindingDocument

_STYLES = {
    DriftSeverity.CRITICAL: "red",
    DriftSeverity.HIGH: "red",
    DriftSeverity.MEDIUM: "yellow",
    DriftSeverity.LOW: "cyan",
    DriftSeverity.INFO: "dim",
}


def render_drift_text(document: DriftDocument, *, color: bool) -> str:
    """A block for each finding, one for advisories that are alike; ignored ones last and short; then the counts."""
    style = Style(color=color)
    lines = list(render_diagnostics([d.as_data() for d in document.diagnostics], color=color))
    for finding, also in told_findings(document):
        lines += ["", *_block(finding, also, style)]
    ignored = [f for f in document.findings if f.is_ignored]
    if ignored:
        lines += ["", *(_ignored_line(f, style) for f in ignored)]
    return "\n".join([*lines, "", _counts(document, style), ""]).lstrip("\n")


def _block(finding: FindingDocument, also: str, style: Style) -> Iterator[str]:
    severity = style(finding.severity.value.upper(), _STYLES[finding.severity])
    whose = finding.domain or f"organization {finding.organization}"
    yield f"{severity} {style(terminal_text(whose), 'bold')}  {finding.code}"
    yield f"    {terminal_text(finding.summary)}"
    nothing = ("nothing",) if finding.expected and finding.drift_class is not DriftClass.UNKNOWN else ()
    told = [
        ("what", about_text(finding) if finding.resource is not None else ""),
        *(("expected", value) for value in finding.expected),
        *(("observed", value) for value in finding.observed or nothing),
        ("why", class_text(finding)),
        ("", finding.cause),
        ("since", since_text(finding)),
        ("declared", place_text(finding)),
        ("by", changed_by_text(finding)),
        ("waits for", ", ".join(finding.held_by)),
        ("also", also),
    ]
    for word, text in told:
        if text:
            yield f"    {style(f'{word:<9}', 'dim')} {terminal_text(text)}"
    yield f"    {style('->', 'bold')} {terminal_text(finding.repair)}"


def _ignored_line(finding: FindingDocument, style: Style) -> str:
    text = f"{finding.domain or finding.organization}  {finding.code}, {ignored_text(finding)}"
    return f"{style('ignored', 'dim')} {terminal_text(text)}"


def _counts(document: DriftDocument, style: Style) -> str:
    if document.counting:
        return f"{style('Drift:', 'bold')} {counts_text(document)}"
    if document.shard is not None and not document.summary.domains:
        return NO_DOMAIN
    return f"{no_drift(style)} {counts_text(document)}"
