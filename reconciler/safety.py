"""Before anybody sees plans: each is proved to deliver mail, and limits hold what is too much for one run. Pure.

A plan that fails the proof is a mistake of this program: its steps are not shown, and so cannot be applied. It is
proved together with its origin, whose steps are its own; limits look at a whole run, which a part of it cannot.
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
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from reconciler.gates import Facts
    from reconciler.limits import Stops
    from reconciler.mailflow import Failure
    from reconciler.manifest.fleet import Domain
    from reconciler.names import Name
    from reconciler.origin import OriginFacts
    from reconciler.plan import DomainPlan
    from reconciler.service_plan import ServicePlan


@dataclass(frozen=True, slots=True)
class Proved:
    """Plans that are proved, in the order in which they were given; those that fail have no steps.

    `flows` tells for each domain with steps where its mail goes, a line a phase.
    """

    plans: tuple[DomainPlan, ...]
    origins: tuple[tuple[OriginFacts, ServicePlan], ...]
    diagnostics: tuple[Diagnostic, ...]
    flows: Mapping[Name, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Held:
    """Plans with what has to wait held, in the order in which they were given, and what to tell about it."""

    plans: tuple[DomainPlan, ...]
    origins: tuple[tuple[OriginFacts, ServicePlan], ...]
    diagnostics: tuple[Diagnostic, ...] = ()


def prove_plans(
    plans: Iterable[DomainPlan], facts: Mapping[Name, Facts], origins: Sequence[tuple[OriginFacts, ServicePlan]]
) -> Proved:
    """Prove every plan of mail domains and of the origins that they have, and withdraw what fails."""
    by_service = {(o.service.organization, o.service.name): (o, p) for o, p in origins}
    shown: list[DomainPlan] = []
    found: list[Diagnostic] = []
    flows: dict[Name, tuple[str, ...]] = {}
    withdrawn: set[str] = set()
    for plan in plans:
        domain = plan.domain
        origin, service_plan = by_service.get((domain.organization, domain.service), (None, None))
        proof = prove_plan(facts[domain.name], plan, origin, service_plan)
        if proof.failure is not None:
            found.append(_withdrawn(domain, proof.failure))
            withdrawn.add(proof.failure.step)
            shown.append(replace(plan, stage=Stage.UNKNOWN, steps=()))
            continue
        flows[domain.name] = proof.lines
        shown.append(_with_origin(plan, service_plan))
    proved = tuple((origin, _without(plan, withdrawn)) for origin, plan in origins)
    return Proved(tuple(shown), proved, tuple(found), flows)


def hold_plans(
    plans: Sequence[DomainPlan],
    origins: Sequence[tuple[OriginFacts, ServicePlan]],
    stops: Stops,
    *,
    count: int,
    now: datetime,
) -> Held:
    """Hold what is too much for one run of `count` mail domains; `plans` are all of them that are not settled."""
    limited = apply_limits(
        plans,
        stops.limits,
        freeze=stops.freeze,
        kill_switch=stops.kill_switch,
        now=now,
        services=[plan for _, plan in origins],
        switched=stops.switched,
        count=count,
    )
    pairs = tuple((origin, plan) for (origin, _), plan in zip(origins, limited.services, strict=True))
    return Held(limited.plans, pairs, limited.diagnostics)


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
