"""A plan for whoever reviews it: what to look at first, the counts of each organization, then each one folded."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.changed import UNDECLARED
from reconciler.document import DomainDocument
from reconciler.errors import Severity, sorted_diagnostics
from reconciler.escape import markdown_cell, markdown_code, markdown_text
from reconciler.github.page import Page, bold_name, listed, short
from reconciler.github.parts import Fold
from reconciler.plan import Action, Phase, Status
from reconciler.report.folded import is_busy
from reconciler.report.markdown import diagnostic_markdown, part_lines
from reconciler.report.terminal import counted
from reconciler.report.text import by_organization

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.document import PlanDocument, ServiceDocument, StepDocument
    from reconciler.github.page import Place

    Part = ServiceDocument | DomainDocument

_HOW_TO_APPLY = (
    "**To apply it**: merge. The apply workflow then writes what is ready here, where what it observes is still what "
    "is shown here; what is held follows by itself when its gates open. By hand: `reconciler apply plan.json`, with "
    "the plan from the artifact."
)
_FEW = 3  # domains and services that need no folding away
_MOST_DIAGNOSTICS = 20
_MOST_ORGANIZATIONS = 200
_WRITES = (Action.CREATE, Action.UPDATE, Action.DELETE)
_WAITS = (Status.HELD, Status.MANUAL, Status.UNKNOWN)


def is_quiet(document: PlanDocument) -> bool:
    """Whether there is nothing to review: all is as declared, nothing failed, was taken out or could not be read."""
    undeclared = any(d.code == UNDECLARED and d.severity is Severity.WARNING for d in document.diagnostics)
    has_errors = any(d.severity is Severity.ERROR for d in document.diagnostics)
    return not (document.has_changes or document.summary.unknown or has_errors or undeclared)


def quiet_line(document: PlanDocument, commit: str | None) -> str:
    """All that there is to say of a plan in which nothing changes."""
    about = f" for commit {markdown_code(commit)}" if commit else ""
    return f"Mail gateway plan: nothing changes{about}; {counted(len(document.domains), 'domain')} as declared."


def plan_page(document: PlanDocument, place: Place, commit: str | None) -> Page:
    """A plan for the commit `commit`; what is ready comes first, among organizations and in each of them."""
    busy = [(name, _sorted(services, domains)) for name, services, domains in by_organization(document)]
    busy = [(name, parts) for name, parts in busy if parts]
    busy.sort(key=lambda entry: not any(_is_ready(part) for part in entry[1]))
    head = [
        f"### Mail gateway plan: {_written(document)}",
        "",
        " ".join(_about(document, place, commit)),
        "",
        *_attention(document),
        *_table(busy),
    ]
    is_short = sum(len(parts) for _, parts in busy) <= _FEW
    folds = [Fold(_summary(name, parts), len(parts), map(_block, parts), is_open=is_short) for name, parts in busy]
    return Page("\n".join([*head, ""]), folds, _tail(document))


def _block(part: Part) -> str:
    return "\n".join([*part_lines(part), ""])


def _sorted(services: Sequence[ServiceDocument], domains: Sequence[DomainDocument]) -> list[Part]:
    parts: list[Part] = [*services, *domains]
    return sorted(filter(is_busy, parts), key=lambda part: not _is_ready(part))


def _is_ready(part: Part) -> bool:
    return any(s.status is Status.READY for s in part.steps)


def _about(document: PlanDocument, place: Place, commit: str | None) -> Iterator[str]:
    if commit:
        yield f"For commit {markdown_code(commit)}."
    if document.left_out is not None:
        yield f"{markdown_text(document.left_out.reason.rstrip('.'))}."
    yield _waiting(document)
    yield f"The whole plan is in {place.artifact}."


def _written(document: PlanDocument) -> str:
    summary = document.summary
    numbers = {"create": summary.create, "update": summary.update, "delete": summary.delete}
    told = ", ".join(f"{number:,} to {word}" for word, number in numbers.items() if number)
    ready = sum(_is_ready(part) for part in document.parts if isinstance(part, DomainDocument))
    of = f" in {ready:,} of {counted(len(document.domains), 'domain')}" if ready else ""
    return f"{told or 'nothing is ready to be written'}{of}"


def _waiting(document: PlanDocument) -> str:
    summary = document.summary
    numbers = {"held": summary.held, "by hand": summary.manual, "unknown": summary.unknown}
    told = ", ".join(f"{number:,} {word}" for word, number in numbers.items() if number)
    return f"Steps that wait: {told}." if told else "No step waits."


def _attention(document: PlanDocument) -> Iterator[str]:
    """What a reviewer looks at first."""
    diagnostics = sorted_diagnostics(document.diagnostics_as_data())
    serious = [d for d in diagnostics if d.severity is not Severity.ADVISORY]
    lines = [diagnostic_markdown(d) for d in serious[:_MOST_DIAGNOSTICS]]
    if len(serious) > _MOST_DIAGNOSTICS:
        lines.append(f"- {len(serious) - _MOST_DIAGNOSTICS:,} more errors and warnings")
    ready = [(d, s) for d in document.domains for s in d.steps if s.status is Status.READY]
    lines += _named("the MX moves when this is applied", (d for d, s in ready if s.phase is Phase.SWITCH))
    lines += _named("an rrset is deleted", (d for d, s in ready if s.action is Action.DELETE))
    unknown = (d for d in document.domains if any(s.status is Status.UNKNOWN for s in d.steps))
    lines += _named("not everything could be observed, and that is left as it is", unknown)
    if lines:
        yield from ("**Look at this first**", "", *lines, "")


def _named(what: str, domains: Iterable[DomainDocument]) -> Iterator[str]:
    names = list(dict.fromkeys(d.written for d in domains))
    if names:
        yield f"- **{what}** in {counted(len(names), 'domain')}: {listed(names)}"


def _table(organizations: Sequence[tuple[str, Sequence[Part]]]) -> Iterator[str]:
    if len(organizations) < 2:  # noqa: PLR2004 - one is told by the head
        return
    words = [*(a.value for a in _WRITES), *(s.value for s in _WAITS)]
    yield f"| organization | domains | {' | '.join(words)} |"
    yield f"|:---|---:|{'---:|' * len(words)}"
    for name, parts in organizations[:_MOST_ORGANIZATIONS]:
        counts = _counts(parts)
        domains = sum(isinstance(part, DomainDocument) for part in parts)
        yield f"| {markdown_cell(short(name))} | {domains} | {' | '.join(str(counts[w]) for w in words)} |"
    yield ""
    if len(organizations) > _MOST_ORGANIZATIONS:
        yield f"{len(organizations) - _MOST_ORGANIZATIONS:,} more organizations have something to do."
        yield ""


def _counts(parts: Iterable[Part]) -> Counter[str]:
    steps = [step for part in parts for step in part.steps]
    return Counter(_word(step) for step in steps)


def _word(step: StepDocument) -> str:
    return step.action.value if step.status is Status.READY else step.status.value


def _summary(name: str, parts: Sequence[Part]) -> str:
    counts = _counts(parts)
    told = [f"{counts[a.value]} to {a.value}" for a in _WRITES if counts[a.value]]
    told += [f"{counts[s.value]} {s.value}" for s in _WAITS if counts[s.value]]
    domains = sum(isinstance(part, DomainDocument) for part in parts)
    return f"{bold_name(name)}: {counted(domains, 'domain')}: {', '.join(told)}"


def _tail(document: PlanDocument) -> str:
    made, expires = (t.isoformat(sep=" ", timespec="minutes") for t in (document.created_at, document.expires_at))
    return f"{_HOW_TO_APPLY}\n\nPlan {markdown_code(document.digest)}, made {made}, expires {expires}."
