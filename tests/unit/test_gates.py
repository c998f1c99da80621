"""Gates: what holds, what passes, and what stays unknown."""

from __future__ import annotations

from datetime import date

import pytest
from builders import (
    EU,
    EU_MULTI,
    MX_KEY,
    OLD_MX,
    PRIMARY,
    SECONDARY,
    TXT_KEY,
    attestation,
    catalog,
    domain,
    facts,
    observation,
    present,
    waiver,
)
from gate_builders import leaving, ready, ready_domain, restrict_list

from reconciler.gates import CONTRACT_GATES, LEAVE_GATES, MOVE_GATES, SWITCH_GATES, Verdict, judge_gates
from reconciler.gates.allowlist import AllowlistCovers
from reconciler.gates.console import MultiRegionFlag
from reconciler.gates.switch_observed import SwitchObserved
from reconciler.gates.token_visible import TokenVisible
from reconciler.manifest.fleet import Verification
from reconciler.manifest.rules import KNOWN_GATES
from reconciler.state import Absent, Cause, Observation, Unknown
from reconciler.surroundings import NOT_PROBED

TIMEOUT = Unknown(Cause.TIMEOUT, "no answer within 2 s")
SEEN = present(TXT_KEY, PRIMARY)


def test_tokens_seen_everywhere_pass() -> None:
    result = TokenVisible().judge(facts(txt=SEEN))
    assert result.verdict is Verdict.PASS
    assert "all 2 authoritative servers" in result.evidence


def test_one_server_is_called_the_server() -> None:
    assert "the authoritative server" in TokenVisible().judge(facts(txt=observation(TXT_KEY, SEEN))).evidence


def test_a_server_that_lags_holds_and_is_named() -> None:
    result = TokenVisible().judge(facts(txt=observation(TXT_KEY, SEEN, Absent())))
    assert result.verdict is Verdict.HOLD
    assert "ns2.acme.example." in result.evidence
    assert "ns1" not in result.evidence


def test_a_server_that_does_not_answer_is_unknown_not_absent() -> None:
    result = TokenVisible().judge(facts(txt=observation(TXT_KEY, SEEN, TIMEOUT)))
    assert result.verdict is Verdict.UNKNOWN
    assert "no answer within 2 s" in result.evidence


def test_no_server_at_all_is_unknown() -> None:
    nobody = Observation(TXT_KEY, None, ())
    assert TokenVisible().judge(facts(txt=nobody)).verdict is Verdict.UNKNOWN
    assert SwitchObserved().judge(facts(mx=Observation(MX_KEY, None, ()))).verdict is Verdict.UNKNOWN


def test_multi_region_needs_both_tokens() -> None:
    multi = domain(multi_region=True)
    assert TokenVisible().judge(facts(multi, txt=SEEN)).verdict is Verdict.HOLD
    both = present(TXT_KEY, PRIMARY, SECONDARY)
    assert TokenVisible().judge(facts(multi, txt=both)).verdict is Verdict.PASS


def test_without_mx_there_is_nothing_to_wait_for() -> None:
    api = facts(domain(connection="api", verification=Verification(None, None)))
    assert TokenVisible().judge(api).verdict is Verdict.PASS
    assert SwitchObserved().judge(api).verdict is Verdict.PASS
    assert AllowlistCovers().judge(api).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("attestations", "verdict"),
    [
        ((), Verdict.HOLD),
        ((attestation(),), Verdict.PASS),
        ((attestation(what="console"),), Verdict.HOLD),
        ((attestation(on=date(2026, 11, 22)),), Verdict.HOLD),
        ((attestation(expires=date(2026, 11, 20)),), Verdict.HOLD),
        ((attestation(expires=date(2026, 11, 21)),), Verdict.PASS),
        ((attestation(region="us"),), Verdict.HOLD),
        ((attestation(region="eu", multi_region=True),), Verdict.PASS),
    ],
)
def test_the_allowlist_is_attested_for_the_target(attestations: tuple[object, ...], verdict: Verdict) -> None:
    assert AllowlistCovers().judge(facts(domain(attestations=attestations))).verdict is verdict


def test_turning_multi_region_on_needs_an_attestation_that_says_so() -> None:
    """The old attestation knew nothing of the address that multi-region adds."""
    result = AllowlistCovers().judge(facts(domain(multi_region=True)))
    assert result.verdict is Verdict.HOLD
    assert "52.12.169.124" in result.evidence
    assert "multi_region: true" in result.advice
    named = domain(multi_region=True, attestations=(attestation(multi_region=True),))
    assert AllowlistCovers().judge(facts(named)).verdict is Verdict.PASS


