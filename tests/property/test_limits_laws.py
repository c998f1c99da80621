"""Laws of the limits: they only hold, whatever the plans; and more of a limit never holds more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from builders import EU, MX_KEY, NOW, OLD_MX, PRIMARY, SOURCE, TXT_KEY, domain
from hypothesis import given
from hypothesis import strategies as st

from reconciler.diff import Change
from reconciler.errors import Diagnostic, Severity
from reconciler.limits import FreezeWindow, Limits
from reconciler.limits.plans import apply_limits, is_unhealthy
from reconciler.names import Name
from reconciler.plan import Action, DomainPlan, Phase, Stage, Status, Step

POSSIBLE = {Status.READY, Status.MANUAL}


@st.composite
def plans(draw: st.DrawFn) -> DomainPlan:
    steps = []
    for phase in Phase:
        key, before, after = (MX_KEY, (OLD_MX,), (EU,)) if phase is Phase.SWITCH else (TXT_KEY, (), (PRIMARY,))
        change = Change(key, Name("acme.example."), before, after, (), 3600 if before else None, 3600)
        status = draw(st.sampled_from(Status))
        given_change = None if status is Status.UNKNOWN else change
        steps.append(Step(f"x/{phase}", phase, Action.UPDATE, status, key, "bind", given_change, (), "", SOURCE))
    found = (Diagnostic(Severity.ERROR, "e", "s", "d"),) if draw(st.integers(0, 9)) == 0 else ()
    declared = domain(organization=draw(st.sampled_from("abc")))
    return DomainPlan(declared, Name("acme.example."), draw(st.sampled_from(Stage)), tuple(steps), found)


FLEETS = st.lists(plans(), max_size=12)
LIMITS = st.builds(Limits, st.integers(0, 5), st.integers(0, 3), st.floats(0, 1), st.none() | st.integers(0, 3))
FREEZES = st.lists(
    st.builds(
        lambda start, length: FreezeWindow(NOW + timedelta(hours=start), NOW + timedelta(hours=start + length), "r"),
        st.integers(-5, 5),
        st.integers(1, 5),
    ),
    max_size=3,
)


def switching(fleet: tuple[DomainPlan, ...]) -> list[str]:
    return [
        p.domain.organization for p in fleet for s in p.steps if s.phase is Phase.SWITCH and s.status is Status.READY
    ]


@given(FLEETS, LIMITS, FREEZES, st.none() | st.just("reason"))
def test_limits_only_hold(
    fleet: list[DomainPlan], limits: Limits, freeze: list[FreezeWindow], kill: str | None
) -> None:
    """Nothing but a status, gates and a time changes; what was not possible stays as it was; each hold says why."""
    result = apply_limits(fleet, limits, freeze=freeze, kill_switch=kill, now=NOW)
    assert len(result.plans) == len(fleet)
    for before, after in zip(fleet, result.plans, strict=True):
        for old, new in zip(before.steps, after.steps, strict=True):
            if old != new:
                assert old.status in POSSIBLE
                assert new.status is Status.HELD
                assert len(new.gates) > len(old.gates)
                assert replace(new, status=old.status, gates=old.gates, not_before=old.not_before) == old
    assert bool(result.diagnostics) == (list(result.plans) != fleet)


@given(FLEETS, LIMITS)
def test_no_limit_is_passed(fleet: list[DomainPlan], limits: Limits) -> None:
    moved = switching(apply_limits(fleet, limits, now=NOW).plans)
    assert len(moved) <= limits.switches_per_run
    assert all(moved.count(o) <= limits.switches_per_organization for o in set(moved))
    sick = sum(map(is_unhealthy, fleet))
    if fleet and sick / len(fleet) > limits.unhealthy_share:
        assert moved == []


@given(FLEETS, LIMITS)
def test_a_second_time_holds_nothing_more(fleet: list[DomainPlan], limits: Limits) -> None:
    once = apply_limits(fleet, limits, now=NOW).plans
    assert apply_limits(once, limits, now=NOW).plans == once


@given(FLEETS, LIMITS, st.integers(1, 3))
def test_a_higher_limit_never_moves_less(fleet: list[DomainPlan], limits: Limits, more: int) -> None:
    wider = limits._replace(switches_per_run=limits.switches_per_run + more)
    assert len(switching(apply_limits(fleet, limits, now=NOW).plans)) <= len(
        switching(apply_limits(fleet, wider, now=NOW).plans)
    )


@given(FLEETS, LIMITS, FREEZES)
def test_the_kill_switch_leaves_nothing(fleet: list[DomainPlan], limits: Limits, freeze: list[FreezeWindow]) -> None:
    result = apply_limits(fleet, limits, freeze=freeze, kill_switch="reason", now=NOW)
    assert not [s for p in result.plans for s in p.steps if s.status in POSSIBLE]
