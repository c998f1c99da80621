"""A TTL for the switch: lowered ahead of it, kept low while somebody may want to go back, raised again at the end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from builders import EU, MX_KEY, NOW, OLD_MX, VISIBLE, present
from gate_builders import leaving, ready, ready_domain, sighting

from reconciler.history import History
from reconciler.plan import Phase, Stage, Status, Step, plan_domain
from reconciler.state import Absent

if TYPE_CHECKING:
    from reconciler.gates import Facts

LOW, OLD_TTL = 60, 3600
MINUTE, HOUR, YEAR = timedelta(minutes=1), timedelta(hours=1), timedelta(days=365)


def mx_steps(given: Facts) -> dict[str, Step]:
    plan = plan_domain(given, provider="bind", new_ttl=7200)
    return {s.id.removeprefix("acme.example/"): s for s in plan.steps if s.key.type == "MX"}


def low(mx: str, ttl: int, history: History | None = None, /, **changes: Any) -> Facts:  # noqa: ANN401
    given: dict[str, Any] = {} if history is None else {"history": history}
    return ready(ready_domain(switch_ttl=LOW, **changes), mx=present(MX_KEY, mx, ttl=ttl), **given)


def ttls(step: Step) -> tuple[int | None, int]:
    assert step.change is not None
    return step.change.ttl_before, step.change.ttl


def test_the_ttl_is_lowered_first_and_nothing_else_of_the_mx_changes() -> None:
    steps = mx_steps(low(OLD_MX, OLD_TTL))
    assert list(steps) == ["mx-ttl", "mx"]
    ahead = steps["mx-ttl"]
    assert (ahead.phase, ahead.status, ahead.gates) == (Phase.EXPAND, Status.READY, ())
    assert ahead.change is not None
    assert (ahead.change.wanted, ahead.change.expected) == (frozenset({OLD_MX}), frozenset({OLD_MX}))
    assert ttls(ahead) == (OLD_TTL, LOW)
    assert steps["mx"].status is Status.HELD
    assert [g.id for g in steps["mx"].gates if g.verdict != "pass"] == ["ttl"]


@pytest.mark.parametrize(("ago", "status"), [(59 * MINUTE, Status.HELD), (HOUR, Status.READY)])
def test_the_switch_waits_until_the_old_ttl_has_passed(ago: timedelta, status: Status) -> None:
    lowered = History(
        mx=(sighting(OLD_MX, seen=YEAR, gone=ago), sighting(OLD_MX, ttl=LOW, seen=ago)), first_seen=VISIBLE
    )
    steps = mx_steps(low(OLD_MX, LOW, lowered))
    assert list(steps) == ["mx"]
    assert steps["mx"].status is status
    assert steps["mx"].not_before == (NOW - ago + HOUR if status is Status.HELD else None)
    assert ttls(steps["mx"]) == (LOW, LOW)


def test_a_ttl_that_is_lower_already_is_taken_to_the_one_that_was_asked_for() -> None:
    steps = mx_steps(low(OLD_MX, 30))
    assert {name: ttls(step) for name, step in steps.items()} == {"mx": (30, LOW)}


def test_a_first_mx_has_the_low_ttl() -> None:
    steps = mx_steps(ready(ready_domain(switch_ttl=LOW), mx=Absent()))
    assert {name: ttls(step) for name, step in steps.items()} == {"mx": (None, LOW)}


def test_the_ttl_of_an_rrset_that_others_share_is_not_ours_to_lower() -> None:
    steps = mx_steps(low(OLD_MX, OLD_TTL, mx_exclusive=False))
    assert {name: ttls(step) for name, step in steps.items()} == {"mx": (OLD_TTL, OLD_TTL)}


@pytest.mark.parametrize(("declared", "raised"), [({}, 7200), ({"ttl": 600}, 600)])
def test_after_the_switch_it_is_raised_when_nobody_can_hold_the_old_mx(declared: dict[str, int], raised: int) -> None:
    def after(ago: timedelta) -> dict[str, Step]:
        history = History(mx=(sighting(OLD_MX, ttl=LOW, seen=YEAR, gone=ago), sighting(EU, ttl=LOW, seen=ago)))
        return mx_steps(low(EU, LOW, history, **declared))

    steps = after(HOUR)
    assert {name: (s.phase, s.status) for name, s in steps.items()} == {
        "mx": (Phase.SWITCH, Status.DONE),
        "mx-ttl": (Phase.CONTRACT, Status.HELD),
    }
    assert ttls(steps["mx-ttl"]) == (LOW, raised)
    assert [g.id for g in steps["mx-ttl"].gates if g.verdict != "pass"] == ["early-removal"]
    assert after(HOUR + MINUTE)["mx-ttl"].status is Status.READY


def test_a_raised_ttl_is_done() -> None:
    given = low(EU, 7200)
    assert {name: s.status for name, s in mx_steps(given).items()} == {"mx": Status.DONE}
    assert plan_domain(given, provider="bind", new_ttl=7200).stage is Stage.PROTECTED


def test_what_is_no_longer_ours_keeps_its_ttl() -> None:
    """A domain that has left: whoever has the MX now has its TTL too."""
    steps = mx_steps(ready(leaving(switch_ttl=LOW), mx=present(MX_KEY, OLD_MX, ttl=LOW)))
    assert {name: (s.status, ttls(s)) for name, s in steps.items()} == {"mx": (Status.DONE, (LOW, LOW))}
