"""Keeping everybody but the gateway out of an origin, and letting everybody in again: one list's steps. Pure.

Restricting comes last: when every mail domain is switched, no sender can hold an old MX, and days more have passed; at
first for now (4xx, where the target can), so that whatever still came directly is only late; then for good. Loosening
comes first: before the MX of a leaving domain goes back, the origin takes mail from everybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.gates import GateResult, Verdict
from reconciler.gates.attestations import attested_enforcement
from reconciler.plan import Action, Phase, Status
from reconciler.service_plan.step import ServiceStep
from reconciler.state import Unknown
from reconciler.targets.base import AllowlistContent, Enforcement, Intent, harder
from reconciler.targets.enforcement import hardest_enforcement, shows_enforcement, softened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.gates import Facts
    from reconciler.manifest.fleet import Service
    from reconciler.origin import AllowlistFact
    from reconciler.service_plan.waiting import Waiting

WORDS = {
    Enforcement.NONE: "anybody may deliver mail",
    Enforcement.SOFT: "only the gateway may deliver mail, everybody else is deferred (4xx)",
    Enforcement.HARD: "only the gateway may deliver mail, everybody else is refused (5xx)",
}


@dataclass(frozen=True, slots=True)
class Restriction:
    """What a list does with everybody else, what it shall do in the end, and what it may be made to do now."""

    steps: tuple[ServiceStep, ...]
    now: Enforcement


def plan_restriction(
    own: str, fact: AllowlistFact, service: Service, active: Sequence[Facts], waiting: Waiting, *, is_covering: bool
) -> Restriction:
    """The step that restricts or loosens one list, if any; `own` begins its id.

    `active` are the mail domains that stay behind the gateway; while another one of `waiting` leaves, or none stays,
    everybody has to be let in. Nobody is kept out by a list that is not `is_covering` every gateway address, or made to
    with the same file.
    """
    if fact.allowlist.declared.intent is not Intent.RESTRICT or isinstance(fact.observed, Unknown):
        return Restriction((), Enforcement.NONE)
    observed = _enforcement(fact, service, waiting)
    is_leaving = not active or waiting.is_anybody_leaving
    goal = Enforcement.NONE if is_leaving else hardest_enforcement(fact.allowlist.declared)
    if is_leaving:
        # whoever is refused by anything in it is refused too much now
        observed = harder(observed, _shown_refusal(fact))
    if observed is goal:
        return Restriction((), observed)
    if goal is Enforcement.NONE or observed is Enforcement.HARD:
        return Restriction((_step(f"{own}/loosen", fact, Phase.EXPAND, (observed, goal), ()),), goal)
    longest = waiting.longest
    if observed is Enforcement.NONE:
        can_soften = softened(fact.allowlist.declared) is not None
        after = Enforcement.SOFT if can_soften else goal
        evidence = "the origin keeps others out days after the last sender's cache has run out"
        until = waiting.until("restrict", waiting.caches_empty() + longest.restrict, evidence)
        gates = (*_first(is_covering=is_covering), waiting.switched(), until)
        step = _step(f"{own}/restrict", fact, Phase.CONTRACT, (observed, after), gates)
    else:
        after = goal
        own = f"{own}/restrict-hard"
        since = max((f.history.first_seen.get(own, f.now) for f in active), default=waiting.now)
        evidence = "others are deferred for some days before they are refused"
        moment = max(since + (longest.restrict_hard - longest.restrict), waiting.caches_empty())
        until = waiting.until("restrict", moment, evidence)
        gates = (*_first(is_covering=is_covering), waiting.switched(), until)
        step = _step(own, fact, Phase.CONTRACT, (observed, after), gates)
    return Restriction((step,), after if step.status is Status.MANUAL else observed)


def _first(*, is_covering: bool) -> tuple[GateResult, ...]:
    if is_covering:
        return ()
    evidence = "the list lets every gateway address in first: of two manual steps anybody may do one alone"
    return (GateResult("expand-first", Verdict.HOLD, evidence, "nothing to do once those are in it"),)


def _enforcement(fact: AllowlistFact, service: Service, waiting: Waiting) -> Enforcement:
    """What becomes of everybody else: by the export where it shows that, else by what people attest."""
    if isinstance(fact.observed, AllowlistContent) and shows_enforcement(fact.allowlist.declared.target):
        return fact.observed.enforcement
    return attested_enforcement(service.attestations, fact.allowlist.declared, waiting.domains[0].today)


def _shown_refusal(fact: AllowlistFact) -> Enforcement:
    observed = fact.observed
    is_shown = isinstance(observed, AllowlistContent) and shows_enforcement(fact.allowlist.declared.target)
    return observed.refusal if isinstance(observed, AllowlistContent) and is_shown else Enforcement.NONE


def _step(
    own: str,
    fact: AllowlistFact,
    phase: Phase,
    enforcement: tuple[Enforcement, Enforcement],
    gates: tuple[GateResult, ...],
) -> ServiceStep:
    held = [g for g in gates if g.verdict is not Verdict.PASS]
    before, after = enforcement
    return ServiceStep(
        own,
        phase,
        Action.UPDATE,
        Status.HELD if held else Status.MANUAL,
        "allowlist",
        fact.allowlist.declared.target,
        (WORDS[before],),
        (WORDS[after],),
        (),
        gates,
        "",
        fact.allowlist.source,
        max((g.not_before for g in held if g.not_before is not None), default=None),
        enforcement,
    )
