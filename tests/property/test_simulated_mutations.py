"""Wrong planners in the simulated world: it catches each of them, in lives in which the right one harms nobody.

Those of `wrong_planners` change a right plan, as for the proof on paper. Here are others, which believe what is not so
of the world or of the past, and no proof can catch: it is told the same.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from simulator.clock import DAY
from simulator.life import Moment, Scenario, live
from simulator.program import Mishap
from simulator.scenarios import EU, LONG, US, build_scenario
from simulator.verdict import find_faults
from simulator.world import Start
from wrong_planners import WRONG_PLANNERS

from reconciler.plan import Phase, Status
from reconciler.targets.base import Enforcement

if TYPE_CHECKING:
    from simulator.program import Distortion, Transform

    from reconciler.gates import Facts
    from reconciler.plan import DomainPlan, Step
    from reconciler.service_plan import ServicePlan, ServiceStep

    Pair = tuple[DomainPlan, ServicePlan | None]

QUICK_END = (
    Moment(declared=EU),
    Moment(hours=12, runs=LONG),
    Moment(hours=12, declared=replace(US, ttl=300)),
    Moment(hours=12, runs=2),
    Moment(hours=1, mishap=Mishap(journal="lost")),
)
COMMON = (
    build_scenario("off-boarding", "own MX", "calm"),
    build_scenario("region move with a new TTL", "own MX", "calm"),
    build_scenario("off-boarding", "own MX", "late"),
    build_scenario("new", "refusing", "calm"),
    build_scenario("region move", "own MX", "lagging"),
    # the new TTL is low, and the journal is lost when the MX has just moved
    Scenario(Start(mx_ttl=2 * DAY), QUICK_END),
)


def overwrite_foreign_values(plan: DomainPlan, service: ServicePlan | None) -> Pair:
    """The rrset is written as if all of it were ours."""

    def greedy(step: Step) -> Step:
        change = step.change
        if change is None or not change.foreign:
            return step
        return replace(step, change=replace(change, before=(*change.before, *change.foreign), foreign=()))

    return replace(plan, steps=tuple(map(greedy, plan.steps))), service


def open_instead_of_restricting(plan: DomainPlan, service: ServicePlan | None) -> Pair:
    """Before others are refused for good, everybody is let in again."""

    def opened(step: ServiceStep) -> ServiceStep:
        if step.enforcement is None or step.enforcement[0] is not Enforcement.SOFT:
            return step
        return replace(step, status=Status.MANUAL, enforcement=(Enforcement.SOFT, Enforcement.NONE))

    return plan, None if service is None else replace(service, steps=tuple(map(opened, service.steps)))


def empty_the_list(plan: DomainPlan, service: ServicePlan | None) -> Pair:
    """What others wrote into a list goes with what is stale."""

    def emptied(step: ServiceStep) -> ServiceStep:
        if step.phase is not Phase.CONTRACT or step.enforcement is not None:
            return step
        return replace(step, before=(*step.before, *step.untouched), untouched=())

    return plan, None if service is None else replace(service, steps=tuple(map(emptied, service.steps)))


def believe_in_the_new_ttl(facts: Facts) -> Facts:
    """Whatever is gone is taken to have had a TTL of a minute."""
    sightings = tuple(s if s.gone is None else s._replace(ttl=60) for s in facts.history.mx)
    return replace(facts, history=replace(facts.history, mx=sightings))


def believe_one_server(facts: Facts) -> Facts:
    """The others will follow at once."""
    told = {key: replace(seen, answers=seen.answers[:1]) for key, seen in facts.observations.items()}
    return replace(facts, observations=told)


def believe_that_the_unknown_is_nothing(facts: Facts) -> Facts:
    """Where nobody knows what senders hold, they hold nothing."""
    return replace(facts, waits=facts.waits._replace(assumed_ttl=timedelta()))


def believe_that_time_flies(facts: Facts) -> Facts:
    """Nothing is waited for after an origin began to defer."""
    waits = facts.waits._replace(assumed_ttl=timedelta(), restrict=timedelta(), settle=timedelta())
    sightings = tuple(s if s.gone is None else s._replace(ttl=0) for s in facts.history.mx)
    return replace(facts, waits=waits, history=replace(facts.history, mx=sightings))


def believe_every_attestation(facts: Facts) -> Facts:
    """The console will show it sooner or later."""
    domain = facts.domain
    attested = (
        domain.attestations[0]._replace(what="verified", on=facts.today, region=domain.region, multi_region=True)
        if domain.attestations
        else None
    )
    if attested is None:
        return facts
    trusting = replace(domain, attestations=(*domain.attestations, attested))
    return replace(facts, desired=replace(facts.desired, domain=trusting))


TRANSFORMS: dict[str, Transform] = {
    **WRONG_PLANNERS,
    "overwrite-foreign-values": overwrite_foreign_values,
    "open-instead-of-restricting": open_instead_of_restricting,
    "empty-the-list": empty_the_list,
}
DISTORTIONS: dict[str, Distortion] = {
    "believe-in-the-new-ttl": believe_in_the_new_ttl,
    "believe-one-server": believe_one_server,
    "believe-that-the-unknown-is-nothing": believe_that_the_unknown_is_nothing,
    "believe-that-time-flies": believe_that_time_flies,
    "believe-every-attestation": believe_every_attestation,
}


@pytest.mark.parametrize("number", range(len(COMMON)))
def test_the_right_planner_harms_nobody(number: int) -> None:
    assert find_faults(live(COMMON[number])) == []


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_planner_that_plans_wrong_is_caught(name: str) -> None:
    assert any(live(scenario, transform=TRANSFORMS[name]).violations for scenario in COMMON)


@pytest.mark.parametrize("name", DISTORTIONS)
def test_a_planner_that_believes_what_is_not_so_is_caught(name: str) -> None:
    assert any(live(scenario, distort=DISTORTIONS[name]).violations for scenario in COMMON)
