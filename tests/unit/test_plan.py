"""Plans: expand, switch, contract as one algorithm; every scenario is only a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from builders import (
    CONSOLE,
    EU,
    EU_MULTI,
    MX_KEY,
    OLD_MX,
    PRIMARY,
    SECONDARY,
    TXT_KEY,
    attestation,
    domain,
    facts,
    observation,
    present,
    waiver,
)

from reconciler.gates import OF_THE_SERVICE
from reconciler.manifest.fleet import MANUAL_PROVIDER, Verification
from reconciler.plan import Action, DomainPlan, Phase, Stage, Status, Step, plan_domain
from reconciler.proof import prove_plan
from reconciler.state import Absent, Cause, Observation, Unknown

if TYPE_CHECKING:
    from reconciler.gates import Facts

BOTH = (PRIMARY, SECONDARY)
TIMEOUT = Unknown(Cause.TIMEOUT, "no answer within 2 s")


def planned(given: Facts, provider: str = "bind") -> DomainPlan:
    return plan_domain(given, provider=provider, new_ttl=3600)


def shape(plan: DomainPlan) -> list[tuple[str, str, str]]:
    return [(s.phase.value, s.action.value, s.status.value) for s in plan.steps]


def told(plan: DomainPlan) -> list[tuple[str, str]]:
    """Severity and code; without what every first switch is told, once for its service."""
    return [(d.severity.value, d.code) for d in plan.diagnostics if d.code not in OF_THE_SERVICE]


def step(plan: DomainPlan, suffix: str) -> Step:
    return next(s for s in plan.steps if s.id == f"acme.example/{suffix}")


def test_a_new_domain_expands_first_and_holds_the_switch() -> None:
    plan = planned(facts(mx=present(MX_KEY, OLD_MX)))
    assert shape(plan) == [("expand", "create", "ready"), ("switch", "update", "held")]
    assert plan.stage is Stage.DECLARED
    assert [g.id for g in step(plan, "mx").gates if g.verdict != "pass"] == ["token-visible"]
    change = step(plan, "mx").change
    assert change is not None
    assert (change.before, change.after) == ((OLD_MX,), (EU,))


def test_with_tokens_seen_and_the_allowlist_attested_the_mx_moves() -> None:
    plan = planned(facts(txt=present(TXT_KEY, PRIMARY), mx=present(MX_KEY, OLD_MX)))
    assert shape(plan) == [("expand", "no-op", "done"), ("switch", "update", "ready")]
    assert plan.stage is Stage.READY


def test_without_an_attestation_it_waits() -> None:
    plan = planned(facts(domain(attestations=()), txt=present(TXT_KEY, PRIMARY), mx=present(MX_KEY, OLD_MX)))
    assert step(plan, "mx").status is Status.HELD
    assert plan.stage is Stage.VERIFYING


def test_in_sync_is_done() -> None:
    plan = planned(facts(txt=present(TXT_KEY, PRIMARY, '"foreign"'), mx=present(MX_KEY, EU)))
    assert {s.status for s in plan.steps} == {Status.DONE}
    assert plan.stage is Stage.PROTECTED
    assert plan.diagnostics == ()


def test_turning_multi_region_on_adds_before_it_switches() -> None:
    """In place: the second token first, the MX when it is seen and the new address is vouched for."""
    multi = domain(multi_region=True, attestations=(attestation(multi_region=True), *CONSOLE))
    first = planned(facts(multi, txt=present(TXT_KEY, PRIMARY), mx=present(MX_KEY, EU)))
    assert shape(first) == [("expand", "update", "ready"), ("switch", "update", "held")]
    second = planned(facts(multi, txt=present(TXT_KEY, *BOTH), mx=present(MX_KEY, EU)))
    assert shape(second) == [("expand", "no-op", "done"), ("switch", "update", "ready")]
    last = planned(facts(multi, txt=present(TXT_KEY, *BOTH), mx=present(MX_KEY, EU_MULTI)))
    assert last.stage is Stage.PROTECTED


def test_turning_multi_region_off_switches_before_it_removes() -> None:
    """In place: the MX first; the second token only when every server shows the new MX."""
    first = planned(facts(txt=present(TXT_KEY, *BOTH), mx=present(MX_KEY, EU_MULTI)))
    assert shape(first) == [
        ("expand", "no-op", "done"),
        ("switch", "update", "ready"),
        ("contract", "update", "held"),
    ]
    lagging = observation(MX_KEY, present(MX_KEY, EU), present(MX_KEY, EU_MULTI))
    assert step(planned(facts(txt=present(TXT_KEY, *BOTH), mx=lagging)), "verification/retired").status is Status.HELD
    second = planned(facts(txt=present(TXT_KEY, *BOTH), mx=present(MX_KEY, EU)))
    assert step(second, "verification/retired").status is Status.READY
    assert step(second, "verification/retired").change.removed == (SECONDARY,)  # type: ignore[union-attr]
    assert second.stage is Stage.SWITCHED


def test_expand_and_contract_of_one_rrset_are_never_ready_together() -> None:
    """Not even where a waiver opens the gates: each write is compared with what is there before it."""
    waived = domain(waivers=(waiver("token-visible"), waiver("switch-observed")))
    plan = planned(facts(waived, txt=present(TXT_KEY, SECONDARY), mx=present(MX_KEY, EU)))
    assert step(plan, "verification").status is Status.READY
    assert step(plan, "verification/retired").status is Status.HELD
    assert step(plan, "verification/retired").gates[0].id == "expand-first"


def test_an_old_mx_beside_the_gateways_is_contracted_and_told() -> None:
    plan = planned(facts(txt=present(TXT_KEY, PRIMARY), mx=present(MX_KEY, EU, OLD_MX)))
    assert step(plan, "mx").phase is Phase.CONTRACT
    assert step(plan, "mx").status is Status.READY
    assert [d.code for d in plan.diagnostics] == ["bypass-mx"]
    assert "contract step" in plan.diagnostics[0].detail


def test_a_shared_mx_reports_the_bypass_and_leaves_it() -> None:
    shared = domain(mx_exclusive=False)
    plan = planned(facts(shared, txt=present(TXT_KEY, PRIMARY), mx=present(MX_KEY, EU, OLD_MX)))
    assert plan.stage is Stage.PROTECTED
    assert [d.code for d in plan.diagnostics] == ["bypass-mx"]


def test_a_vanished_token_is_told_with_the_time_that_is_left() -> None:
    plan = planned(facts(mx=present(MX_KEY, EU)))
    assert [d.code for d in plan.diagnostics] == ["token-removed"]
    assert "72 hours" in plan.diagnostics[0].detail
    assert step(plan, "verification").status is Status.READY
    assert plan.stage is Stage.SWITCHED


def test_multi_region_off_without_the_secondary_value_is_warned() -> None:
    """Nobody can tell that value from a stranger's any more: it would stay in DNS for ever."""
    unnamed = domain(verification=Verification("primary-token", None))
    going_off = planned(facts(unnamed, txt=present(TXT_KEY, *BOTH), mx=present(MX_KEY, EU_MULTI)))
    assert [d.code for d in going_off.diagnostics] == ["retired-value-unnamed"]
    assert planned(facts(txt=present(TXT_KEY, *BOTH), mx=present(MX_KEY, EU_MULTI))).diagnostics == ()
    assert planned(facts(unnamed, txt=present(TXT_KEY, PRIMARY), mx=present(MX_KEY, EU))).diagnostics == ()


