"""What each step of a plan does to mail; a step that does nothing to it is no move. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import Severity
from reconciler.mailflow import Move, SetList, SetMx, SetTokens
from reconciler.plan import Phase, Status, Step
from reconciler.proof.origin import RESTRICTIONS, allowed_addresses, named_lists
from reconciler.proof.world import gateway_addresses, mx_of, waived_gates
from reconciler.targets.base import AllowlistContent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.gates import Facts
    from reconciler.origin import AllowlistFact, OriginFacts
    from reconciler.plan import DomainPlan
    from reconciler.service_plan import ServiceStep

_PHASES = list(Phase)
_WAITS = frozenset({"switch-observed", "early-removal", "restrict"})


def build_moves(
    facts: Facts,
    plan: DomainPlan,
    origin: OriginFacts | None,
    steps: Sequence[Step],
    service_steps: Sequence[ServiceStep],
) -> tuple[Move, ...]:
    """The moves of these steps, in the order in which held ones wait for each other."""
    lists = named_lists(origin)
    return tuple(_moves(facts, plan, lists, _in_order(steps, service_steps)))


def _in_order(steps: Sequence[Step], service_steps: Sequence[ServiceStep]) -> list[Step | ServiceStep]:
    """An origin is told first what it will need, and last what it needs no more."""
    return [
        step
        for phase in _PHASES
        for part in ((service_steps, steps) if phase is Phase.EXPAND else (steps, service_steps))
        for step in part
        if step.phase is phase
    ]


def _moves(
    facts: Facts, plan: DomainPlan, lists: Mapping[str, AllowlistFact], steps: Sequence[Step | ServiceStep]
) -> Iterator[Move]:
    waits = _WAITS & waived_gates(facts)
    is_end_unknown = any(d.severity is Severity.ERROR for d in plan.diagnostics)
    for step in steps:
        if step.status is Status.UNKNOWN:
            is_end_unknown = True
            continue
        is_open = step.status in {Status.READY, Status.MANUAL}
        effect = _rrset_effect(facts, step) if isinstance(step, Step) else _list_effect(facts, lists, step)
        if effect is None or (is_end_unknown and not is_open):
            continue
        is_excused = any(g.is_waived and g.id in waits for g in step.gates)
        yield Move(step.id, step.phase.value, effect, is_open, step.not_before, is_excused)


def _rrset_effect(facts: Facts, step: Step) -> SetMx | SetTokens | None:
    change = step.change
    if change is None:
        return None
    if step.key.type != "MX":
        return SetTokens(frozenset(change.added), frozenset(change.removed))
    after = mx_of(change.wanted)
    ttl = change.ttl if after else int(facts.waits.absent_ttl.total_seconds())
    return SetMx(mx_of(change.expected), after, ttl)


def _list_effect(facts: Facts, lists: Mapping[str, AllowlistFact], step: ServiceStep) -> SetList | None:
    names = [n for n in lists if step.id == n or step.id.startswith(f"{n}/")]
    if step.kind != "allowlist" or not names:
        return None
    name = max(names, key=len)
    if step.enforcement is not None:
        return SetList(name, restriction=RESTRICTIONS[step.enforcement[1]])
    relays = gateway_addresses(facts.catalog)
    gone = frozenset(step.before) - frozenset(step.after)
    added = frozenset(step.after) - frozenset(step.before)
    observed = lists[name].observed
    if isinstance(observed, AllowlistContent):
        removed = allowed_addresses(observed, relays) - allowed_addresses(observed, relays, gone)
    else:
        removed = gone & frozenset(relays)
    return SetList(name, added & frozenset(relays), removed)
