"""Laws of inverse plans, over everything that an apply may have written."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from builders import EU, EU_MULTI, MX_KEY, NOW, OLD_MX, PRIMARY, SECONDARY, TXT_KEY
from hypothesis import given
from hypothesis import strategies as st
from inverse_builders import action_of, applied_to, document, seen, step, world_before

from reconciler.history import Waits
from reconciler.inverse import build_inverse, match_inverse
from reconciler.plan import Phase, Stage, Status

if TYPE_CHECKING:
    from reconciler.document import PlanDocument, StepDocument
    from reconciler.state import Key

WAITS = Waits()
DOMAIN = "acme.example"
TTLS = st.sampled_from([60, 300, 3600])
VALUES: dict[Key, list[str]] = {TXT_KEY: [PRIMARY, SECONDARY, '"other"'], MX_KEY: [OLD_MX, EU, EU_MULTI]}


@st.composite
def changes(draw: st.DrawFn, key: Key, phase: Phase) -> StepDocument:
    """Any change that a plan may make, and none that changes nothing."""
    ours = draw(st.lists(st.sampled_from(VALUES[key]), unique=True, max_size=3))
    before, after = (sorted(v for v in ours if draw(st.booleans())) for _ in range(2))
    untouched = draw(st.just([]) | st.just(["foreign"])) if key is TXT_KEY else []
    ttl_before = draw(TTLS) if before or untouched else None
    # an rrset that goes has no TTL of its own afterwards, and one with foreign values keeps it
    is_kept = ttl_before is not None and (untouched or not after)
    ttl = ttl_before if is_kept else draw(TTLS)
    if before == after and (ttl == ttl_before or not after):
        after = [v for v in VALUES[key] if v not in before][:1] or before[:1]
    name = {MX_KEY: "mx", TXT_KEY: "verification"}[key]
    return step(
        name,
        key,
        phase,
        before,
        sorted(after),
        untouched=untouched,
        ttl_before=ttl_before,
        ttl=ttl,
        status=draw(st.sampled_from([Status.READY, Status.HELD])),
        action=action_of(before, after, untouched),
    )


@st.composite
def plans(draw: st.DrawFn) -> PlanDocument:
    phases = st.sampled_from(Phase)
    steps = [draw(changes(TXT_KEY, draw(phases))), draw(changes(MX_KEY, draw(phases)))]
    steps.sort(key=lambda s: list(Phase).index(s.phase))
    return document(*steps, stage=draw(st.sampled_from(Stage)))


def ready(plan: PlanDocument) -> list[StepDocument]:
    return [s for s in plan.domains[0].steps if s.status is Status.READY]


def meaning(given_step: StepDocument) -> dict[str, object]:
    return given_step.model_dump(exclude={"status", "gates", "reason", "not_before"})


@given(plans())
def test_the_inverse_of_the_inverse_is_the_plan(plan: PlanDocument) -> None:
    written = ready(plan)
    if not written:
        return
    once = build_inverse(plan, {DOMAIN: written}, WAITS, NOW)
    undone = [s for s in once.domains[0].steps if s.status is not Status.DONE]
    twice = build_inverse(once, {DOMAIN: undone}, WAITS, NOW)
    again = [s for s in twice.domains[0].steps if s.status is not Status.DONE]
    assert [meaning(s) for s in again] == [meaning(s) for s in written]
    assert (once.inverse_of, twice.inverse_of) == (plan.id, once.id)


@given(plans())
def test_applying_it_brings_back_what_was_there(plan: PlanDocument) -> None:
    """Of whatever may be undone; the rest stays as the apply left it, and a second time does nothing."""
    written = ready(plan)
    if not written:
        return
    before = world_before(*plan.domains[0].steps)
    left = applied_to(before, *written)
    undo = build_inverse(plan, {DOMAIN: written}, WAITS, NOW)
    for result in match_inverse(undo, seen(left), NOW):
        assert not result.stale
        after = applied_to(left, *result.steps)
        touched = {s.resource.type for s in result.steps}
        assert after == {k: before[k] if k.type in touched else left[k] for k in left}
        assert [r.steps for r in match_inverse(undo, seen(after), NOW)] == [()]


@given(plans(), st.data())
def test_nothing_is_written_over_anything_else(plan: PlanDocument, data: st.DataObject) -> None:
    """Whatever the world is by now: a step that may be written finds exactly what it expects."""
    written = ready(plan)
    if not written:
        return
    undo = build_inverse(plan, {DOMAIN: written}, WAITS, NOW)
    other = data.draw(st.builds(world_before, changes(TXT_KEY, Phase.EXPAND), changes(MX_KEY, Phase.SWITCH)))
    known = [c for s in written if (c := s.change()) is not None]
    for result in match_inverse(undo, seen(other), NOW, known):
        for found in result.steps:
            change = found.change()
            assert change is not None
            assert other[change.key] == (change.expected, change.ttl_before)


@given(plans(), st.integers(0, 10**6))
def test_later_never_opens_it_again(plan: PlanDocument, seconds: int) -> None:
    written = ready(plan)
    if not written:
        return
    left = applied_to(world_before(*plan.domains[0].steps), *written)
    undo = build_inverse(plan, {DOMAIN: written}, WAITS, NOW)
    later = match_inverse(undo, seen(left), NOW + timedelta(seconds=seconds))
    if undo.safe_until is not None and NOW + timedelta(seconds=seconds) > undo.safe_until:
        assert all(r.stale and not r.steps for r in later)
