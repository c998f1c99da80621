"""Differences to ordered steps: expand, switch, contract. Pure.

Every change of a domain's life is this one algorithm (expand adds what the target state needs beside what is there,
switch moves the MX, contract takes away what only the old state needed), so nothing here knows scenarios. A step is
ready when its gates pass on what was observed; the steps after it wait for the next run, which observes again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.desired import without_settled
from reconciler.diff import diff_rrset
from reconciler.errors import Severity
from reconciler.gates import (
    CONTRACT_GATES,
    LEAVE_GATES,
    MOVE_GATES,
    SWITCH_GATES,
    TIDY_GATES,
    Facts,
    Gate,
    GateResult,
    Verdict,
    find_hazards,
    judge_gates,
)
from reconciler.gates.console import Verified
from reconciler.manifest.fleet import MANUAL_PROVIDER
from reconciler.names import display_name
from reconciler.state import Cause, Present, Unknown, mx_exchange
from reconciler.steps import Action, DomainPlan, Phase, Stage, Status, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.desired import DesiredRRset
    from reconciler.diff import Change, Difference
    from reconciler.errors import Diagnostic
    from reconciler.state import Key


__all__ = ["Action", "DomainPlan", "Phase", "Stage", "Status", "Step", "plan_domain"]

_PLACE = {phase: place for place, phase in enumerate(Phase)}


def plan_domain(facts: Facts, *, provider: str, new_ttl: int) -> DomainPlan:
    """Plan one mail domain from its facts; `new_ttl` (seconds) is for rrsets that do not exist yet."""
    planner = _Planner(facts, provider, new_ttl)
    steps = sorted((*planner.verification_steps(), *planner.mx_steps()), key=_order)
    findings = find_hazards(facts)
    errors = [d for d in findings if d.severity is Severity.ERROR]
    if errors:
        steps = [_held_by_errors(step, errors) for step in steps]
    zone = next((o.zone.apex for o in facts.observations.values() if o.zone is not None), None)
    return DomainPlan(facts.domain, zone, _stage(facts, steps), tuple(steps), findings)


def _order(step: Step) -> tuple[int, bool]:
    """By phase; what the gateway looks for outlives every MX of the gateway that goes in the same phase."""
    return _PLACE[step.phase], step.phase is Phase.CONTRACT and step.key.type != "MX"


def _held_by_errors(step: Step, errors: Sequence[Diagnostic]) -> Step:
    if step.status in {Status.DONE, Status.UNKNOWN}:
        return step
    gates = tuple(GateResult(d.code, Verdict.HOLD, d.summary, d.detail) for d in errors)
    return replace(step, status=Status.HELD, gates=(*gates, *step.gates))


@dataclass(frozen=True, slots=True)
class _Planner:
    """Plans one mail domain's rrsets."""

    facts: Facts
    provider: str
    new_ttl: int

    def verification_steps(self) -> list[Step]:
        """Add the wanted values; when nothing needs them any more, remove the others that are ours."""
        desired = self.facts.desired.verification
        if desired is None:
            return []
        found = self._difference(desired)
        if isinstance(found, Unknown):
            return [self._unknown("verification", Phase.EXPAND, desired, found)]
        expand = self._step("verification", Phase.EXPAND, found.change(add=True, remove=False), ())
        if not found.surplus:
            return [expand]
        change = found.change(add=False, remove=True)
        retired = self._step("verification/retired", Phase.CONTRACT, change, self._retiring_gates())
        if expand.status is Status.DONE:
            return [expand, retired]
        # both are in one rrset, and each is compared with what is there now: never in one run
        evidence = "the values that are missing, or their TTL, come first"
        first = GateResult("expand-first", Verdict.HOLD, evidence, "nothing to do: the next run goes on")
        return [expand, replace(retired, status=Status.HELD, gates=(first, *retired.gates))]

    def mx_steps(self) -> list[Step]:
        """Move the MX; before and after that its TTL, where a TTL for the switch is declared."""
        desired = self.facts.desired.mx
        if desired is None:
            return []
        if self.facts.domain.is_leaving:
            seen = self.facts.observations[desired.key].observed
            desired = without_settled(desired, seen.rrset.rdatas if isinstance(seen, Present) else ())
        found = self._difference(desired)
        if isinstance(found, Unknown):
            return [self._unknown("mx", Phase.SWITCH, desired, found)]
        if not found.missing and not found.surplus:
            return self._settled_mx_steps(found)
        switch_ttl = self.facts.domain.switch_ttl
        if switch_ttl is None:
            return [self._switch(found)]
        switch = self._switch(_with_ttl(found, switch_ttl))
        if found.foreign or found.ttl_observed is None or found.ttl_observed <= switch_ttl:
            return [switch]
        ahead = replace(found.change(add=False, remove=False), ttl=switch_ttl)
        return [self._step("mx-ttl", Phase.EXPAND, ahead, ()), switch]

    def _settled_mx_steps(self, found: Difference) -> list[Step]:
        if self.facts.domain.switch_ttl is None:
            # only the TTL: no mail goes another way, so nothing is waited for
            phase = Phase.EXPAND if found.is_ttl_off else Phase.SWITCH
            return [self._step("mx", phase, found.change(add=True, remove=True), ())]
        # as long as somebody may want to go back quickly, the TTL stays low
        raised = _with_ttl(found, self.facts.domain.ttl or self.new_ttl)
        done = self._step("mx", Phase.SWITCH, found.change(add=False, remove=False), ())
        if not raised.is_ttl_off:
            return [done]
        return [done, self._step("mx-ttl", Phase.CONTRACT, raised.change(add=True, remove=False), CONTRACT_GATES)]

    def _retiring_gates(self) -> tuple[Gate, ...]:
        """Where two regions have one MX host, no switch asked whether the new region's value is verified."""
        mx = self.facts.desired.mx
        hosts = [mx_exchange(v) for v in (mx.wanted if mx else ())]
        regions = {region for host in hosts for region in self.facts.catalog.regions_with_mx_host(host)}
        is_ambiguous = len(regions) > 1 and not self.facts.domain.is_leaving
        return (*CONTRACT_GATES, Verified()) if is_ambiguous else CONTRACT_GATES

    def _switch(self, found: Difference) -> Step:
        # of a domain that leaves mail moves when the host of the gateway goes, also to a next hop that is there already
        phase = Phase.SWITCH if found.missing or self.facts.domain.is_leaving else Phase.CONTRACT
        return self._step("mx", phase, found.change(add=True, remove=True), self._switch_gates(found))

    def _switch_gates(self, found: Difference) -> tuple[Gate, ...]:
        if self.facts.domain.is_leaving:
            return LEAVE_GATES
        if not found.missing:
            return TIDY_GATES
        hosts = [mx_exchange(v) for v in (*found.kept, *found.surplus, *found.foreign)]
        is_behind_gateway = bool(hosts) and all(map(self.facts.catalog.is_gateway_host, hosts))
        return MOVE_GATES if is_behind_gateway else SWITCH_GATES

    def _difference(self, desired: DesiredRRset) -> Difference | Unknown:
        observation = self.facts.observations[desired.key]
        if isinstance(observed := observation.observed, Unknown):
            return observed
        if observation.zone is None:
            return Unknown(Cause.NO_SUCH_ZONE, "its zone is not known")
        rrset = observed.rrset if isinstance(observed, Present) else None
        return diff_rrset(desired, rrset, zone=observation.zone.apex, new_ttl=self.new_ttl)

    def _unknown(self, what: str, phase: Phase, desired: DesiredRRset, unknown: Unknown) -> Step:
        step = self._make(what, phase, desired.key, None, Action.NO_OP, Status.UNKNOWN, (), unknown.detail)
        return replace(step, wanted=desired.wanted)

    def _step(self, what: str, phase: Phase, change: Change, gates: tuple[Gate, ...]) -> Step:
        if change.is_noop:
            return self._make(what, phase, change.key, change, Action.NO_OP, Status.DONE, (), "")
        results = judge_gates(gates, self.facts)
        return self._make(what, phase, change.key, change, _action(change), self._status(results), results, "")

    def _make(  # noqa: PLR0913, PLR0917 - the parts of a step
        self,
        what: str,
        phase: Phase,
        key: Key,
        change: Change | None,
        action: Action,
        status: Status,
        gates: tuple[GateResult, ...],
        reason: str,
    ) -> Step:
        own = f"{display_name(self.facts.domain.name)}/{what}"
        source, times = self.facts.domain.source, [g.not_before for g in gates if g.verdict is not Verdict.PASS]
        until = max((t for t in times if t is not None), default=None)
        return Step(own, phase, action, status, key, self.provider, change, gates, reason, source, until)

    def _status(self, results: tuple[GateResult, ...]) -> Status:
        if any(r.verdict is not Verdict.PASS for r in results):
            return Status.HELD
        return Status.MANUAL if self.provider == MANUAL_PROVIDER else Status.READY


