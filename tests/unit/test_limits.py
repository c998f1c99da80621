"""Limits: only so many switches at once, none in an unhealthy fleet, nothing in a freeze or with the kill switch."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from builders import EU, MX_KEY, NOW, OLD_MX, PRIMARY, SECONDARY, SOURCE, TXT_KEY, domain

from reconciler.diff import Change
from reconciler.errors import Diagnostic, Severity
from reconciler.gates import GateResult, Verdict
from reconciler.limits import FreezeWindow, Limits, frozen_until
from reconciler.limits.plans import apply_limits, is_unhealthy
from reconciler.manifest.fleet import Service
from reconciler.names import Name
from reconciler.plan import Action, DomainPlan, Phase, Stage, Status, Step
from reconciler.service_plan import ServicePlan, ServiceStep
from reconciler.state import Key, Rdata

DAY = timedelta(days=1)
FREE = Limits(unhealthy_share=1)
TXT_EXPAND = (TXT_KEY, Phase.EXPAND, (), (PRIMARY,))
SWITCH = (MX_KEY, Phase.SWITCH, (OLD_MX,), (EU,))
SWITCHED = (MX_KEY, Phase.SWITCH, (EU,), (EU,))
RETIRE = (TXT_KEY, Phase.CONTRACT, (PRIMARY, SECONDARY), (PRIMARY,))
What = tuple[Key, Phase, tuple[Rdata, ...], tuple[Rdata, ...]]


def step(what: What, status: Status | None = None, foreign: tuple[Rdata, ...] = (), **changes: Any) -> Step:  # noqa: ANN401
    """A step that is done where it changes nothing, else ready."""
    key, phase, before, after = what
    change = Change(key, Name("acme.example."), before, after, foreign, 3600 if before or foreign else None, 3600)
    status = status or (Status.DONE if before == after else Status.READY)
    action = Action.NO_OP if before == after else Action.UPDATE
    return replace(Step(f"x/{phase}", phase, action, status, key, "bind", change, (), "", SOURCE), **changes)


def plan(
    *steps: Step, name: str = "acme.example", organization: str = "acme", stage: Stage = Stage.READY, errors: int = 0
) -> DomainPlan:
    declared = domain(name=Name(f"{name}."), written=name, organization=organization)
    found = tuple(Diagnostic(Severity.ERROR, f"e{n}", "s", "d") for n in range(errors))
    return DomainPlan(declared, Name("acme.example."), stage, steps, found)


def switches(count: int, organization: str = "acme", status: Status = Status.READY) -> list[DomainPlan]:
    return [
        plan(step(SWITCH, status), name=f"{organization}{n}.example", organization=organization) for n in range(count)
    ]


def limited(
    plans: list[DomainPlan],
    limits: Limits = FREE,
    **stops: Any,  # noqa: ANN401
) -> tuple[list[list[Status]], list[Diagnostic]]:
    result = apply_limits(plans, limits, now=NOW, **stops)
    return [[s.status for s in p.steps] for p in result.plans], list(result.diagnostics)


def test_within_the_limits_nothing_changes() -> None:
    plans = [plan(step(TXT_EXPAND)), *switches(10)]
    result = apply_limits(plans, FREE, now=NOW)
    assert list(result.plans) == plans
    assert result.diagnostics == ()


def test_the_first_of_the_order_switch_and_the_rest_wait() -> None:
    statuses, told = limited(switches(4), FREE._replace(switches_per_run=3))
    assert statuses == [[Status.READY]] * 3 + [[Status.HELD]]
    assert [(d.severity, d.code) for d in told] == [(Severity.ADVISORY, "limit")]
    assert told[0].summary == "mail domains whose MX waits for a later run: 1: acme3.example"


def test_each_organization_has_a_limit_of_its_own() -> None:
    statuses, _ = limited([*switches(3, "a"), *switches(3, "b")], FREE._replace(switches_per_organization=2))
    assert [s for (s,) in statuses] == [Status.READY, Status.READY, Status.HELD] * 2


def test_what_waits_says_which_limit() -> None:
    plans = [*switches(2, "a"), *switches(2, "b")]
    result = apply_limits(plans, FREE._replace(switches_per_run=2, switches_per_organization=1), now=NOW)
    gates = [p.steps[0].gates for p in result.plans]
    assert [len(g) for g in gates] == [0, 1, 0, 1]
    assert gates[1][0] == GateResult(
        "limit",
        Verdict.HOLD,
        "as many mail domains of a switch in this run as may in one: 1",
        "nothing to do: the next run goes on; limits.switches_per_organization in the settings says how many",
    )
    assert gates[3][0].evidence == "as many mail domains switch in this run as may in one: 2"


def test_no_switch_at_all() -> None:
    statuses, _ = limited(switches(1), FREE._replace(switches_per_run=0))
    assert statuses == [[Status.HELD]]


def test_expand_and_contract_are_not_counted_and_not_held() -> None:
    plans = [plan(step(TXT_EXPAND)), plan(step(RETIRE)), *switches(1)]
    statuses, _ = limited(plans, FREE._replace(switches_per_run=1))
    assert statuses == [[Status.READY]] * 3


def test_held_switches_use_nothing_up() -> None:
    statuses, _ = limited([*switches(1, status=Status.HELD), *switches(1)], FREE._replace(switches_per_run=1))
    assert statuses == [[Status.HELD], [Status.READY]]


def test_switches_by_hand_that_nobody_does_leave_the_program_its_own() -> None:
    plans = [*switches(2, status=Status.MANUAL), *switches(2)]
    statuses, _ = limited(plans, FREE._replace(switches_per_run=1))
    assert [s for (s,) in statuses] == [Status.MANUAL, Status.HELD, Status.READY, Status.HELD]


@pytest.mark.parametrize(
    ("sick", "is_sick"),
    [
        (plan(step(SWITCHED)), False),
        (plan(step(SWITCH), errors=1), True),
        (plan(step(SWITCH, Status.UNKNOWN, change=None)), True),
        (plan(stage=Stage.UNKNOWN), True),  # its plan was withdrawn
        (plan(step(TXT_EXPAND), step(SWITCHED)), True),
        (plan(step(TXT_EXPAND), step((MX_KEY, Phase.CONTRACT, (EU, OLD_MX), (EU,)))), True),
        (plan(step(TXT_EXPAND), step(SWITCH)), False),  # on its way in
        (plan(step(TXT_EXPAND), step(SWITCH), stage=Stage.SWITCHED), True),  # behind the gateway, and no value at all
        (plan(step(TXT_EXPAND, foreign=(SECONDARY,)), step(SWITCH), stage=Stage.SWITCHED), False),  # a region move
        (
            plan(step((TXT_KEY, Phase.EXPAND, (PRIMARY,), (PRIMARY, SECONDARY))), step(SWITCH), stage=Stage.SWITCHED),
            False,
        ),
        (plan(step((TXT_KEY, Phase.EXPAND, (PRIMARY,), (PRIMARY, SECONDARY))), step(SWITCHED)), True),
        (plan(step(TXT_EXPAND)), False),
        (plan(), False),
    ],
)
def test_who_is_unhealthy(sick: DomainPlan, is_sick: bool) -> None:  # noqa: FBT001
    assert is_unhealthy(sick) is is_sick


def unhealthy(count: int) -> list[DomainPlan]:
    return [plan(name=f"sick{n}.example", errors=1, stage=Stage.UNKNOWN) for n in range(count)]


def test_an_unhealthy_fleet_moves_and_removes_nothing_and_mends_itself() -> None:
    plans = [*unhealthy(7), plan(step(TXT_EXPAND), step(SWITCH), step(RETIRE))]
    statuses, told = limited(plans, Limits())
    assert statuses[-1] == [Status.READY, Status.HELD, Status.HELD]
    assert [(d.severity, d.code) for d in told] == [(Severity.ERROR, "unhealthy")]
    assert told[0].summary == (
        "7 of 8 mail domains are unhealthy: "
        "sick0.example, sick1.example, sick2.example, sick3.example, sick4.example and 2 more"
    )
    assert "limits.unhealthy_share is 0.1" in told[0].detail
    assert "wait for it: 2." in told[0].detail


@pytest.mark.parametrize(("sick", "well", "is_held"), [(1, 9, False), (2, 8, True), (1, 0, True), (0, 1, False)])
def test_the_share_is_of_all_domains_and_has_no_floor(sick: int, well: int, is_held: bool) -> None:  # noqa: FBT001
    plans = [*unhealthy(sick), *[plan()] * (well - 1), plan(step(SWITCH), errors=0 if well else 1)]
    statuses, _ = limited(plans if well else plans[-1:], Limits())
    assert (statuses[-1] == [Status.HELD]) is is_held


def test_a_share_counts_as_it_is_written() -> None:
    """0.29 * 100 is less than 29 in binary."""
    plans = [*unhealthy(29), *switches(1), *[plan()] * 70]
    assert limited(plans, Limits(unhealthy_share=0.29))[0][29] == [Status.READY]
    assert limited([*unhealthy(1), *plans[:-1]], Limits(unhealthy_share=0.29))[0][30] == [Status.HELD]


def test_a_number_of_domains_counts_beside_the_share() -> None:
    plans = [*unhealthy(2), *switches(1)]
    assert limited(plans, FREE._replace(unhealthy_domains=2))[0][-1] == [Status.READY]
    statuses, told = limited(plans, FREE._replace(unhealthy_domains=1))
    assert statuses[-1] == [Status.HELD]
    assert "limits.unhealthy_domains 1" in told[0].detail


def test_a_stop_that_stops_nothing_is_not_told() -> None:
    assert limited(unhealthy(3), Limits(), kill_switch="x", freeze=[FreezeWindow(NOW, NOW + DAY, "y")])[1] == []


def test_the_limit_is_not_used_up_by_what_is_stopped() -> None:
    _, told = limited([*unhealthy(1), *switches(5)], Limits(switches_per_run=1))
    assert [d.code for d in told] == ["unhealthy"]


def test_nothing_is_written_in_a_freeze() -> None:
    end = NOW + DAY
    later = step(RETIRE, not_before=end + DAY)
    plans = [plan(step(TXT_EXPAND), step(SWITCH, Status.MANUAL), later), plan(step(SWITCHED))]
    result = apply_limits(plans, FREE, freeze=[FreezeWindow(NOW, end, "holidays")], now=NOW)
    steps = result.plans[0].steps
    assert [(s.status, s.not_before) for s in steps] == [(Status.HELD, t) for t in (end, end, end + DAY)]
    assert steps[0].gates[-1].not_before == end
    assert steps[0].gates[-1].evidence == "nothing is written before 2026-11-22T12:00+00:00: holidays"
    assert result.plans[1] is plans[1]
    assert [(d.severity, d.code) for d in result.diagnostics] == [(Severity.ADVISORY, "freeze")]


@pytest.mark.parametrize(
    ("windows", "until"),
    [
        ([], None),
        ([(0, 1)], NOW + DAY),
        ([(-1, 0)], None),
        ([(1, 2)], None),
        ([(2, 3), (0.5, 2), (-1, 1)], NOW + 3 * DAY),
        ([(-2, 5), (-1, 1)], NOW + 5 * DAY),
        ([(-1, 1), (1.5, 2)], NOW + DAY),
    ],
)
def test_windows_that_touch_are_one_freeze(windows: list[tuple[float, float]], until: datetime | None) -> None:
    assert frozen_until([FreezeWindow(NOW + a * DAY, NOW + b * DAY, "r") for a, b in windows], NOW) == until


def test_the_kill_switch_holds_everything() -> None:
    plans = [plan(step(TXT_EXPAND), step(SWITCH, Status.MANUAL), step(RETIRE)), plan(step(SWITCHED))]
    statuses, told = limited(plans, kill_switch="incident 4711")
    assert statuses == [[Status.HELD] * 3, [Status.DONE]]
    assert [(d.severity, d.code, d.summary) for d in told] == [
        (Severity.WARNING, "kill-switch", "the kill switch is on: incident 4711")
    ]


def test_several_reasons_stand_side_by_side() -> None:
    window = FreezeWindow(NOW, NOW + DAY, "holidays")
    result = apply_limits([plan(step(SWITCH), errors=1)], Limits(), freeze=[window], kill_switch="incident", now=NOW)
    assert [g.id for g in result.plans[0].steps[0].gates] == ["kill-switch", "freeze", "unhealthy"]
    assert [d.code for d in result.diagnostics] == ["kill-switch", "freeze", "unhealthy"]


def test_steps_at_origins_stop_with_the_rest() -> None:
    service = Service("acme", "hq", "exchange", "mx", "eu", False, (), None, (), (), SOURCE)  # noqa: FBT003
    steps = tuple(
        ServiceStep("s", phase, Action.UPDATE, Status.MANUAL, "allowlist", "plain", (), ("a",), (), (), "", SOURCE)
        for phase in (Phase.EXPAND, Phase.CONTRACT)
    )
    given = ServicePlan(service, steps, ())
    assert apply_limits([], FREE, now=NOW, services=[given]).services == (given,)
    (sick,) = apply_limits(unhealthy(1), Limits(), now=NOW, services=[given]).services
    assert [s.status for s in sick.steps] == [Status.MANUAL, Status.HELD]
    killed = apply_limits([], FREE, now=NOW, services=[given], kill_switch="x")
    assert [s.status for s in killed.services[0].steps] == [Status.HELD] * 2
    assert [d.code for d in killed.diagnostics] == ["kill-switch"]
