"""Differences to ordered steps: expand, switch, contract. Pure.

Every change of a domain's life is this one algorithm (expand adds what the target state needs beside what is there,
switch moves the MX, contract takes away what only the old state needed), so nothing here knows scenarios. A step is
ready when its gates pass on what was observed; the steps after it wait for the next run, which observes again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.diff import diff_rrset
from reconciler.errors import Severity
from reconciler.gates import CONTRACT_GATES, SWITCH_GATES, Facts, Gate, GateResult, Verdict, judge_gates
from reconciler.manifest.fleet import MANUAL_PROVIDER
from reconciler.names import display_name
from reconciler.plan_findings import build_findings
from reconciler.state import Present, Unknown, mx_exchange

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.desired import DesiredRRset
    from reconciler.diff import Change
    from reconciler.errors import Diagnostic
    from reconciler.manifest.fleet import Domain, Source
    from reconciler.names import Name
    from reconciler.state import Key


# the program does not keep the time yet, so the person who goes on has to
CACHES = (
    "senders may hold the old MX for as long as its TTL was: let that time pass after the switch before this is done"
)


class Phase(StrEnum):
    """Where a step stands in the one order."""

    EXPAND = "expand"
    SWITCH = "switch"
    CONTRACT = "contract"


class Action(StrEnum):
    """What a step does to its rrset as a whole."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    NO_OP = "no-op"


class Status(StrEnum):
    """Whether a step can be done now, and by whom."""

    READY = "ready"
    HELD = "held"
    MANUAL = "manual"
    DONE = "done"
    UNKNOWN = "unknown"


class Stage(StrEnum):
    """How far a domain is, in the order of its life."""

    UNKNOWN = "unknown"
    DECLARED = "declared"
    VERIFYING = "verifying"
    READY = "ready"
    SWITCHED = "switched"
    PROTECTED = "protected"
    LEAVING = "leaving"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Step:
    """One change with its gates. `change` is None where the observed state is unknown; `reason` then says why.

    `not_before` is the earliest time at which it may be done, None where it need not wait for a time.
    """

    id: str
    phase: Phase
    action: Action
    status: Status
    key: Key
    provider: str
    change: Change | None
    gates: tuple[GateResult, ...]
    reason: str
    source: Source
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class DomainPlan:
    """One mail domain's steps in their order, and what is worth saying about it."""

    domain: Domain
    zone: Name | None
    stage: Stage
    steps: tuple[Step, ...]
    diagnostics: tuple[Diagnostic, ...]


def plan_domain(facts: Facts, *, provider: str, new_ttl: int) -> DomainPlan:
    """Plan one mail domain from its facts; `new_ttl` (seconds) is for rrsets that do not exist yet."""
    desired = facts.desired
    steps: list[Step] = []
    if desired.verification is not None:
        steps += _plan_rrset(facts, desired.verification, "verification", provider, new_ttl)
    if desired.mx is not None:
        steps += _plan_rrset(facts, desired.mx, "mx", provider, new_ttl)
    findings = build_findings(facts)
    steps = [_held_by_errors(step, findings) for step in sorted(steps, key=lambda s: list(Phase).index(s.phase))]
    zones = [o.zone.apex for o in facts.observations.values() if o.zone is not None]
    return DomainPlan(facts.domain, zones[0] if zones else None, _stage(facts, steps), tuple(steps), findings)


def _held_by_errors(step: Step, findings: tuple[Diagnostic, ...]) -> Step:
    errors = [d for d in findings if d.severity is Severity.ERROR]
    if not errors or step.status in {Status.DONE, Status.UNKNOWN}:
        return step
    gates = tuple(GateResult(d.code, Verdict.HOLD, d.summary, d.detail) for d in errors)
    return replace(step, status=Status.HELD, gates=(*gates, *step.gates))