def test_no_token_alarm_while_one_of_ours_or_nothing_certain_is_there() -> None:
    assert planned(facts(txt=TIMEOUT, mx=present(MX_KEY, EU))).diagnostics == ()
    multi = domain(multi_region=True)
    assert planned(facts(multi, txt=present(TXT_KEY, PRIMARY), mx=present(MX_KEY, EU))).diagnostics == ()


def test_unknown_is_never_taken_for_absent() -> None:
    plan = planned(facts(txt=TIMEOUT, mx=TIMEOUT))
    assert shape(plan) == [("expand", "no-op", "unknown"), ("switch", "no-op", "unknown")]
    assert {s.change for s in plan.steps} == {None}
    assert plan.stage is Stage.UNKNOWN
    assert step(plan, "mx").reason == "no answer within 2 s"


def test_servers_that_disagree_are_unknown() -> None:
    both = observation(TXT_KEY, present(TXT_KEY, PRIMARY), Absent())
    assert "ns2.acme.example.: nothing" in step(planned(facts(txt=both)), "verification").reason


def test_an_unknown_zone_is_unknown_even_with_an_answer() -> None:
    lost = Observation(TXT_KEY, None, observation(TXT_KEY, Absent()).answers)
    assert step(planned(facts(txt=lost)), "verification").reason == "its zone is not known"


