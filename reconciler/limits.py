"""Limits stop mistakes: so many switches in one run, none while the fleet looks unhealthy, nothing in a freeze. Pure.

What is held here is ready for all that its gates say, and goes on with a later run. In this order:

* the kill switch holds every step, and a freeze does until it is over: nothing is written, and nobody is asked to;
* an unhealthy fleet holds what moves mail or removes something; what only adds may be what mends it;
* the first switches of the document's order go, as many as a run and an organization may have, and the rest wait.

A mail domain is unhealthy that has an error, that could not be observed, or whose MX is as wanted while a wanted
verification value is not there (or none at all is, and it is behind the gateway). Shares have no floor: of one mail
domain, one is all of them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from reconciler.errors import Diagnostic, Severity
from reconciler.gates import GateResult, Verdict
from reconciler.plan import Phase, Stage, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from reconciler.plan import DomainPlan, Step
    from reconciler.service_plan import ServicePlan, ServiceStep


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one run may do.

    `unhealthy_share` (0 to 1) and `unhealthy_domains` are the most that is still taken for healthy; no number of
    domains counts where the latter is None.
    """

    switches_per_run: int = 50
    switches_per_organization: int = 10
    unhealthy_share: float = 0.1
    unhealthy_domains: int | None = None


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class FreezeWindow:
    """A time in which nothing is written; `end` is the first moment after it."""

    start: datetime
    end: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Stops:
    """What holds steps whatever their gates say.

    `kill_switch` is why nothing may be written, None where it is off. `switched` is how many mail domains of each
    organization this run has switched already.
    """

    limits: Limits
    freeze: tuple[FreezeWindow, ...] = ()
    kill_switch: str | None = None
    switched: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limited:
    """The plans with what has to wait held, in their order, and what to tell about it, each thing once."""

    plans: tuple[DomainPlan, ...]
    services: tuple[ServicePlan, ...]
    diagnostics: tuple[Diagnostic, ...]


_AnyStep = TypeVar("_AnyStep", "Step", "ServiceStep")
_POSSIBLE = (Status.READY, Status.MANUAL)
_EXAMPLES = 5
_NEXT_RUN = "nothing to do: the next run goes on"


def apply_limits(
    plans: Sequence[DomainPlan],
    limits: Limits,
    *,
    freeze: Sequence[FreezeWindow] = (),
    kill_switch: str | None = None,
    now: datetime,
    services: Sequence[ServicePlan] = (),
    switched: Mapping[str, int] = MappingProxyType({}),
) -> Limited:
    """Hold what may not be done in this run; `kill_switch` is why nothing may be written, None where it is off.

    Steps that only a person can do are held like the others: a person should not do them now either. `switched` is how
    many mail domains of each organization this run has switched already.
    """
    run = _Run(limits, _stops(plans, limits, freeze, kill_switch, now), switched)
    limited = tuple(run.limited(plan) for plan in plans)
    limited_services = tuple(replace(plan, steps=tuple(run.stopped(step) for step in plan.steps)) for plan in services)
    return Limited(limited, limited_services, tuple(run.diagnostics()))


def frozen_until(freeze: Sequence[FreezeWindow], now: datetime) -> datetime | None:
    """When the freeze of now is over, windows that touch or overlap taken as one; None outside of every window."""
    end = now
    for window in sorted(freeze, key=lambda w: w.start):
        if window.start <= end < window.end:
            end = window.end
    return end if end > now else None


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


@dataclass(frozen=True, slots=True)
class _Stop:
    """One thing that stops steps of these phases, as a gate that holds, and how it is told."""

    gate: GateResult
    phases: tuple[Phase, ...]
    severity: Severity
    summary: str
    detail: str


def _stops(
    plans: Sequence[DomainPlan],
    limits: Limits,
    freeze: Sequence[FreezeWindow],
    kill_switch: str | None,
    now: datetime,
) -> tuple[_Stop, ...]:
    found = (_kill_switch_stop(kill_switch), _freeze_stop(freeze, now), _unhealthy_stop(plans, limits))
    return tuple(stop for stop in found if stop is not None)


def _kill_switch_stop(reason: str | None) -> _Stop | None:
    if reason is None:
        return None
    evidence = f"the kill switch is on: {reason}"
    advice = "set kill_switch to false in the settings once that is over"
    gate = GateResult("kill-switch", Verdict.HOLD, evidence, advice)
    detail = "Nothing is written as long as kill_switch is set in the settings."
    return _Stop(gate, tuple(Phase), Severity.WARNING, evidence, detail)


def _freeze_stop(freeze: Sequence[FreezeWindow], now: datetime) -> _Stop | None:
    until = frozen_until(freeze, now)
    if until is None:
        return None
    reason = next(w.reason for w in freeze if w.start <= now < w.end)
    evidence = f"nothing is written before {until.isoformat(timespec='minutes')}: {reason}"
    advice = "nothing to do: the first run after it goes on"
    gate = GateResult("freeze", Verdict.HOLD, evidence, advice, not_before=until)
    detail = "The first run after it goes on. To write before, shorten the freeze in the settings."
    return _Stop(gate, tuple(Phase), Severity.ADVISORY, evidence, detail)


