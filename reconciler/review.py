"""What was reviewed is what is applied: a saved plan's steps held against a fresh plan of the same domains. Pure.

A domain goes on when each step that was ready is ready again with the same values over the same observed values, or is
done already. Anything else is stale: nothing of that domain is written. What is written is the fresh step: a saved file
can only say less than the manifests and the world say now, whoever made its digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.plan import Status

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reconciler.document import DomainDocument, PlanDocument, StepDocument


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One domain of a saved plan: the fresh plan's steps to write now, or why none of them may be written."""

    domain: DomainDocument
    steps: tuple[StepDocument, ...]
    stale: str = ""


def match_review(saved: PlanDocument, fresh: PlanDocument) -> list[Reviewed]:
    """Every domain of the saved plan that had something ready, with what may be written of it now."""
    now = {d.domain: d for d in fresh.domains}
    return [
        _matched(domain, now.get(domain.domain))
        for domain in saved.domains
        if any(s.status is Status.READY for s in domain.steps)
    ]


def match_continued(saved: PlanDocument, fresh: PlanDocument, stale: Collection[str] = ()) -> list[Reviewed]:
    """What has become ready since, of what the saved plan showed: the same steps, that add and remove the same.

    Nothing does of the domains that were found `stale`, nor once the saved plan has expired.
    """
    if saved.expires_at < fresh.created_at:
        return []
    shown: dict[tuple[str, _Effect], int | None] = {(s.id, _effect(s)): s.ttl for d in saved.domains for s in d.steps}
    chosen = (
        Reviewed(d, tuple(s for s in d.steps if s.status is Status.READY and _is_shown(s, shown)))
        for d in fresh.domains
        if d.domain not in stale
    )
    return [r for r in chosen if r.steps]


def _is_shown(step: StepDocument, shown: Mapping[tuple[str, _Effect], int | None]) -> bool:
    """Whether the saved plan showed what the step does: its values, and its TTL where that changes."""
    key = (step.id, _effect(step))
    return key in shown and step.ttl in {shown[key], step.ttl_before}


_Effect = tuple[frozenset[str], frozenset[str], str]


def _effect(step: StepDocument) -> _Effect:
    added, removed = frozenset(step.after) - set(step.before), frozenset(step.before) - set(step.after)
    return added, removed, step.provider


def _matched(saved: DomainDocument, fresh: DomainDocument | None) -> Reviewed:
    if fresh is None:
        return Reviewed(saved, (), "the manifests no longer declare it")
    steps = {s.id: s for s in fresh.steps}
    ready: dict[str, StepDocument] = {}
    for step in saved.steps:
        if step.status is not Status.READY:
            continue
        # a step that has done its work may be gone: its rrset then tells, in another step
        current = steps.get(step.id) or next((s for s in fresh.steps if s.resource == step.resource), None)
        if current is None:
            return Reviewed(saved, (), f"{step.id}: the step is no longer needed")
        if current.status is Status.DONE and _is_after(step, current):
            continue
        reason = _why_stale(step, current)
        if reason:
            return Reviewed(saved, (), f"{step.id}: {reason}")
        ready[current.id] = current
    return Reviewed(saved, tuple(ready.values()))


def _is_after(step: StepDocument, current: StepDocument) -> bool:
    same_values = set(step.after) | set(step.untouched) == set(current.before) | set(current.untouched)
    return same_values and step.ttl == current.ttl_before


def _why_stale(step: StepDocument, current: StepDocument) -> str:
    if current.status is Status.UNKNOWN:
        return f"what is there is not known now: {current.reason}"
    if _observed(step) != _observed(current):
        return f"the plan saw {_listed(_observed(step))}, and now there is {_listed(_observed(current))}"
    if _meaning(step) != _meaning(current):
        return "the manifests, the settings or the catalog now ask for something else"
    if current.status is not Status.READY:
        holding = [g.evidence for g in current.gates if g.verdict != "pass"]
        return "it was ready and is held now" + (f": {'; '.join(holding)}" if holding else "")
    return ""


def _meaning(step: StepDocument) -> tuple[object, ...]:
    """What is written, where, and which of the observed values count as ours: foreign ones stay."""
    return (step.before, step.after, step.untouched, step.ttl, step.provider, step.resource)


def _observed(step: StepDocument) -> tuple[tuple[str, ...], int | None]:
    return tuple(sorted((*step.before, *step.untouched))), step.ttl_before


def _listed(observed: tuple[tuple[str, ...], int | None]) -> str:
    values, ttl = observed
    return f"{', '.join(values)} (TTL {ttl})" if values else "nothing"