def _with_ttl(found: Difference, ttl: int) -> Difference:
    """With another wanted TTL (seconds), unless a foreign value shares the rrset and its TTL."""
    return found if found.foreign else replace(found, ttl_wanted=ttl)


def _action(change: Change) -> Action:
    if not change.expected:
        return Action.CREATE
    return Action.UPDATE if change.wanted else Action.DELETE


def _stage(facts: Facts, steps: list[Step]) -> Stage:
    statuses = {s.status for s in steps}
    if Status.UNKNOWN in statuses:
        return Stage.UNKNOWN
    is_done = statuses <= {Status.DONE}
    if facts.domain.is_leaving and facts.domain.is_filtered_by_mx:
        return Stage.GONE if is_done else Stage.LEAVING
    if is_done:
        return Stage.PROTECTED
    mx = next(s for s in steps if s.key.type == "MX" and s.id.endswith("/mx"))
    hosts = [mx_exchange(v) for v in mx.change.expected] if mx.change is not None else []
    wanted_hosts = [mx_exchange(v) for v in (facts.desired.mx.wanted if facts.desired.mx else ())]
    if any(host in wanted_hosts or facts.catalog.is_gateway_host(host) for host in hosts):
        return Stage.SWITCHED
    if mx.status is not Status.HELD:
        return Stage.READY
    wanted = next((s for s in steps if s.phase is Phase.EXPAND), None)
    return Stage.VERIFYING if wanted is None or wanted.status is Status.DONE else Stage.DECLARED
