"""Gates of what only the vendor's console shows: an attestation counts for the state that it was made for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from builders import EU, MX_KEY, NOW, PRIMARY, SECONDARY, TXT_KEY, attestation, domain, present
from gate_builders import HOP, day, leaving, ready, ready_domain

from reconciler.gates import Facts, Verdict, find_hazards, judge_gates
from reconciler.gates.console import ConsoleEntry, MultiRegionFlag, Verified
from reconciler.history import TOKENS_VISIBLE, History
from reconciler.manifest.fleet import Verification
from reconciler.names import Name

if TYPE_CHECKING:
    from reconciler.manifest.fleet import Attestation

CONSOLE, VERIFIED, MULTI = ConsoleEntry(), Verified(), MultiRegionFlag()
OTHER_HOP = Name("old.acme.example.")


def attesting(*attestations: Attestation, **changes: Any) -> Facts:  # noqa: ANN401
    return ready(ready_domain(attestations=attestations, **changes))


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({}, Verdict.PASS),
        ({"what": "verified"}, Verdict.HOLD),
        ({"region": "eu"}, Verdict.PASS),
        ({"region": "us"}, Verdict.HOLD),
        ({"expires": day(1)}, Verdict.HOLD),
        ({"on": day(-1)}, Verdict.HOLD),
        ({"next_hops": (HOP,)}, Verdict.PASS),
        ({"next_hops": (HOP, OTHER_HOP)}, Verdict.HOLD),
    ],
)
def test_the_console_is_attested_for_the_region_and_the_next_hops(given: dict[str, Any], verdict: Verdict) -> None:
    assert CONSOLE.judge(attesting(attestation(**{"what": "console"} | given))).verdict is verdict


@pytest.mark.parametrize(
    ("next_hops", "since", "verdict"),
    [
        ((OTHER_HOP,), 10, Verdict.HOLD),
        ((OTHER_HOP,), 20, Verdict.PASS),
        ((OTHER_HOP,), 30, Verdict.PASS),
        ((), 10, Verdict.PASS),
    ],
)
def test_an_attestation_of_other_next_hops_does_not_count(
    next_hops: tuple[Name, ...], since: int, verdict: Verdict
) -> None:
    """Made 20 days ago: before, on or after the day on which the next hops of now were first declared."""
    history = History(next_hops=next_hops, next_hops_since=NOW - timedelta(days=since))
    attested = ready_domain(attestations=(attestation(what="console", on=day(20)),))
    result = CONSOLE.judge(ready(attested, history=history))
    assert result.verdict is verdict
    if verdict is Verdict.HOLD:
        assert "other next hops than mail.acme.example" in result.evidence


def test_several_next_hops_count_in_any_order() -> None:
    two = attestation(what="console", next_hops=tuple(sorted((HOP, OTHER_HOP))))
    assert CONSOLE.judge(attesting(two, next_hops=(OTHER_HOP, HOP))).verdict is Verdict.PASS


def test_a_region_move_needs_attestations_that_name_the_region() -> None:
    unnamed = [attestation(what=what) for what in ("console", "verified", "multi-region")]
    moved = ready(ready_domain(region="us", multi_region=True, attestations=tuple(unnamed)), mx=present(MX_KEY, EU))
    assert {r.verdict for r in judge_gates((CONSOLE, VERIFIED, MULTI), moved)} == {Verdict.HOLD}
    named = tuple(attestation(what=a.what, region="us", multi_region=True) for a in unnamed)
    moved = ready(ready_domain(region="us", multi_region=True, attestations=named), mx=present(MX_KEY, EU))
    assert {r.verdict for r in judge_gates((CONSOLE, VERIFIED, MULTI), moved)} == {Verdict.PASS}


def test_verified_is_for_both_regions_with_multi_region() -> None:
    unnamed, both = attestation(what="verified"), attestation(what="verified", multi_region=True)
    assert VERIFIED.judge(attesting()).verdict is Verdict.HOLD
    assert VERIFIED.judge(attesting(unnamed)).verdict is Verdict.PASS
    assert VERIFIED.judge(attesting(both)).verdict is Verdict.PASS
    assert VERIFIED.judge(attesting(unnamed, multi_region=True)).verdict is Verdict.HOLD
    assert VERIFIED.judge(attesting(both, multi_region=True)).verdict is Verdict.PASS


def test_the_multi_region_flag_holds_only_a_switch_to_multi_region() -> None:
    assert MULTI.judge(attesting()).verdict is Verdict.PASS
    assert MULTI.judge(attesting(multi_region=True)).verdict is Verdict.HOLD
    on = attestation(what="multi-region")
    assert MULTI.judge(attesting(on, multi_region=True)).verdict is Verdict.PASS
    off = attestation(what="multi-region", multi_region=False)
    assert MULTI.judge(attesting(off, multi_region=True)).verdict is Verdict.HOLD


def visible(hours: float, **changes: Any) -> Facts:  # noqa: ANN401
    """Facts of a domain that nobody attested, whose values have been visible for so long."""
    history = History(first_seen={TOKENS_VISIBLE: NOW - timedelta(hours=hours)})
    txt = present(TXT_KEY, PRIMARY, SECONDARY)
    return ready(ready_domain(attestations=(), **changes), txt=txt, history=history)


def test_after_some_hours_the_advice_is_to_write_to_support_with_the_text() -> None:
    assert "write to" not in VERIFIED.judge(visible(3)).advice
    advice = VERIFIED.judge(visible(4)).advice
    for part in (
        "write to support@perception-point.io",
        "The domain acme.example (region eu)",
        'TXT _amazonses.acme.example with "primary-token"',
        "since 2026-11-21 08:00+00:00",
    ):
        assert part in advice
    both = VERIFIED.judge(visible(5, multi_region=True))
    assert '"primary-token" and "secondary-token"' in both.advice
    assert "its secondary region" in both.advice


def test_after_the_time_that_a_verification_may_take_it_is_a_finding() -> None:
    def codes(facts: Facts) -> list[str]:
        return [d.code for d in find_hazards(facts) if d.code == "verified"]

    assert codes(visible(71)) == []
    assert codes(visible(72)) == ["verified"]
    attested = ready(ready_domain(), history=visible(72).history)
    assert codes(attested) == []
    assert codes(ready(leaving(attestations=()), mx=present(MX_KEY, EU), history=visible(72).history)) == []
    switched = ready(ready_domain(attestations=()), mx=present(MX_KEY, EU), history=visible(72).history)
    assert codes(switched) == [], "mail comes through: it is verified, whatever nobody wrote down"


def test_an_api_connection_needs_nothing_from_the_console() -> None:
    api = ready(domain(connection="api", attestations=(), verification=Verification(None, None), multi_region=True))
    assert {r.verdict for r in judge_gates((CONSOLE, VERIFIED, MULTI), api)} == {Verdict.PASS}
