"""What an apply did, for whoever merged: what was refused or failed first, what to do next, then what was written."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.errors import ExitCode, sorted_diagnostics
from reconciler.escape import markdown_code, markdown_text
from reconciler.github.page import Page, short
from reconciler.github.parts import Fold
from reconciler.report.markdown import diagnostic_markdown
from reconciler.report.terminal import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.document.applied import ApplyDocument, DomainResultDocument, UndoDocument, WrittenStepDocument
    from reconciler.github.page import Place

_MOST_DIAGNOSTICS = 30
_TITLES = {"applied": "written", "stale": "refused", "failed": "failed", "already done": "done already"}
_WORST_FIRST = ("failed", "stale", "applied", "already done")
_PLAN_AGAIN = "plan again (in a pull request, or by the plan workflow), read it, and apply that"
_WAITING = (
    "**Domains and services in which something waits: {:,}.** The plan says for which gate, person or look. What a "
    "gate holds goes on by itself, without another review, when the gate opens."
)
_TO_DO = {
    "base-moved": f"the manifests say something else than what was reviewed: {_PLAN_AGAIN}",
    "gate-closed": "nothing, where the gate opens again by itself; else do what the plan says of it",
    "not-needed": "nothing: something else has done it",
    "observed-changed": f"somebody changed DNS since: find out who and why, then {_PLAN_AGAIN}",
    "observed-unknown": f"see that its name servers answer, then {_PLAN_AGAIN}",
    "undo-refused": "revert the commit instead, and plan again",
}
_OF_FAILED = "see what the provider says; the next run of the apply workflow tries again"


def is_refused(document: ApplyDocument) -> bool:
    """Whether a plan was refused as a whole: expired, used, altered, or made for other facts."""
    return document.exit_code is ExitCode.STALE and not document.results


def is_used(document: ApplyDocument) -> bool:
    """Whether that was because the plan was applied before: then whoever reads this was told already."""
    return is_refused(document) and any(d.code == "plan-used" for d in document.diagnostics)


def apply_page(document: ApplyDocument, place: Place) -> Page:
    """What became of each domain; failed and refused ones first."""
    counts: Counter[str] = Counter(result.became for result in document.results)
    told = ", ".join(f"{counted(counts[w], 'domain')} {_TITLES[w]}" for w in _WORST_FIRST if counts[w])
    title = told or "nothing was written"
    if is_refused(document):
        title = "the plan was refused, and nothing was written"
    elif document.exit_code is ExitCode.ERROR and not told:
        # it may have ended between a write and its record, so nothing is said of what was written
        title = "it did not come to its end"
    head = [f"### Mail gateway apply: {title}", "", " ".join(_about(document, place)), "", *_diagnostics(document)]
    if document.waiting:
        head += [_WAITING.format(document.waiting), ""]
    head += _undo_lines(document.undo, place)
    folds = []
    for word in _WORST_FIRST:
        results = [r for r in document.results if r.became == word]
        if results:
            summary = f"<b>{_TITLES[word]}</b>: {counted(len(results), 'domain')}"
            is_open = word in {"failed", "stale"}
            folds.append(Fold(summary, len(results), map(_block, results), is_open=is_open))
    seen = document.created_at.isoformat(sep=" ", timespec="minutes")
    return Page("\n".join([*head, ""]), folds, f"Applied at {seen} by {markdown_code(document.run)}.")


def _about(document: ApplyDocument, place: Place) -> Iterator[str]:
    if document.commit:
        yield f"At commit {markdown_code(document.commit)}."
    if document.plan_id:
        yield f"Plan {markdown_code(document.plan_id)}."
    yield f"See [the run]({place.run_url})."


def _diagnostics(document: ApplyDocument) -> Iterator[str]:
    given = sorted_diagnostics(d.as_data() for d in document.diagnostics)
    yield from map(diagnostic_markdown, given[:_MOST_DIAGNOSTICS])
    if len(given) > _MOST_DIAGNOSTICS:
        yield f"- {len(given) - _MOST_DIAGNOSTICS:,} more"
    if is_refused(document) and not is_used(document):
        yield f"- **to do**: {_PLAN_AGAIN}"
    if given or is_refused(document):
        yield ""


def _undo_lines(undos: Sequence[UndoDocument], place: Place) -> Iterator[str]:
    """What works on GitHub: an undo plan is taken only by the journal that knows it, which no reader of this has."""
    if not undos:
        return
    yield "**To undo it**: revert this pull request. The revert is planned and reviewed like any change."
    yield ""
    files = [f"{markdown_code(undo.file)} ({_until(undo)})" for undo in undos]
    yield (
        f"The plan that undoes it, {', '.join(files)}, is in {place.artifact}, for whoever holds the journal: the "
        "guide *Roll back* says how."
    )
    yield ""


def _until(undo: UndoDocument) -> str:
    if undo.safe_until is None:
        return "as long as nothing is built on it"
    return f"safe until {undo.safe_until.isoformat(sep=' ', timespec='minutes')}"


def _block(result: DomainResultDocument) -> str:
    lines = [f"**{markdown_code(short(result.domain))}** ({markdown_text(result.organization)})", ""]
    if result.became in {"failed", "stale"}:
        lines.append(f"- {markdown_code(result.code)}: {markdown_text(result.message)}")
        to_do = (
            _OF_FAILED
            if result.became == "failed"
            else _TO_DO.get(result.code, f"look at what changed, then {_PLAN_AGAIN}")
        )
        lines.append(f"- **to do**: {to_do}")
    if result.became == "applied" and not result.is_seen:
        lines.append("- no authoritative server showed it yet: the next run looks again")
    for step in result.steps:
        lines += _step_lines(step)
    if not lines[-1]:
        lines.append("- nothing was left to do")
    return "\n".join([*lines, "", ""])


def _step_lines(step: WrittenStepDocument) -> Iterator[str]:
    name = markdown_code(step.resource.name.removesuffix("."))
    yield f"- {step.phase.value} {markdown_text(step.resource.type)} {name}"
    removed = [v for v in step.before if v not in step.after]
    added = [v for v in step.after if v not in step.before]
    for word, values in (("remove", removed), ("add", added)):
        yield from (f"  - {word} {markdown_code(value)}" for value in values)