def test_a_region_move_needs_an_attestation_that_names_the_region() -> None:
    moved = facts(domain(region="us"), mx=present(MX_KEY, EU))
    assert AllowlistCovers().judge(moved).verdict is Verdict.HOLD
    named = domain(region="us", attestations=(attestation(region="us"),))
    assert AllowlistCovers().judge(facts(named, mx=present(MX_KEY, EU))).verdict is Verdict.PASS
    first_time = facts(domain(region="us"), mx=present(MX_KEY, OLD_MX))
    assert AllowlistCovers().judge(first_time).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("second", "verdict"),
    [
        (present(MX_KEY, EU), Verdict.PASS),
        (present(MX_KEY, EU_MULTI), Verdict.HOLD),
        (present(MX_KEY, EU, OLD_MX), Verdict.HOLD),
        (Absent(), Verdict.HOLD),
        (TIMEOUT, Verdict.UNKNOWN),
    ],
)
def test_the_switch_is_observed_when_every_server_shows_it(second: object, verdict: Verdict) -> None:
    mx = observation(MX_KEY, present(MX_KEY, EU), second)  # type: ignore[arg-type]
    assert SwitchObserved().judge(facts(mx=mx)).verdict is verdict


def test_every_gate_of_a_ready_switch_passes() -> None:
    results = judge_gates(SWITCH_GATES, ready())
    assert [(r.id, r.evidence) for r in results if r.verdict is not Verdict.PASS] == []
    assert [r.id for r in results] == [
        *("token-visible", "console", "verified", "multi-region", "allowlist", "mx-target", "loop"),
        *("next-hop", "tls", "mta-sts", "mx-certificate", "spf-mx", "ttl"),
    ]


def test_a_move_between_hosts_of_the_gateway_does_not_look_at_the_next_hops() -> None:
    without = {"loop", "next-hop", "tls", "spf-mx"}
    assert [g.id for g in MOVE_GATES] == [g.id for g in SWITCH_GATES if g.id not in without]
    assert [g.id for g in LEAVE_GATES] == ["next-hop", "origin-open", "mta-sts", "ttl"]
    assert [g.id for g in CONTRACT_GATES] == ["token-visible", "switch-observed", "early-removal"]


def test_without_a_probe_nothing_moves() -> None:
    """What nobody looked at is unknown; only for the gateway's own host the catalog vouches."""
    results = judge_gates(SWITCH_GATES, ready(surroundings=NOT_PROBED))
    unknown = ["loop", "next-hop", "tls", "mta-sts", "mx-certificate", "spf-mx"]
    assert [r.id for r in results if r.verdict is Verdict.UNKNOWN] == unknown
    assert {r.verdict for r in results if r.id not in unknown} == {Verdict.PASS}


def test_a_waiver_turns_a_hold_into_a_pass_that_shows() -> None:
    held = domain(attestations=(), waivers=(waiver("allowlist"), waiver("token-visible", expires=date(2026, 11, 20))))
    token, allowlist = judge_gates((TokenVisible(), AllowlistCovers()), facts(held))
    assert token.verdict is Verdict.HOLD
    assert allowlist.verdict is Verdict.PASS
    assert allowlist.is_waived
    assert "boss@acme.example" in allowlist.evidence
    assert "2027-06-30" in allowlist.evidence


def test_a_waiver_may_name_every_gate_and_nothing_that_is_none() -> None:
    """`restrict` is the gate of a step at the origin, `residency` a rule of the manifests."""
    gates = {gate.id for gate in (*SWITCH_GATES, *MOVE_GATES, *LEAVE_GATES, *CONTRACT_GATES)}
    assert gates | {"residency", "restrict"} == KNOWN_GATES


def test_a_domain_that_leaves_needs_no_value_and_no_allowlist() -> None:
    gone = facts(leaving(attestations=()), mx=present(MX_KEY, EU))
    assert TokenVisible().judge(gone).verdict is Verdict.PASS
    assert AllowlistCovers().judge(gone).verdict is Verdict.PASS
    assert MultiRegionFlag().judge(facts(leaving(multi_region=True))).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("rdatas", "verdict"),
    [
        ((EU,), Verdict.HOLD),
        ((EU, OLD_MX), Verdict.HOLD),
        ((OLD_MX,), Verdict.PASS),
        (("5 other.example.",), Verdict.PASS),
    ],
)
def test_a_domain_has_left_when_no_server_shows_the_gateway(rdatas: tuple[str, ...], verdict: Verdict) -> None:
    """Whatever else stands there by then is somebody else's."""
    assert SwitchObserved().judge(facts(leaving(), mx=present(MX_KEY, *rdatas))).verdict is verdict


def test_a_list_is_judged_by_its_export_and_by_an_attestation_where_it_has_none() -> None:
    gateway = catalog().addresses("eu", multi_region=False)
    covered = restrict_list(*gateway)
    assert AllowlistCovers().judge(ready(allowlists=(covered,))).verdict is Verdict.PASS
    held = AllowlistCovers().judge(ready(allowlists=(covered, restrict_list(*gateway[1:]))))
    assert (held.verdict, gateway[0] in held.evidence) == (Verdict.HOLD, True)
    unreadable = restrict_list(observed=Unknown(Cause.UNREADABLE, "it is cut off"))
    assert AllowlistCovers().judge(ready(allowlists=(covered, unreadable))).verdict is Verdict.UNKNOWN
    attested = ready(ready_domain(attestations=()), allowlists=(covered, restrict_list(export=None)))
    assert AllowlistCovers().judge(attested).verdict is Verdict.HOLD
