"""Held steps of reviewed plans go on by themselves: what is left of such a plan, and what that lets be written. Pure.

What is kept of a plan are the steps that it showed as ready or held and that were not written since. A step of a fresh
plan goes on when a kept plan shows the same step with the same effect for a domain that is declared as it was then; so
nothing is ever written that nobody reviewed, and what was written once is not written again by the same review: whoever
takes it away made drift, which only another review repairs. A newer review replaces what older ones say of its domains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.document import PlanHead, assemble_document
from reconciler.errors import Diagnostic, Severity
from reconciler.plan import Stage, Status
from reconciler.review import Reviewed, is_open, why_moved

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from reconciler.document import DomainDocument, PlanDocument, StepDocument

UNREVIEWED = "unreviewed"
"""The code of what waits for a review."""

_Effect = tuple[str, frozenset[str], frozenset[str], str, str | None]
"""What a step does: its id, the values that it adds and removes, the provider, and the zone."""
_Shown = dict[tuple[str, str], dict[_Effect, set[int | None]]]
"""What kept plans show: by domain and its declaration, each effect with its TTLs."""


def open_part(saved: PlanDocument, stale: Collection[str] = ()) -> PlanDocument | None:
    """What a reviewed plan leaves to be done, without the domains that are `stale`; None where that is nothing."""
    return _reduced(saved, ((d, filter(is_open, d.steps)) for d in saved.domains if d.domain not in stale))


def without_domains(kept: PlanDocument, names: Collection[str]) -> PlanDocument | None:
    """A kept plan without these domains (as in `DomainDocument.domain`); None where nothing is left of it."""
    return _reduced(kept, ((d, d.steps) for d in kept.domains if d.domain not in names))


def without_finished(kept: PlanDocument, fresh: PlanDocument, written: Collection[str]) -> PlanDocument | None:
    """A kept plan without what is done by the fresh plan or was `written` (step ids) on it; None where that was all."""
    now = {d.domain: d for d in fresh.domains}
    return _reduced(kept, ((d, _unfinished(d, now.get(d.domain), written)) for d in kept.domains))


def reviewed_anew(saved: PlanDocument) -> frozenset[str]:
    """The domains of which a reviewed plan says everything: what it could not see is still as older reviews have it."""
    return frozenset(d.domain for d in saved.domains if _is_whole(d))


def find_moved(kept: Iterable[PlanDocument], fresh: PlanDocument) -> list[list[Reviewed]]:
    """For each kept plan its domains that are not declared as they were reviewed, with the reason."""
    now = {d.domain: d for d in fresh.domains}
    return [[r for d in plan.domains if (r := why_moved(d, now.get(d.domain))) is not None] for plan in kept]


def match_continued(kept: Sequence[PlanDocument], fresh: PlanDocument) -> list[Reviewed]:
    """What may be written of a fresh plan: its ready steps that a kept plan shows, domain by domain."""
    shown = _shown_by_domain(kept)
    chosen = (
        Reviewed(d, tuple(s for s in d.steps if s.status is Status.READY and _is_shown(s, d, shown)))
        for d in fresh.domains
    )
    return [r for r in chosen if r.steps]


def is_waiting(kept: Sequence[PlanDocument], fresh: PlanDocument) -> bool:
    """Whether a step of the kept plans may go on later: the fresh plan shows it as well, or could not see all."""
    shown = _shown_by_domain(kept)
    return bool(kept) and any(
        not _is_whole(domain) or any(is_open(s) and _is_shown(s, domain, shown) for s in domain.steps)
        for domain in fresh.domains
    )


def shown_steps(kept: Sequence[PlanDocument], fresh: PlanDocument) -> frozenset[str]:
    """The ids of a fresh plan's steps that kept plans show: they are written as soon as their gates are open."""
    shown = _shown_by_domain(kept)
    return frozenset(s.id for d in fresh.domains for s in d.steps if is_open(s) and _is_shown(s, d, shown))


def find_unreviewed(kept: Sequence[PlanDocument], fresh: PlanDocument) -> Iterator[Diagnostic]:
    """Each step that is ready and that no kept plan shows: drift, or what the manifests want since."""
    shown = _shown_by_domain(kept)
    names = {name for name, _ in shown}
    for domain in fresh.domains:
        for step in domain.steps if domain.domain in names else ():
            if step.status is Status.READY and not _is_shown(step, domain, shown):
                yield Diagnostic(
                    Severity.WARNING,
                    UNREVIEWED,
                    f"{step.id} is ready, and no reviewed plan shows it",
                    "It waits for a review: make a plan with `reconciler plan --out FILE`, and apply that.",
                    step.source.file,
                    step.source.line,
                    domain=domain.domain,
                )


def _shown_by_domain(kept: Iterable[PlanDocument]) -> _Shown:
    shown: _Shown = {}
    for plan in kept:
        for domain in plan.domains:
            effects = shown.setdefault((domain.domain, domain.declared), {})
            for step in domain.steps:
                effects.setdefault(_effect(step), set()).add(step.ttl)
    return shown


def _is_shown(step: StepDocument, domain: DomainDocument, shown: _Shown) -> bool:
    """Whether kept plans show what the step does: its values, and its TTL where that changes."""
    ttls = shown.get((domain.domain, domain.declared), {}).get(_effect(step))
    return ttls is not None and step.ttl in {*ttls, step.ttl_before}


def _effect(step: StepDocument) -> _Effect:
    added, removed = frozenset(step.after) - set(step.before), frozenset(step.before) - set(step.after)
    return step.id, added, removed, step.provider, step.resource.zone


def _unfinished(kept: DomainDocument, fresh: DomainDocument | None, written: Collection[str]) -> Iterable[StepDocument]:
    steps = [step for step in kept.steps if step.id not in written]
    if fresh is None or not _is_whole(fresh):
        return steps
    left = {step.id for step in fresh.steps if step.status is not Status.DONE}
    return [step for step in steps if step.id in left]


def _is_whole(domain: DomainDocument) -> bool:
    """Whether everything of it could be seen; no steps at all are those of a plan that was withdrawn."""
    is_seen = all(step.status is not Status.UNKNOWN for step in domain.steps)
    return is_seen and domain.stage is not Stage.UNKNOWN


def _reduced(
    plan: PlanDocument, domains: Iterable[tuple[DomainDocument, Iterable[StepDocument]]]
) -> PlanDocument | None:
    """The plan with these domains and steps alone, sealed again."""
    kept = [d.model_copy(update={"steps": steps, "flow": []}) for d, found in domains if (steps := list(found))]
    if not kept:
        return None
    head = PlanHead.model_validate(plan.model_dump(include=set(PlanHead.model_fields)))
    return assemble_document(head, kept, [], [])