@pytest.mark.parametrize(
    ("key", "cause", "code"),
    [
        (TXT_KEY, Cause.CNAME, "cname-token"),
        (MX_KEY, Cause.CNAME, "cname-apex"),
        (TXT_KEY, Cause.DELEGATED, "delegated"),
        (MX_KEY, Cause.NO_SUCH_ZONE, "no-such-zone"),
    ],
)
def test_a_name_that_cannot_be_written_is_an_error_and_holds_the_domain(key: object, cause: Cause, code: str) -> None:
    wrong = Unknown(cause, "what is wrong")
    given = facts(txt=wrong) if key == TXT_KEY else facts(mx=wrong)
    plan = planned(given)
    assert told(plan) == [("error", code)]
    assert {s.status for s in plan.steps} == {Status.UNKNOWN, Status.HELD}
    held = next(s for s in plan.steps if s.status is Status.HELD)
    assert held.gates[0].id == code


def test_the_same_error_at_both_names_is_told_once() -> None:
    gone = Unknown(Cause.NO_SUCH_ZONE, "there is no zone acme.example")
    assert len(planned(facts(txt=gone, mx=gone)).diagnostics) == 1


@pytest.mark.parametrize("provider", ["bind", MANUAL_PROVIDER])
def test_nothing_is_written_below_a_domain_that_only_a_wildcard_makes(provider: str) -> None:
    """A verification value would make it an empty non-terminal: no MX, no address, and the mail is lost."""
    plan = planned(facts(mx=Absent(is_covered=True)), provider)
    assert told(plan) == [("error", "wildcard-domain")]
    assert {s.status for s in plan.steps} == {Status.HELD}


def test_a_null_mx_is_not_mixed_with_another() -> None:
    null = present(MX_KEY, "0 .")
    assert told(planned(facts(domain(mx_exclusive=False), mx=null))) == [("error", "null-mx")]
    assert told(planned(facts(mx=null))) == []


def test_only_a_ttl_is_no_switch_and_waits_for_nothing() -> None:
    declared = domain(ttl=300, attestations=())
    plan = planned(facts(declared, txt=present(TXT_KEY, PRIMARY, ttl=300), mx=present(MX_KEY, EU, ttl=3600)))
    mx = step(plan, "mx")
    assert (mx.phase, mx.action, mx.status, mx.gates) == (Phase.EXPAND, Action.UPDATE, Status.READY, ())


def test_the_last_value_of_an_rrset_is_a_delete() -> None:
    waived = domain(verification=Verification(None, "secondary-token"), waivers=(waiver("token-visible"),))
    plan = planned(facts(waived, txt=present(TXT_KEY, SECONDARY), mx=present(MX_KEY, EU)))
    assert step(plan, "verification/retired").action is Action.DELETE


def test_a_manual_provider_gets_manual_steps() -> None:
    plan = planned(facts(mx=present(MX_KEY, OLD_MX)), provider=MANUAL_PROVIDER)
    assert shape(plan) == [("expand", "create", "manual"), ("switch", "update", "held")]


def test_an_api_connection_needs_nothing() -> None:
    plan = planned(facts(domain(connection="api")))
    assert plan.steps == ()
    assert plan.stage is Stage.PROTECTED
    assert plan.diagnostics == ()


def test_multi_region_goes_off_where_both_hosts_stand_side_by_side() -> None:
    """The multi-region host goes from the MX before the value that it needs."""
    both = present(MX_KEY, EU, EU_MULTI)
    given = facts(domain(multi_region=False), txt=present(TXT_KEY, PRIMARY, SECONDARY), mx=both)
    plan = planned(given)
    assert [s.id.removeprefix("acme.example/") for s in plan.steps] == ["verification", "mx", "verification/retired"]
    assert [s.phase for s in plan.steps] == [Phase.EXPAND, Phase.CONTRACT, Phase.CONTRACT]
    assert prove_plan(given, plan, None, None).failure is None
