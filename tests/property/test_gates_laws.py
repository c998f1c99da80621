"""Laws of the gates and hazards, over generated facts: whatever was observed, attested and remembered."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from builders import MX_KEY, OLD_MX, attestation, observation, waiver
from gate_strategies import UNKNOWN, worlds
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import Severity
from reconciler.gates import (
    CONTRACT_GATES,
    HAZARDS,
    LEAVE_GATES,
    MOVE_GATES,
    SWITCH_GATES,
    Gate,
    Hazard,
    Verdict,
    find_hazards,
    judge_gates,
)
from reconciler.gates.attestations import is_in_force
from reconciler.gates.observed import history_with_this_look
from reconciler.manifest.fleet import Lifecycle
from reconciler.state import Present, build_rrset
from reconciler.surroundings import NOT_PROBED

if TYPE_CHECKING:
    from reconciler.gates import Facts

GATES: tuple[Gate, ...] = tuple(dict.fromkeys((*SWITCH_GATES, *MOVE_GATES, *LEAVE_GATES, *CONTRACT_GATES)))
VOUCHED = {"mx-target"}
"""Gates that pass where something could not be looked at: the catalog says it too."""


@given(worlds())
def test_a_gate_never_raises_and_says_in_one_line_what_it_saw(world: Facts) -> None:
    for result in judge_gates(GATES, world):
        assert result.evidence
        assert "\n" not in result.evidence + result.advice
        assert (result.verdict is Verdict.PASS) or result.advice
        assert result.not_before is None or result.verdict is Verdict.HOLD


@given(worlds())
def test_what_nobody_asked_is_unknown_and_raises_nothing(world: Facts) -> None:
    """Facts without a single observation, as of a domain that was never looked up."""
    blind = replace(world, observations={}, surroundings=NOT_PROBED)
    find_hazards(blind)
    if not world.domain.is_filtered_by_mx:
        return
    assert not any(r.verdict is Verdict.PASS for r in judge_gates(CONTRACT_GATES[1:], blind))


@given(worlds(), st.sampled_from(GATES))
def test_a_waiver_opens_its_own_gate_and_no_other(world: Facts, gate: Gate) -> None:
    waived = replace(world.domain, waivers=(waiver(gate.id),))
    after = judge_gates(GATES, replace(world, desired=replace(world.desired, domain=waived)))
    for seen, result in zip(judge_gates(GATES, world), after, strict=True):
        if result.id != gate.id:
            assert result == seen
        else:
            assert result.verdict is Verdict.PASS
            assert result.is_waived == (seen.verdict is not Verdict.PASS)


@given(worlds())
def test_forgetting_what_was_seen_never_opens_a_gate(world: Facts) -> None:
    """Unknown never passes, but where the catalog or a person vouches."""
    vouched = {a.what for a in world.domain.attestations if is_in_force(a, world.today)}
    by_person = {"next-hop", "loop", "tls"} if vouched & {"next-hop-tls", "tls-check-off"} else set()
    blind = replace(world, surroundings=NOT_PROBED)
    for gates in (SWITCH_GATES, MOVE_GATES, LEAVE_GATES):
        for seen, unseen in zip(judge_gates(gates, world), judge_gates(gates, blind), strict=True):
            if unseen.verdict is Verdict.PASS and unseen.id not in VOUCHED | by_person:
                assert seen.verdict is Verdict.PASS


@given(worlds())
def test_nobodys_word_stands_against_what_was_seen(world: Facts) -> None:
    """More attestations open no gate of the next hops that an observation holds, but for the check that is off."""
    bare = replace(world.domain, attestations=())
    before = judge_gates(SWITCH_GATES, replace(world, desired=replace(world.desired, domain=bare)))
    words = tuple(attestation(what=what) for what in ("next-hop-tls", "verified", "console", "origin-open"))
    vouched = replace(world.domain, attestations=words)
    after = judge_gates(SWITCH_GATES, replace(world, desired=replace(world.desired, domain=vouched)))
    for one, other in zip(before, after, strict=True):
        if one.id not in {"console", "verified"} and one.verdict is Verdict.HOLD:
            assert other.verdict is not Verdict.PASS


@given(worlds())
def test_an_unanswered_server_keeps_what_only_the_old_state_needed(world: Facts) -> None:
    desired = world.desired.mx
    if desired is None:
        return
    silent = {**world.observations, desired.key: observation(desired.key, UNKNOWN)}
    results = judge_gates(CONTRACT_GATES, replace(world, observations=silent))
    assert [r.verdict for r in results[1:]] == [Verdict.UNKNOWN, Verdict.HOLD]


@given(worlds())
def test_time_alone_opens_what_waits_for_a_time(world: Facts) -> None:
    """At the moment that a hold named, with the same world, it passes, or names a later moment of something newer."""
    gate = CONTRACT_GATES[2]
    result = gate.judge(world)
    switched = CONTRACT_GATES[1].judge(world).verdict is Verdict.PASS
    if result.not_before is None or not switched or not world.history.mx:
        return
    assert result.not_before > world.now
    looked = replace(world, history=history_with_this_look(world))
    later = gate.judge(replace(looked, now=result.not_before, waits=world.waits._replace(gap=timedelta(days=999))))
    assert later.verdict is Verdict.PASS


@given(worlds())
def test_what_is_found_is_one_of_the_hazards(world: Facts) -> None:
    severities = {h.id: h.severity for h in HAZARDS}
    found = find_hazards(world)
    for diagnostic in found:
        assert severities[diagnostic.code] is diagnostic.severity
        assert diagnostic.detail.endswith((".", '"'))
    is_error = [d.severity is Severity.ERROR for d in found]
    assert is_error == sorted(is_error, reverse=True)


@given(worlds(), st.booleans(), st.sampled_from(HAZARDS))
def test_no_hazard_is_missed_by_not_being_sought(world: Facts, is_blind: bool, waived: Hazard) -> None:  # noqa: FBT001
    """What `find_hazards` asks first whether it can be there is found exactly where each is asked by itself."""
    seen = replace(world, surroundings=NOT_PROBED) if is_blind else world
    waiving = replace(seen.domain, waivers=(waiver(waived.id),))
    seen = replace(seen, desired=replace(seen.desired, domain=waiving))
    asked = [d for hazard in HAZARDS if hazard.id != waived.id for d in hazard.find(seen)]
    assert sorted(find_hazards(seen), key=repr) == sorted(asked, key=repr)


@given(worlds())
def test_a_domain_that_has_left_is_left_alone(world: Facts) -> None:
    away = replace(world.domain, lifecycle=Lifecycle.OFFBOARDED, mx_exclusive=True)
    left = {**world.observations, MX_KEY: observation(MX_KEY, Present(build_rrset(MX_KEY, 60, (OLD_MX,))))}
    gone = replace(world, desired=replace(world.desired, domain=away), observations=left)
    about_values = {"token-removed", "retired-value-unnamed", "verified", "bypass-mx", "bypass-origin", "wildcard-mx"}
    assert about_values & {d.code for d in find_hazards(gone)} == set()
