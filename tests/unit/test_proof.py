"""From facts and plans to the model of mail: what is unknown, attested, waived or somebody else's."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from builders import (
    EU,
    EU_MULTI,
    MX_KEY,
    NOW,
    OLD_MX,
    PRIMARY,
    SECONDARY,
    TXT_KEY,
    domain,
    observation,
    present,
    waiver,
)
from proof_builders import (
    EU_ADDRESSES,
    HARD,
    MULTI,
    Case,
    allowlist,
    case,
    opened,
    settled,
    sighting,
    switched,
    with_plans,
)
from wrong_planners import WRONG_PLANNERS

from reconciler.errors import Diagnostic, Severity
from reconciler.history import History
from reconciler.manifest.fleet import Lifecycle, MxHostOverride, ServiceSpamRule
from reconciler.names import Name
from reconciler.origin import MailRuleFact, OriginFacts
from reconciler.plan import Phase, Status
from reconciler.proof import IN_SYNC, prove_plan
from reconciler.service_plan import plan_service
from reconciler.state import Cause, Unknown, mx_rdata
from reconciler.surroundings import HostSight, Surroundings
from reconciler.targets.base import Intent
from reconciler.targets.mail_rule import MailRuleContent

if TYPE_CHECKING:
    from reconciler.mailflow import Proof

TIMEOUT = Unknown(Cause.TIMEOUT, "no answer within 2 s")
OPEN_STATUSES = {Status.READY, Status.MANUAL}


def proved(given: Case) -> Proof:
    return given.prove()


def test_nothing_to_do_needs_no_proof() -> None:
    assert proved(case(domain(), EU, PRIMARY)) is IN_SYNC
    assert proved(case(domain(connection="api"), EU)) is IN_SYNC


def test_steps_that_do_nothing_to_mail_need_no_proof() -> None:
    """The spam rule alone."""
    given = case(domain(), EU, PRIMARY, lists=(allowlist(*EU_ADDRESSES, intent=Intent.ALLOW),), history=settled(EU))
    assert given.origin is not None
    rule = MailRuleFact(
        ServiceSpamRule("exchange-spam-rule", "exports/rules", given.plan.domain.source), MailRuleContent(())
    )
    origin = OriginFacts(given.origin.service, given.origin.allowlists, rule)
    service_plan = plan_service(origin, [given.facts], given.facts.catalog)
    assert [s.kind for s in service_plan.steps if s.status in OPEN_STATUSES] == ["mail-rule"]
    assert prove_plan(given.facts, given.plan, origin, service_plan) is IN_SYNC


def test_a_value_that_one_server_lacks_is_not_there() -> None:
    lagging = observation(TXT_KEY, present(TXT_KEY, PRIMARY), present(TXT_KEY, '"foreign"'))
    given = case(domain(), OLD_MX, PRIMARY)
    behind = replace(given, facts=replace(given.facts, observations={**given.facts.observations, TXT_KEY: lagging}))
    assert proved(opened(given)).is_ok
    assert not proved(opened(behind)).is_ok


@pytest.mark.parametrize(("gate", "is_ok"), [("token-visible", True), ("tls", False)])
def test_a_waived_verification_is_the_waivers_owners_risk(gate: str, *, is_ok: bool) -> None:
    assert proved(opened(case(domain(waivers=(waiver(gate),)), OLD_MX))).is_ok is is_ok


def test_a_waiver_that_is_over_excuses_nothing() -> None:
    over = waiver("token-visible", expires=date(2026, 11, 20))
    assert not proved(opened(case(domain(waivers=(over,)), OLD_MX))).is_ok


def test_a_step_over_a_waived_wait_is_not_to_blame() -> None:
    waits = (waiver("early-removal"), waiver("switch-observed"), waiver("token-visible"))
    given = case(domain(waivers=waits), EU_MULTI, PRIMARY, SECONDARY, history=settled(EU_MULTI))
    assert next(s for s in given.plan.steps if s.id.endswith("/retired")).status is Status.READY
    assert proved(given).is_ok
    # what the planner says is waived counts only where the manifest says so too
    unwaived = replace(given.facts.desired, domain=domain())
    lying = replace(given, facts=replace(given.facts, desired=unwaived))
    assert not proved(lying).is_ok


@pytest.mark.parametrize(("status", "phases"), [(Status.HELD, []), (Status.READY, ["switch"])])
def test_after_what_is_unknown_only_what_may_be_done_now_is_judged(status: Status, phases: list[str]) -> None:
    given = case(domain(), EU_MULTI, PRIMARY, SECONDARY, history=settled(EU_MULTI))
    verification, mx, retired = given.plan.steps
    steps = (replace(verification, status=Status.UNKNOWN, change=None), replace(mx, status=status), retired)
    lines = proved(replace(given, plan=replace(given.plan, steps=steps))).lines
    assert [line.split(":")[0] for line in lines] == phases


def test_a_step_without_a_change_does_nothing() -> None:
    assert proved(opened(case(domain(), OLD_MX, PRIMARY), change=None)) is IN_SYNC


def test_what_an_error_holds_waits_for_another_plan() -> None:
    given = case(domain(), OLD_MX)
    wrong = with_plans(given, *WRONG_PLANNERS["delete-before-adding"](given.plan, None))
    error = Diagnostic(Severity.ERROR, "loop", "the next hop is the gateway", "Name another one.")
    assert not proved(wrong).is_ok
    assert proved(replace(wrong, plan=replace(wrong.plan, diagnostics=(error,)))).is_ok


def test_servers_that_disagree_show_several_mx_at_once() -> None:
    both = observation(MX_KEY, present(MX_KEY, EU), present(MX_KEY, EU_MULTI))
    history = History((sighting(EU), sighting(EU_MULTI)))
    given = case(domain(), both, PRIMARY, lists=(allowlist(*EU_ADDRESSES, MULTI),), history=history)
    assert proved(given).is_ok
    wrong = WRONG_PLANNERS["remove-address-at-once"](given.plan, given.service_plan)
    failure = with_plans(given, *wrong).prove().failure
    assert failure is not None
    assert MULTI in failure.fate


@pytest.mark.parametrize(("last_look", "is_ok"), [(1, True), (8, False)])
def test_after_a_gap_in_the_history_anything_may_be_cached(last_look: int, *, is_ok: bool) -> None:
    before = sighting(EU)._replace(last_seen=NOW - timedelta(days=last_look))
    lists = (allowlist(*EU_ADDRESSES, MULTI),)
    given = case(domain(), EU, PRIMARY, lists=lists, history=History((before,)))
    wrong = WRONG_PLANNERS["remove-address-at-once"](given.plan, given.service_plan)
    assert with_plans(given, *wrong).prove().is_ok is is_ok


def test_a_cached_host_of_the_gateway_is_one_also_where_the_catalog_does_not_know_it() -> None:
    strange = mx_rdata(0, Name("old.mx-pp.com."))
    given = case(domain(), EU, PRIMARY, lists=(allowlist(*EU_ADDRESSES),), history=switched(strange, EU))
    wrong = WRONG_PLANNERS["restrict-hard-at-once"](given.plan, given.service_plan)
    assert with_plans(given, *wrong).prove().is_ok


def test_without_an_answer_the_mx_is_not_known() -> None:
    given = case(domain(), observation(MX_KEY, TIMEOUT), lists=(allowlist(),))
    assert proved(given).lines == (
        "expand: senders -> an MX that is not known; any older MX cached until 2026-11-28T12:00+00:00",
    )


@pytest.mark.parametrize(("address", "is_ok"), [("203.0.113.1", True), (EU_ADDRESSES[0], False)])
def test_a_next_hop_at_an_address_of_the_gateway_loops(address: str, *, is_ok: bool) -> None:
    around = Surroundings(hosts={Name("mail.acme.example."): HostSight((address,))})
    assert proved(opened(case(domain(), OLD_MX, PRIMARY, surroundings=around))).is_ok is is_ok
    excused = domain(waivers=(waiver("loop"),))
    assert proved(opened(case(excused, OLD_MX, PRIMARY, surroundings=around))).is_ok


def test_a_host_that_the_manifest_overrides_is_the_gateways() -> None:
    own = Name("special.gateway.example.")
    declared = domain(mx_host=MxHostOverride(own, "support said so"))
    given = case(declared, OLD_MX, PRIMARY, lists=(allowlist(*EU_ADDRESSES),), history=settled(OLD_MX))
    assert f"senders -> {own[:-1]} -> 4 addresses of the gateway" in proved(given).lines[0]
    looping = opened(case(replace(declared, next_hops=(own,)), OLD_MX, PRIMARY))
    assert not proved(looping).is_ok


def test_a_host_of_the_gateway_that_the_catalog_does_not_know_may_relay_from_anywhere() -> None:
    strange = mx_rdata(0, Name("old.mx-pp.com."))
    given = case(domain(), strange, PRIMARY, lists=(allowlist(*EU_ADDRESSES, MULTI),), history=settled(strange))
    assert proved(given).is_ok
    wrong = WRONG_PLANNERS["remove-address-at-once"](given.plan, given.service_plan)
    assert not with_plans(given, *wrong).prove().is_ok


def test_next_hops_of_before_are_known_to_take_mail() -> None:
    former = mx_rdata(10, Name("old.acme.example."))
    given = case(domain(lifecycle=Lifecycle.OFFBOARDED), EU, PRIMARY, history=settled(EU))
    mx = next(s for s in given.plan.steps if s.id.endswith("/mx"))
    assert mx.change is not None
    there = opened(given, change=replace(mx.change, after=(former,)))
    assert not proved(there).is_ok
    history = History(given.facts.history.mx, next_hops=(Name("old.acme.example."),))
    assert proved(replace(there, facts=replace(given.facts, history=history))).is_ok


def test_what_an_origin_needs_comes_first_and_what_it_needs_no_more_comes_last() -> None:
    given = case(domain(region="us"), EU, lists=(allowlist(*EU_ADDRESSES, refusal=HARD),), history=settled(EU))
    assert [line.split(":")[0] for line in proved(given).lines] == [p.value for p in Phase]
