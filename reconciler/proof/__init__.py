"""From plans to the model of mail: what was observed becomes the world, and each step what it does to that world. Pure.

The world is built from facts, not from what the planner made of them, so that a planner that reads them wrongly is
found out. A step is judged as long as the plan knows what comes before it: after an unknown, and where an error of the
manifest or of DNS holds the domain, what is held waits for another plan, and that plan is proved then.

Waivers move the responsibility to a person: without "token-visible" no verification value is needed, without
"allowlist" the origin takes what the gateway relays, without "origin-open" it takes what goes past the gateway again,
without "loop" nothing loops; a step that goes on over a waived
wait is not to blame for what it takes away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.mailflow import Cached, Proof, Scenario, SetMx, prove
from reconciler.plan import Status
from reconciler.proof.moves import build_moves
from reconciler.proof.origin import build_lists
from reconciler.proof.world import build_cached, build_gateways, build_world, looping_hops, shown_mx, waived_gates

if TYPE_CHECKING:
    from reconciler.gates import Facts
    from reconciler.mailflow import Move
    from reconciler.origin import OriginFacts
    from reconciler.plan import DomainPlan
    from reconciler.service_plan import ServicePlan

__all__ = ["IN_SYNC", "prove_plan"]

IN_SYNC = Proof()
"""Of a plan that changes nothing."""


def prove_plan(facts: Facts, plan: DomainPlan, origin: OriginFacts | None, service_plan: ServicePlan | None) -> Proof:
    """Prove that the plan of one mail domain, with what it changes at its origin, loses no mail.

    `origin` and `service_plan` are None where the domain's service declares nothing of its origin.
    """
    steps = [s for s in plan.steps if s.status is not Status.DONE]
    service_steps = [s for s in service_plan.steps if s.status is not Status.DONE] if service_plan is not None else []
    if facts.desired.mx is None or not (steps or service_steps):
        return IN_SYNC
    moves = build_moves(facts, plan, origin, steps, service_steps)
    return prove(_scenario(facts, plan, origin, moves)) if moves else IN_SYNC


def _scenario(facts: Facts, plan: DomainPlan, origin: OriginFacts | None, moves: tuple[Move, ...]) -> Scenario:
    seen = shown_mx(facts)
    waived = waived_gates(facts)
    # an MX that moves now needs an origin that surely is open; one that is held waits until people have said so
    is_moving = any(m.is_open and isinstance(m.effect, SetMx) for m in moves)
    lists = build_lists(facts, origin, waived, is_moving=is_moving)
    # servers that disagree show several rrsets, and nobody knows for how long
    end = max((m.not_before for m in moves if m.not_before is not None and m.not_before > facts.now), default=facts.now)
    shown = tuple(Cached(mx, end + facts.waits.assumed_ttl) for mx, _ in seen[1:])
    cached = (*build_cached(facts), *shown)
    rrsets = [mx for mx, _ in seen] + [m.effect.after for m in moves if isinstance(m.effect, SetMx)]
    rrsets += [c.mx for c in cached if c.mx is not None]
    hops = plan.domain.next_hops
    return Scenario(
        domain=facts.domain.name,
        now=facts.now,
        world=build_world(facts, seen, lists),
        gateways=build_gateways(facts, rrsets, waived),
        next_hops=hops,
        moves=moves,
        cached=cached,
        looping=frozenset() if "loop" in waived else looping_hops(facts, hops),
        known_hosts=frozenset(facts.history.next_hops),
    )
