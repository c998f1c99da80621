"""Steps, findings and diagnostics as cards: everything is said in Python, and the templates only lay it out. Pure.

A text is a tuple of parts, each with whether it is code: what stands between backticks, and every value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reconciler.gates import Verdict
from reconciler.plan import Action, Status
from reconciler.report.drift_words import (
    about_text,
    changed_by_text,
    class_text,
    ignored_text,
    place_text,
    since_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from reconciler.document import DiagnosticDocument, StepDocument
    from reconciler.document.models import GateDocument
    from reconciler.drift import FindingDocument

Text = tuple[tuple[bool, str], ...]


def prose(text: str) -> Text:
    """A sentence; with an odd number of backticks none of them is taken for more than it is."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return ((False, text),)
    return tuple((index % 2 == 1, part) for index, part in enumerate(parts) if part)


def code(values: Iterable[str]) -> Text:
    """Values side by side; `nothing` where there is none."""
    shown = [part for value in values for part in ((False, " "), (True, value))]
    return tuple(shown[1:]) or ((False, "nothing"),)


def moment(at: datetime) -> str:
    """To the minute, in UTC, in which everything here is told."""
    return at.strftime("%Y-%m-%d %H:%M")


class GateLine(NamedTuple):
    """One gate: its verdict, or that it is waived."""

    id: str
    verdict: str
    evidence: Text
    advice: Text


class ValueLine(NamedTuple):
    """One value of a step: what becomes of it, in one word and in a class of the style."""

    style: str
    word: str
    value: str


class StepCard(NamedTuple):
    """One step: what it is, its values, the gates that tell something, and those that merely pass."""

    status: str
    what: str
    name: str
    beside: str
    values: tuple[ValueLine, ...]
    note: Text
    telling: tuple[GateLine, ...]
    passing: tuple[GateLine, ...]


class FindingCard(NamedTuple):
    """One finding, line by line; what an ignore rule lets be has the severity `ignored`."""

    severity: str
    code: str
    summary: Text
    lines: tuple[tuple[str, Text], ...]


class ToldCard(NamedTuple):
    """One diagnostic."""

    severity: str
    summary: Text
    detail: Text
    place: str


def step_card(step: StepDocument) -> StepCard:
    """A step of a domain or of a service."""
    action = f": {step.action.value}" if step.action is not Action.NO_OP else ""
    beside = f" by {step.provider}" if step.status is Status.READY else ""
    if step.not_before is not None:
        beside += f", not before {moment(step.not_before)}"
    passing = [g for g in step.gates if g.verdict is Verdict.PASS and not g.is_waived]
    telling = [g for g in step.gates if g not in passing]
    reason = f"{'unknown' if step.status is Status.UNKNOWN else 'note'}: {step.reason}" if step.reason else ""
    return StepCard(
        status=step.status.value,
        what=f"{step.phase.value}{action} {step.resource.type}",
        name=step.resource.name,
        beside=beside,
        values=tuple(_values(step)),
        note=prose(reason),
        telling=tuple(map(_gate, telling)),
        passing=tuple(map(_gate, passing)),
    )


def _gate(gate: GateDocument) -> GateLine:
    verdict = "waived" if gate.is_waived else gate.verdict.value
    return GateLine(gate.id, verdict, prose(gate.evidence), prose(gate.advice))


def _values(step: StepDocument) -> Iterator[ValueLine]:
    before, after = set(step.before), set(step.after)
    yield from (ValueLine("remove", "remove", v) for v in step.before if v not in after)
    yield from (ValueLine("keep", "keep", v) if v in before else ValueLine("add", "add", v) for v in step.after)
    yield from (ValueLine("keep", "not ours, stays", v) for v in step.untouched)
    if step.after and step.ttl_before is not None and step.ttl_before != step.ttl:
        yield ValueLine("ttl", "TTL", f"{step.ttl_before} to {step.ttl}")


def finding_card(finding: FindingDocument) -> FindingCard:
    """A finding, in the words of every form of drift; lines of which nothing is known are left out."""
    severity = "ignored" if finding.is_ignored else finding.severity.value
    return FindingCard(severity, finding.code, prose(finding.summary), tuple(_lines(finding)))


def _lines(finding: FindingDocument) -> Iterator[tuple[str, Text]]:
    if about := about_text(finding):
        yield "What", code([about])
    if finding.expected or finding.observed:
        yield "Expected", code(finding.expected)
        yield "Observed", code(finding.observed)
    why = class_text(finding)
    yield "Why", prose(f"{why}; {finding.cause}" if finding.cause else why)
    yield "Since", prose(since_text(finding))
    if place := place_text(finding):
        by = changed_by_text(finding)
        yield "Declared", (*code([place]), *(((False, f", {by}"),) if by else ()))
    if finding.held_by:
        until = f", until {moment(finding.not_before)}" if finding.not_before is not None else ""
        yield "Waits for", prose(f"{', '.join(finding.held_by)}{until}")
    if ignored := ignored_text(finding):
        yield "Ignored", prose(ignored)
    yield "To do", prose(finding.repair)


def told_cards(diagnostics: Sequence[DiagnosticDocument]) -> tuple[ToldCard, ...]:
    """What is told beside the findings."""
    return tuple(
        ToldCard(d.severity.value, prose(d.summary), prose(d.detail), f"{d.file}:{d.line}" if d.file else "")
        for d in diagnostics
    )
