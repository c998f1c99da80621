"""Before anybody sees a plan: what would lose mail is withdrawn, what is too much for one run is held."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from builders import EU, NOW, OLD_MX, PRIMARY, domain
from proof_builders import EU_ADDRESSES, HARD, Case, allowlist, case, settled, with_plans
from wrong_planners import WRONG_PLANNERS

from reconciler.errors import Severity
from reconciler.limits import Limits, Stops
from reconciler.manifest.fleet import Domain, Lifecycle
from reconciler.names import Name
from reconciler.plan import Stage, Status
from reconciler.safety import hold_plans, prove_plans

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.errors import Diagnostic
    from reconciler.origin import OriginFacts
    from reconciler.plan import DomainPlan
    from reconciler.service_plan import ServicePlan

FREE = Stops(Limits(unhealthy_share=1))
LEAVING = domain(lifecycle=Lifecycle.OFFBOARDED)
ALLOWED = case(domain(), OLD_MX, PRIMARY, lists=(allowlist(*EU_ADDRESSES),), history=settled(OLD_MX))


class Safe(NamedTuple):
    """What comes of a whole run's plans: proved, then held."""

    plans: tuple[DomainPlan, ...]
    origins: tuple[tuple[OriginFacts, ServicePlan], ...]
    diagnostics: tuple[Diagnostic, ...]
    flows: Mapping[Name, tuple[str, ...]]


def safe(*cases: Case, stops: Stops = FREE) -> Safe:
    origins = [(c.origin, c.service_plan) for c in cases if c.origin is not None and c.service_plan is not None]
    proved = prove_plans([c.plan for c in cases], {c.plan.domain.name: c.facts for c in cases}, origins)
    held = hold_plans(proved.plans, proved.origins, stops, count=len(cases), now=NOW)
    return Safe(held.plans, held.origins, (*proved.diagnostics, *held.diagnostics), proved.flows)


def wrong(given: Case, planner: str) -> Case:
    """The same case with the plans of a wrong planner."""
    plan, service_plan = WRONG_PLANNERS[planner](given.plan, given.service_plan)
    return with_plans(given, plan, service_plan)


def named(given: Case, name: Name) -> Case:
    """The same plan for a domain of another name and service."""
    declared: Domain = replace(given.plan.domain, name=name, written=name.removesuffix("."), service="other")
    facts = replace(given.facts, desired=replace(given.facts.desired, domain=declared))
    return replace(given, facts=facts, origin=None, service_plan=None, plan=replace(given.plan, domain=declared))


def test_a_plan_that_delivers_is_shown_as_it_is_with_where_its_mail_goes() -> None:
    shown = safe(ALLOWED)
    assert shown.plans == (ALLOWED.plan,)
    assert [plan for _, plan in shown.origins] == [ALLOWED.service_plan]
    assert shown.diagnostics == ()
    lines = shown.flows[ALLOWED.plan.domain.name]
    assert lines[0].startswith("switch: senders -> inbound-smtp.eu-west-1.amazonaws.com -> ")


def test_a_plan_that_would_lose_mail_is_withdrawn_and_the_others_go_on() -> None:
    other = named(case(domain(), OLD_MX, PRIMARY, history=settled(OLD_MX)), Name("other.example."))
    bad = wrong(ALLOWED, "next-hop-is-the-gateway")
    shown = safe(bad, other)
    assert (shown.plans[0].stage, shown.plans[0].steps) == (Stage.UNKNOWN, ())
    assert shown.plans[1] == other.plan
    assert list(shown.flows) == ["other.example."]
    (error,) = shown.diagnostics
    assert (error.severity, error.code, error.domain) == (Severity.ERROR, "mail-flow", "acme.example")
    assert "would lose mail at the step acme.example/mx: " in error.summary
    assert [plan for _, plan in shown.origins] == [bad.service_plan], "the origin's steps are not to blame"


