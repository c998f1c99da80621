"""What an apply did, as text for people: one block for each domain, the counts last."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.apply.result import Became
from reconciler.continuation import UNREVIEWED
from reconciler.document.models import DomainDocument
from reconciler.escape import terminal_text
from reconciler.report.terminal import Style, counted
from reconciler.report.text import SYMBOLS, value_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.apply.result import ApplyReport, DomainResult, Sight, Undo
    from reconciler.document.models import ServiceDocument

_STYLES = {Became.APPLIED: "green", Became.ALREADY_DONE: "dim", Became.STALE: "yellow", Became.FAILED: "red"}


def render_applied(report: ApplyReport, *, color: bool) -> str:
    """Every domain that the apply was about; the last line has the counts."""
    style = Style(color=color)
    lines = [line for result in report.results for line in _result_lines(result, style)]
    counts = Counter(r.became for r in report.results)
    done = f"{counted(counts[Became.APPLIED], 'domain')} applied, {counts[Became.ALREADY_DONE]} already done"
    problems = f"{counts[Became.STALE]} stale, {counts[Became.FAILED]} failed"
    waiting = report.plan.unfinished
    rest = f" {_waiting_text(waiting)}" if waiting else ""
    unreviewed = sum(n.code == UNREVIEWED for n in report.notes)
    if unreviewed:
        rest += f" {counted(unreviewed, 'step')} {'waits' if unreviewed == 1 else 'wait'} for a review."
    if not report.results and not rest and not report.is_outdated:
        return f"{style('In sync.', 'green')} {counted(len(report.plan.domains), 'domain')}, nothing to apply.\n"
    lines += ["", *(_undo_text(u) for u in report.undo)] if lines else []
    return "\n".join([*lines, f"{style('Apply:', 'bold')} {done}; {problems}.{rest}", ""])


def _undo_text(undo: Undo) -> str:
    until = (
        f"safe until {undo.safe_until.isoformat(timespec='minutes')}"
        if undo.safe_until
        else "as long as nothing is built on it"
    )
    return f"To undo: reconciler apply {terminal_text(str(undo.file))}  ({until}; revert the commit too)"


def _waiting_text(waiting: Sequence[ServiceDocument | DomainDocument]) -> str:
    wait, what = ("waits", "it") if len(waiting) == 1 else ("wait", "them")
    domains = sum(isinstance(part, DomainDocument) for part in waiting)
    counts = ((domains, "domain"), (len(waiting) - domains, "service"))
    parts = " and ".join(counted(number, noun) for number, noun in counts if number)
    return f"{parts} {wait} for a gate, a person or an observation: `reconciler plan` shows {what}."


def _result_lines(result: DomainResult, style: Style) -> Iterator[str]:
    yield f"{style(terminal_text(result.domain), 'bold')}  {style(result.became.value, _STYLES[result.became])}"
    if result.message:
        yield f"    {terminal_text(result.message)}"
    if result.became is Became.STALE:
        yield f"    {style('->', 'dim')} plan again, and look at what changed"
    if result.became is not Became.APPLIED:
        return
    for step in result.steps:
        name = terminal_text(step.resource.name.removesuffix("."))
        yield f"    {SYMBOLS[step.action]} {step.resource.type:<3} {name}"
        yield from (f"        {line}" for line in value_lines(step, style))
    for sight in result.sights:
        yield f"    {_sight_text(sight)}"


def _sight_text(sight: Sight) -> str:
    name = terminal_text(sight.key.name.removesuffix("."))
    everywhere = "" if sight.shown_by == sight.asked else "; the others follow, and the next plan looks again"
    if not sight.shown_by:
        everywhere = "; if that stays so, the world asks other servers than this provider's"
    servers = counted(sight.asked, "authoritative server")
    return f"  {sight.key.type} {name}: seen at {sight.shown_by} of {servers}{everywhere}"
