"""Before anybody sees plans: each is proved to deliver mail, and limits hold what is too much for one run. Pure.

A plan that fails the proof is a mistake of this program: its steps are not shown, and so cannot be applied.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.errors import Diagnostic, Severity
from reconciler.limits.plans import apply_limits
from reconciler.names import display_name
from reconciler.plan import Stage, Status
from reconciler.proof import prove_plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.gates import Facts
    from reconciler.limits import Stops
    from reconciler.mailflow import Failure
    from reconciler.manifest.fleet import Domain
    from reconciler.names import Name
    from reconciler.origin import OriginFacts
    from reconciler.plan import DomainPlan
    from reconciler.service_plan import ServicePlan


@dataclass(frozen=True, slots=True)
class Safe:
    """The plans that may be shown; `flows` tells for each domain with steps where its mail goes, a line a phase."""

    plans: tuple[DomainPlan, ...]
    origins: tuple[tuple[OriginFacts, ServicePlan], ...]
    diagnostics: tuple[Diagnostic, ...]
    flows: Mapping[Name, tuple[str, ...]]


def make_safe(
    plans: Sequence[DomainPlan],
    facts: Mapping[Name, Facts],
    origins: Sequence[tuple[OriginFacts, ServicePlan]],
    stops: Stops | None,
    others: Sequence[DomainPlan] = (),
) -> Safe:
    """Prove every plan, withdraw what fails, then hold what is too much for one run.

    Without `stops` nothing is held: a part of a run cannot say what is too much for all of it.
    `others` are the plans of mail domains that were not chosen and share an origin with one that was: its steps are
    theirs too.
    """
    by_service = {(o.service.organization, o.service.name): (o, p) for o, p in origins}
    shown: dict[Name, DomainPlan] = {}
    found: list[Diagnostic] = []
    flows: dict[Name, tuple[str, ...]] = {}
    withdrawn: set[str] = set()
    for plan in (*plans, *others):
        domain = plan.domain
        origin, service_plan = by_service.get((domain.organization, domain.service), (None, None))
        proof = prove_plan(facts[domain.name], plan, origin, service_plan)
        if proof.failure is not None:
            found.append(_withdrawn(domain, proof.failure))
            withdrawn.add(proof.failure.step)
            shown[domain.name] = replace(plan, stage=Stage.UNKNOWN, steps=())
            continue
        flows[domain.name] = proof.lines
        shown[domain.name] = _with_origin(plan, service_plan)
    chosen = tuple(shown[plan.domain.name] for plan in plans)
    moment = next((f.now for f in facts.values()), None)
    proved = tuple((origin, _without(plan, withdrawn)) for origin, plan in origins)
    if moment is None or stops is None:
        return Safe(chosen, proved, tuple(found), flows)
    limited = apply_limits(
        chosen,
        stops.limits,
        freeze=stops.freeze,
        kill_switch=stops.kill_switch,
        now=moment,
        services=[plan for _, plan in proved],
        switched=stops.switched,
    )
    pairs = tuple((origin, plan) for (origin, _), plan in zip(proved, limited.services, strict=True))
    return Safe(limited.plans, pairs, (*found, *limited.diagnostics), flows)


def _withdrawn(domain: Domain, failure: Failure) -> Diagnostic:
    source = domain.source
    return Diagnostic(
        Severity.ERROR,
        "mail-flow",
        f"the plan of {domain.written} would lose mail at the step {failure.step}: {failure.text}",
        "Its steps are withdrawn. That is a mistake of this program or of a waiver: report it with its manifest.",
        source.file,
        source.line,
        domain=display_name(domain.name),
    )


def _without(plan: ServicePlan, withdrawn: set[str]) -> ServicePlan:
    """An origin's plan without any step, where one of them is to blame: the others were proved together with it."""
    return replace(plan, steps=()) if any(s.id in withdrawn for s in plan.steps) else plan


def _with_origin(plan: DomainPlan, service_plan: ServicePlan | None) -> DomainPlan:
    """A domain is gone when its origin has nothing left to do either, because that is forgotten with the manifest."""
    if plan.stage is not Stage.GONE or service_plan is None or service_plan.is_needed:
        return plan
    is_done = all(s.status is Status.DONE for s in service_plan.steps)
    return plan if is_done else replace(plan, stage=Stage.LEAVING)