def _unhealthy_stop(plans: Sequence[DomainPlan], limits: Limits) -> _Stop | None:
    unhealthy = [plan.domain.written for plan in plans if is_unhealthy(plan)]
    # as it is written in the settings: 0.29 of 100 is 29, which the binary fraction is not
    is_share_over = len(unhealthy) > Fraction(str(limits.unhealthy_share)) * len(plans)
    is_count_over = limits.unhealthy_domains is not None and len(unhealthy) > limits.unhealthy_domains
    if not is_share_over and not is_count_over:
        return None
    evidence = f"{len(unhealthy)} of {len(plans)} mail domains are unhealthy: {_listed(unhealthy)}"
    advice = "mend these first; what only adds goes on"
    gate = GateResult("unhealthy", Verdict.HOLD, evidence, advice)
    most = f"limits.unhealthy_share is {limits.unhealthy_share:g}"
    if limits.unhealthy_domains is not None:
        most += f", limits.unhealthy_domains {limits.unhealthy_domains}"
    detail = (
        f"No MX moves and nothing is removed, in no mail domain ({most}). "
        "Each has errors of its own, cannot be observed, or misses verification values: mend these first."
    )
    return _Stop(gate, (Phase.SWITCH, Phase.CONTRACT), Severity.ERROR, evidence, detail)


class _Run:
    """One run: what stops it, and how many switches it has already."""

    def __init__(self, limits: Limits, stops: tuple[_Stop, ...], switched: Mapping[str, int]) -> None:
        self._limits = limits
        self._stops = stops
        # what nobody does by hand must not use up what the program could do, so each has a count of its own
        self._switched = Counter({Status.READY: sum(switched.values())})
        self._switched_of = Counter({(Status.READY, o): count for o, count in switched.items()})
        self._waiting: list[str] = []
        self._held: Counter[str] = Counter()

    def limited(self, plan: DomainPlan) -> DomainPlan:
        """The plan of one mail domain with what has to wait held."""
        steps = tuple(self.stopped(step) for step in plan.steps)
        gates = {status: self._limit(plan, steps, status) for status in _POSSIBLE}
        held = tuple(
            _held(step, (gate,)) if step.phase is Phase.SWITCH and (gate := gates.get(step.status)) else step
            for step in steps
        )
        return plan if held == plan.steps else replace(plan, steps=held)

    def stopped(self, step: _AnyStep) -> _AnyStep:
        """The step, held where something stops the run."""
        if step.status not in _POSSIBLE:
            return step
        gates = tuple(stop.gate for stop in self._stops if step.phase in stop.phases)
        self._held.update(gate.id for gate in gates)
        return _held(step, gates)

    def _limit(self, plan: DomainPlan, steps: Sequence[Step], status: Status) -> GateResult | None:
        """Count the mail domain's switch, or say why it waits."""
        if not any(step.phase is Phase.SWITCH and step.status is status for step in steps):
            return None
        organization = plan.domain.organization
        per_run, per_organization = self._limits.switches_per_run, self._limits.switches_per_organization
        if self._switched[status] < per_run and self._switched_of[status, organization] < per_organization:
            self._switched[status] += 1
            self._switched_of[status, organization] += 1
            return None
        self._waiting.append(plan.domain.written)
        if self._switched[status] >= per_run:
            evidence = f"as many mail domains switch in this run as may in one: {per_run}"
            key = "switches_per_run"
        else:
            evidence = f"as many mail domains of {organization} switch in this run as may in one: {per_organization}"
            key = "switches_per_organization"
        return GateResult("limit", Verdict.HOLD, evidence, f"{_NEXT_RUN}; limits.{key} in the settings says how many")

    def diagnostics(self) -> Iterator[Diagnostic]:
        """What was held, each reason once; what stops nothing is not told."""
        for stop in self._stops:
            if self._held[stop.gate.id]:
                detail = f"{stop.detail} Steps that wait for it: {self._held[stop.gate.id]}."
                yield Diagnostic(stop.severity, stop.gate.id, stop.summary, detail)
        if self._waiting:
            summary = f"mail domains whose MX waits for a later run: {len(self._waiting)}: {_listed(self._waiting)}"
            detail = (
                f"One run moves at most {self._limits.switches_per_run}, and {self._limits.switches_per_organization} "
                "of one organization: see whether these are well, then run again."
            )
            yield Diagnostic(Severity.ADVISORY, "limit", summary, detail)


def _held(step: _AnyStep, gates: tuple[GateResult, ...]) -> _AnyStep:
    if not gates:
        return step
    times = [t for t in (step.not_before, *(g.not_before for g in gates)) if t is not None]
    return replace(step, status=Status.HELD, gates=(*step.gates, *gates), not_before=max(times) if times else None)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _EXAMPLES
    return ", ".join(names[:_EXAMPLES]) + (f" and {more} more" if more > 0 else "")
