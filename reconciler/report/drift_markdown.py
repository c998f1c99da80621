"""Drift as Markdown for an issue: the counts, then the worst findings, as many as an issue holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.escape import markdown_code, markdown_text
from reconciler.report.alike import told
from reconciler.report.drift_words import (
    about_text,
    changed_by_text,
    class_text,
    counts,
    ignored_text,
    since_text,
    told_findings,
)
from reconciler.report.in_sync import NO_DOMAIN
from reconciler.report.markdown import told_markdown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reconciler.drift import DriftDocument, FindingDocument

MAX_CHARACTERS = 65_000
"""Below the 65,536 that GitHub takes, with room for a marker."""
_ROOM = 600  # characters, for what tells how many are left out, and the last line
_SHOWN_VALUES = 20


def _place(file: str, line: int) -> str:
    return markdown_code(f"{file}:{line}")


def render_drift_markdown(
    document: DriftDocument, limit: int = MAX_CHARACTERS, source: Callable[[str, int], str] = _place
) -> str:
    """GitHub-flavoured Markdown of at most `limit` characters; what is left out is counted.

    `source` makes Markdown of a file and a line.
    """
    summary = document.summary
    head = ["### Mail gateway drift", ""]
    cells = [*counts(document), ("domains", summary.domains), ("in sync", summary.in_sync)]
    head += [
        f"| {' | '.join(name for name, _ in cells)} |",
        f"|{'---:|' * len(cells)}",
        f"| {' | '.join(str(number) for _, number in cells)} |",
        "",
    ]
    if not document.counting:
        nothing = "No drift: everything is as declared, or waits for nothing that is not said here."
        head += [NO_DOMAIN if document.shard is not None and not summary.domains else nothing, ""]
    blocks = [
        *(f"{told_markdown(entry)}\n" for entry in told(d.as_data() for d in document.diagnostics)),
        *(_block(finding, also, source) for finding, also in told_findings(document)),
        *(_ignored(f) for f in document.findings if f.is_ignored),
    ]
    last = f"Drift {markdown_code(document.digest)}, seen {document.created_at.isoformat(timespec='minutes')}.\n"
    return "\n".join([*head, *_fitting(blocks, limit - len("\n".join(head)) - len(last) - _ROOM), last])


def _fitting(blocks: Iterable[str], room: int) -> Iterator[str]:
    left_out = 0
    for block in blocks:
        if left_out or len(block) + 1 > room:
            left_out += 1
        else:
            room -= len(block) + 1
            yield block
    if left_out:
        yield f"**{left_out} more are left out here**: all of them are in the run's artifact, the drift document.\n"


def _block(finding: FindingDocument, also: str, source: Callable[[str, int], str]) -> str:
    whose = markdown_code(finding.domain) if finding.domain else f"organization {markdown_code(finding.organization)}"
    lines = [
        f"#### {finding.severity.value}: {whose} {markdown_code(finding.code)}",
        "",
        f"{markdown_text(finding.summary)}.",
        "",
        f"- what: {markdown_code(about_text(finding))}",
        *_values("expected", finding.expected),
        *_values("observed", finding.observed),
        f"- why: {markdown_text(class_text(finding))}",
        f"- since: {markdown_text(since_text(finding))}",
        *([f"- also: {markdown_text(also)}"] if also else []),
        f"- **to do**: {markdown_text(finding.repair)}",
    ]
    if finding.cause:
        lines.insert(-2, f"- journal: {markdown_text(finding.cause)}")
    if finding.source is not None:
        by = changed_by_text(finding)
        place = source(finding.source.file, finding.source.line)
        lines.append(f"- declared: {place}{f', by {markdown_text(by)}' if by else ''}")
    return "\n".join([*lines, ""])


def _values(word: str, values: list[str]) -> Iterator[str]:
    yield from (f"- {word}: {markdown_code(value)}" for value in values[:_SHOWN_VALUES])
    if len(values) > _SHOWN_VALUES:
        yield f"- {word}: {len(values) - _SHOWN_VALUES} more"


def _ignored(finding: FindingDocument) -> str:
    whose = markdown_code(finding.domain or finding.organization)
    return f"- {whose} {markdown_code(finding.code)}: {markdown_text(ignored_text(finding))}\n"
