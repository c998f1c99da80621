"""What was reviewed is what is applied: a saved plan's steps held against a fresh plan of the same domains. Pure.

A domain goes on when the manifests declare for it what they declared in the review, and each step that was ready is
ready again with the same values over the same observed values, or is done already. Anything else is stale: nothing of
that domain is written. What is written is the fresh step: a saved file can only say less than the manifests and the
world say now, whoever made its digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.plan import Action, Status

if TYPE_CHECKING:
    from reconciler.document import DomainDocument, PlanDocument, StepDocument


class StaleCode(StrEnum):
    """Why nothing of a domain may be written; `UNDO` is for plans that undo another one."""

    UNDECLARED = "undeclared"
    BASE_MOVED = "base-moved"
    NOT_NEEDED = "not-needed"
    OBSERVED_UNKNOWN = "observed-unknown"
    OBSERVED_CHANGED = "observed-changed"
    WANTED_CHANGED = "wanted-changed"
    GATE_CLOSED = "gate-closed"
    UNDO = "undo-refused"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One domain of a saved plan: the fresh plan's steps to write now, or why none of them may be written.

    `code` is what kind of reason `stale` is, one of `StaleCode`; both are empty where it is none.
    """

    domain: DomainDocument
    steps: tuple[StepDocument, ...]
    stale: str = ""
    code: str = ""


def match_review(saved: PlanDocument, fresh: PlanDocument) -> list[Reviewed]:
    """Every domain of the saved plan that had something to be done and may not be written to, or had something ready.

    Each with what may be written of it now. One of which all was held is among them only where its base moved.
    """
    now = {d.domain: d for d in fresh.domains}
    found = []
    for domain in saved.domains:
        moved = why_moved(domain, now.get(domain.domain)) if any(map(is_open, domain.steps)) else None
        if moved is not None:
            found.append(moved)
        elif any(map(_is_ready, domain.steps)):
            found.append(_matched(domain, now[domain.domain]))
    return found


def is_open(step: StepDocument) -> bool:
    """Whether a plan shows the step as one that the program will write, now or when its gates open."""
    return step.status in {Status.READY, Status.HELD} and step.action is not Action.NO_OP


def _is_ready(step: StepDocument) -> bool:
    return step.status is Status.READY and is_open(step)


def why_moved(saved: DomainDocument, fresh: DomainDocument | None) -> Reviewed | None:
    """A domain whose manifests are not what was reviewed, or None; a plan that does not tell what they were is none."""
    if fresh is None:
        return Reviewed(saved, (), "the manifests no longer declare it", StaleCode.UNDECLARED)
    if saved.declared and saved.declared == fresh.declared:
        return None
    sources = [step.source for step in fresh.steps]
    place = f"{sources[0].file}:{sources[0].line} declares" if sources else "the manifests declare"
    text = f"the base moved: {place} something else than what was reviewed"
    return Reviewed(saved, (), text, StaleCode.BASE_MOVED)


def _matched(saved: DomainDocument, fresh: DomainDocument) -> Reviewed:
    steps = {s.id: s for s in fresh.steps}
    ready: dict[str, StepDocument] = {}
    for step in saved.steps:
        if not _is_ready(step):
            continue
        # a step that has done its work may be gone: its rrset then tells, in another step
        current = steps.get(step.id) or next((s for s in fresh.steps if s.resource == step.resource), None)
        if current is None:
            return Reviewed(saved, (), f"{step.id}: the step is no longer needed", StaleCode.NOT_NEEDED)
        if current.status is Status.DONE and _is_after(step, current):
            continue
        reason = _why_stale(step, current)
        if reason is not None:
            code, text = reason
            return Reviewed(saved, (), f"{step.id}: {text}", code)
        ready[current.id] = current
    # the saved file says what was reviewed, and nothing of the world
    return Reviewed(fresh, tuple(ready.values()))


def _is_after(step: StepDocument, current: StepDocument) -> bool:
    same_values = set(step.after) | set(step.untouched) == set(current.before) | set(current.untouched)
    return same_values and step.ttl == current.ttl_before


def _why_stale(step: StepDocument, current: StepDocument) -> tuple[StaleCode, str] | None:
    if current.status is Status.UNKNOWN:
        return StaleCode.OBSERVED_UNKNOWN, f"what is there is not known now: {current.reason}"
    if _observed(step) != _observed(current):
        text = f"the plan saw {_listed(_observed(step))}, and now there is {_listed(_observed(current))}"
        return StaleCode.OBSERVED_CHANGED, text
    if _meaning(step) != _meaning(current):
        return StaleCode.WANTED_CHANGED, "the manifests, the settings or the catalog now ask for something else"
    if current.status is not Status.READY:
        holding = [g.evidence for g in current.gates if g.verdict != "pass"]
        text = "it was ready and is held now" + (f": {'; '.join(holding)}" if holding else "")
        return StaleCode.GATE_CLOSED, text
    return None


def _meaning(step: StepDocument) -> tuple[object, ...]:
    """What is written, where, and which of the observed values count as ours: foreign ones stay."""
    return (step.before, step.after, step.untouched, step.ttl, step.provider, step.resource)


def _observed(step: StepDocument) -> tuple[tuple[str, ...], int | None]:
    return tuple(sorted((*step.before, *step.untouched))), step.ttl_before


def _listed(observed: tuple[tuple[str, ...], int | None]) -> str:
    values, ttl = observed
    return f"{', '.join(values)} (TTL {ttl})" if values else "nothing"