def _plan_rrset(facts: Facts, desired: DesiredRRset, what: str, provider: str, new_ttl: int) -> list[Step]:
    observation = facts.observations[desired.key]
    observed = observation.observed
    draft = _Draft(facts, desired.key, f"{display_name(facts.domain.name)}/{what}", provider)
    if isinstance(observed, Unknown) or observation.zone is None:
        detail = observed.detail if isinstance(observed, Unknown) else "its zone is not known"
        return [draft.unknown(Phase.SWITCH if what == "mx" else Phase.EXPAND, detail)]
    rrset = observed.rrset if isinstance(observed, Present) else None
    difference = diff_rrset(desired, rrset, zone=observation.zone.apex, new_ttl=new_ttl)
    if what == "mx":
        change = difference.change(add=True, remove=True)
        if not difference.missing and not difference.surplus:
            # only the TTL: no mail goes another way, so nothing is waited for
            return [draft.step(Phase.EXPAND if difference.is_ttl_off else Phase.SWITCH, change, ())]
        phase = Phase.SWITCH if difference.missing else Phase.CONTRACT
        return [draft.step(phase, change, SWITCH_GATES)]
    expand = draft.step(Phase.EXPAND, difference.change(add=True, remove=False), ())
    if not difference.surplus:
        return [expand]
    retired = _Draft(facts, desired.key, f"{draft.id}/retired", provider)
    contract = replace(
        retired.step(Phase.CONTRACT, difference.change(add=False, remove=True), CONTRACT_GATES), reason=CACHES
    )
    if expand.status is Status.DONE:
        return [expand, contract]
    # both are in one rrset, and each is compared with what is there now: never in one run
    evidence = "the values that are missing, or their TTL, come first"
    first = GateResult("expand-first", Verdict.HOLD, evidence, "nothing to do: the next run goes on")
    return [expand, replace(contract, status=Status.HELD, gates=(first, *contract.gates))]


@dataclass(frozen=True, slots=True)
class _Draft:
    facts: Facts
    key: Key
    id: str
    provider: str

    def unknown(self, phase: Phase, reason: str) -> Step:
        source = self.facts.domain.source
        return Step(self.id, phase, Action.NO_OP, Status.UNKNOWN, self.key, self.provider, None, (), reason, source)

    def step(self, phase: Phase, change: Change, gates: tuple[Gate, ...]) -> Step:
        results = judge_gates(gates, self.facts) if not change.is_noop else ()
        return Step(
            id=self.id,
            phase=phase,
            action=_action(change),
            status=self._status(change, results),
            key=self.key,
            provider=self.provider,
            change=change,
            gates=results,
            reason="",
            source=self.facts.domain.source,
        )

    def _status(self, change: Change, results: tuple[GateResult, ...]) -> Status:
        if change.is_noop:
            return Status.DONE
        if any(r.verdict is not Verdict.PASS for r in results):
            return Status.HELD
        return Status.MANUAL if self.provider == MANUAL_PROVIDER else Status.READY


def _action(change: Change) -> Action:
    if change.is_noop:
        return Action.NO_OP
    if not change.expected:
        return Action.CREATE
    return Action.UPDATE if change.wanted else Action.DELETE


def _stage(facts: Facts, steps: list[Step]) -> Stage:
    if any(s.status is Status.UNKNOWN for s in steps):
        return Stage.UNKNOWN
    if all(s.status is Status.DONE for s in steps):
        return Stage.PROTECTED
    mx = next(s for s in steps if s.key.type == "MX")
    hosts = [mx_exchange(v) for v in mx.change.expected] if mx.change is not None else []
    wanted_hosts = [mx_exchange(v) for v in (facts.desired.mx.wanted if facts.desired.mx else ())]
    if any(host in wanted_hosts or facts.catalog.is_gateway_host(host) for host in hosts):
        return Stage.SWITCHED
    if mx.status is not Status.HELD:
        return Stage.READY
    wanted = next((s for s in steps if s.phase is Phase.EXPAND), None)
    return Stage.VERIFYING if wanted is None or wanted.status is Status.DONE else Stage.DECLARED