def test_an_origins_step_that_would_lose_mail_goes_with_all_of_the_origins_steps() -> None:
    """They were proved together: without one of them nobody knows what becomes of the others."""
    given = case(domain(), OLD_MX, PRIMARY, lists=(allowlist(*EU_ADDRESSES),), history=settled(OLD_MX))
    shown = safe(wrong(given, "restrict-before-switch"))
    assert [(d.code, "/restrict:" in d.summary) for d in shown.diagnostics] == [("mail-flow", True)]
    assert [plan.steps for _, plan in shown.origins] == [()]
    assert [plan.steps for plan in shown.plans] == [()]


def test_a_withdrawn_plan_counts_as_unhealthy() -> None:
    other = named(case(domain(), OLD_MX, PRIMARY, history=settled(OLD_MX)), Name("other.example."))
    shown = safe(wrong(ALLOWED, "next-hop-is-the-gateway"), other, stops=Stops(Limits(unhealthy_share=0.1)))
    assert [s.status for s in shown.plans[1].steps if s.id.endswith("/mx")] == [Status.HELD]
    assert {d.code for d in shown.diagnostics} == {"mail-flow", "unhealthy"}


def test_limits_hold_and_the_flow_is_told_all_the_same() -> None:
    shown = safe(ALLOWED, stops=FREE._replace(kill_switch="an incident"))
    assert [s.status for s in shown.plans[0].steps] == [Status.DONE, Status.HELD]
    assert [d.code for d in shown.diagnostics] == ["kill-switch"]
    assert ALLOWED.plan.domain.name in shown.flows


def test_a_domain_is_gone_when_its_origin_is_done_too() -> None:
    """The origin's steps are forgotten with the manifest, so it may leave only after them."""
    addresses_left = case(LEAVING, OLD_MX, lists=(allowlist(*EU_ADDRESSES),), history=settled(OLD_MX))
    nothing_left = case(LEAVING, OLD_MX, lists=(allowlist(),), history=settled(OLD_MX))
    assert addresses_left.service_plan is not None
    still_used = replace(addresses_left, service_plan=replace(addresses_left.service_plan, is_needed=True))
    alone = case(LEAVING, OLD_MX, history=settled(OLD_MX))
    assert addresses_left.plan.stage is Stage.GONE
    stages = [safe(c).plans[0].stage for c in (addresses_left, nothing_left, still_used, alone)]
    assert stages == [Stage.LEAVING, Stage.GONE, Stage.GONE, Stage.GONE]


def test_a_domain_that_is_not_gone_keeps_its_stage() -> None:
    leaving = case(LEAVING, EU, PRIMARY, lists=(allowlist(*EU_ADDRESSES, refusal=HARD),), history=settled(EU))
    assert safe(leaving).plans[0].stage is Stage.LEAVING


def test_nothing_to_plan_is_nothing_to_stop() -> None:
    assert safe(stops=FREE._replace(kill_switch="an incident")) == Safe((), (), (), {})


def test_a_domain_that_was_not_chosen_is_proved_against_the_steps_that_it_shares() -> None:
    """Its service's origin would turn its mail away; the chosen one's plan has nothing to do with it."""
    shared = wrong(case(domain(), OLD_MX, PRIMARY, lists=(allowlist(*EU_ADDRESSES),)), "restrict-before-switch")
    chosen = named(case(domain(), EU, PRIMARY, history=settled(EU)), Name("chosen.example."))
    assert shared.origin is not None
    assert shared.service_plan is not None
    facts = {c.plan.domain.name: c.facts for c in (shared, chosen)}
    origins = [(shared.origin, shared.service_plan)]
    found = prove_plans([chosen.plan, shared.plan], facts, origins)
    assert [d.code for d in found.diagnostics] == ["mail-flow"]
    assert found.origins[0][1].steps == ()
    assert prove_plans([chosen.plan], facts, origins).diagnostics == ()
