"""Limits put on the plans of one process. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from reconciler.errors import Severity
from reconciler.limits.decide import Candidate, decide_limits, time_of
from reconciler.limits.model import Stops
from reconciler.plan import Stage, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from reconciler.errors import Diagnostic
    from reconciler.limits.decide import Gates
    from reconciler.limits.model import FreezeWindow, Limits
    from reconciler.plan import DomainPlan, Step
    from reconciler.service_plan import ServicePlan, ServiceStep

_AnyStep = TypeVar("_AnyStep", "Step", "ServiceStep")


@dataclass(frozen=True, slots=True)
class Limited:
    """The plans with what has to wait held, in their order, and what to tell about it, each thing once."""

    plans: tuple[DomainPlan, ...]
    services: tuple[ServicePlan, ...]
    diagnostics: tuple[Diagnostic, ...]


def apply_limits(  # noqa: PLR0913 - what a run may do, and what it is
    plans: Sequence[DomainPlan],
    limits: Limits,
    *,
    freeze: Sequence[FreezeWindow] = (),
    kill_switch: str | None = None,
    now: datetime,
    services: Sequence[ServicePlan] = (),
    switched: Mapping[str, int] = MappingProxyType({}),
    count: int | None = None,
) -> Limited:
    """Hold what may not be done in this run of `count` mail domains; the rest is as in `Stops`.

    `plans` are all of them, or all but those in which everything is done and nothing is wrong.
    """
    decision = decide_limits(
        [Candidate(plan.domain.organization, plan.domain.written, plan.steps) for plan in plans],
        [plan.steps for plan in services],
        Stops(limits, tuple(freeze), kill_switch, switched),
        unhealthy=[plan.domain.written for plan in plans if is_unhealthy(plan)],
        count=len(plans) if count is None else count,
        now=now,
    )
    return Limited(
        tuple(
            replace(plan, steps=_held(plan.steps, found)) if any(found) else plan
            for plan, found in zip(plans, decision.domains, strict=True)
        ),
        tuple(
            replace(plan, steps=_held(plan.steps, found)) if any(found) else plan
            for plan, found in zip(services, decision.services, strict=True)
        ),
        decision.diagnostics,
    )


def _held(steps: Sequence[_AnyStep], found: Sequence[Gates]) -> tuple[_AnyStep, ...]:
    return tuple(_held_by(step, gates) for step, gates in zip(steps, found, strict=True))


def _held_by(step: _AnyStep, gates: Gates) -> _AnyStep:
    if not gates:
        return step
    not_before = time_of(step.not_before, gates)
    return replace(step, status=Status.HELD, gates=(*step.gates, *gates), not_before=not_before)


def is_unhealthy(plan: DomainPlan) -> bool:
    """Whether something is wrong with the mail domain, so that more of the same may be a mistake."""
    if any(d.severity is Severity.ERROR for d in plan.diagnostics):
        return True
    if plan.stage is Stage.UNKNOWN or any(step.status is Status.UNKNOWN for step in plan.steps):
        return True
    return _is_value_missing(plan)


def _is_value_missing(plan: DomainPlan) -> bool:
    changes = [step.change for step in plan.steps if step.change is not None]
    mx = [c for c in changes if c.key.type == "MX"]
    lacking = [c for c in changes if c.key.type == "TXT" and c.added]
    if any(c.added for c in mx):
        # on its way from one state to another, where only values of the next one may be missing
        return plan.stage is Stage.SWITCHED and any(not c.expected for c in lacking)
    return bool(mx) and bool(lacking)
