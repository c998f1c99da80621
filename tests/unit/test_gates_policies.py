"""Gates of what the domain publishes beside its MX: MTA-STS and SPF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from builders import EU, EU_MULTI, MX_KEY, OLD_MX, attestation, present
from gate_builders import (
    APEX_TXT,
    EU_HOST,
    HOP,
    HOP_ADDRESS,
    apex_txt,
    leaving,
    policy,
    ready,
    ready_domain,
    smtp,
    surroundings,
)

from reconciler.gates import Facts, GateResult, Verdict, find_hazards
from reconciler.gates.mta_sts import MtaSts, MxCertificate, is_matched
from reconciler.gates.spf import spf_records
from reconciler.gates.spf_mx import SpfMx
from reconciler.names import Name
from reconciler.state import Absent, Cause, Present, Rdata, Unknown, build_rrset
from reconciler.surroundings import HostSight, SmtpRefusal, TlsSight

if TYPE_CHECKING:
    from reconciler.surroundings import Host, MtaStsPolicy, Smtp

TIMEOUT = Unknown(Cause.TIMEOUT, "no answer within 10 s")
EU_TEXT = "inbound-smtp.eu-west-1.amazonaws.com"
BOTH = ("mail.acme.example", EU_TEXT)


@pytest.mark.parametrize(
    ("host", "pattern", "matches"),
    [
        ("mail.example.com.", "mail.example.com", True),
        ("mail.example.com.", "MAIL.example.com.", True),
        ("mail.example.com.", "*.example.com", True),
        ("a.b.example.com.", "*.example.com", False),
        ("example.com.", "*.example.com", False),
        ("mail.example.com.", "*.com", False),
        ("mail.example.com.", "m*.example.com", False),
        ("com.", "*.", False),
    ],
)
def test_a_wildcard_stands_for_one_leftmost_label(host: str, pattern: str, *, matches: bool) -> None:
    """RFC 8461 section 4.1."""
    assert is_matched(Name(host), [pattern]) is matches


def sts(seen: MtaStsPolicy | Absent | Unknown, **changes: Any) -> Facts:  # noqa: ANN401
    return ready(around={"mta_sts": seen}, **changes)


@pytest.mark.parametrize(
    ("seen", "verdict", "advice"),
    [
        (Absent(), Verdict.PASS, ""),
        (TIMEOUT, Verdict.UNKNOWN, "mend the policy"),
        (policy(*BOTH), Verdict.PASS, "604800 seconds"),
        (policy("*.acme.example", "*.eu-west-1.amazonaws.com"), Verdict.PASS, "604800 seconds"),
        (policy("mail.acme.example"), Verdict.HOLD, f'"mx: {EU_TEXT}"'),
        (policy(EU_TEXT), Verdict.HOLD, '"mx: mail.acme.example"'),
        (policy("mail.acme.example", mode="testing"), Verdict.PASS, f'"mx: {EU_TEXT}"'),
        (policy("mail.acme.example", mode="none"), Verdict.PASS, f'"mx: {EU_TEXT}"'),
        (policy(*BOTH, mode="testing"), Verdict.PASS, ""),
    ],
)
def test_an_enforced_policy_lists_the_new_hosts_and_the_old_ones(
    seen: MtaStsPolicy | Absent | Unknown, verdict: Verdict, advice: str
) -> None:
    result = MtaSts().judge(sts(seen))
    assert result.verdict is verdict
    assert advice in result.advice
    assert bool(advice) == bool(result.advice)


def test_the_policy_is_changed_before_its_id() -> None:
    advice = MtaSts().judge(sts(policy("mail.acme.example"))).advice
    places = [
        advice.index(p) for p in ("first", ".well-known/mta-sts.txt", "then", "20261101", "_mta-sts.acme.example")
    ]
    assert places == sorted(places)


def test_hosts_that_the_mx_may_name_now_have_to_be_known() -> None:
    assert MtaSts().judge(sts(policy(*BOTH), mx=TIMEOUT)).verdict is Verdict.UNKNOWN
    assert MtaSts().judge(sts(policy(*BOTH, mode="testing"), mx=TIMEOUT)).verdict is Verdict.PASS
    assert MtaSts().judge(sts(policy("mail.acme.example"), mx=TIMEOUT)).verdict is Verdict.HOLD


def test_a_way_back_and_a_move_are_judged_like_the_way_in() -> None:
    away = ready(leaving(), mx=present(MX_KEY, EU), around={"mta_sts": policy(EU_TEXT)})
    assert "mail.acme.example" in MtaSts().judge(away).evidence
    moved = ready_domain(multi_region=True, attestations=(attestation(),))
    on = ready(moved, mx=present(MX_KEY, EU), around={"mta_sts": policy(EU_TEXT)})
    assert "eu.mx-pp.com" in MtaSts().judge(on).evidence


def test_an_api_connection_has_no_mx_to_list() -> None:
    api = ready(ready_domain(connection="api"), around={"mta_sts": policy("mail.acme.example")})
    assert {g.judge(api).verdict for g in (MtaSts(), MxCertificate())} == {Verdict.PASS}


def test_a_null_mx_is_no_host_to_list() -> None:
    assert MtaSts().judge(sts(policy(EU_TEXT), mx=present(MX_KEY, "0 ."))).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (smtp(tls=TlsSight("TLSv1.3", (EU_TEXT,))), Verdict.PASS),
        (smtp(tls=TlsSight("TLSv1.3", ("*.eu-west-1.amazonaws.com",))), Verdict.PASS),
        (smtp(tls=TlsSight("TLSv1.3", ("*.amazonaws.com",))), Verdict.HOLD),
        (smtp(tls=TlsSight("TLSv1.3", ())), Verdict.HOLD),
        (smtp(tls=TlsSight("TLSv1.3", (EU_TEXT,), "expired on 2026-11-01")), Verdict.HOLD),
        (smtp(tls=None, why="454 not now"), Verdict.HOLD),
        (smtp(tls=None), Verdict.HOLD),
        (SmtpRefusal("554 go away"), Verdict.HOLD),
        (TIMEOUT, Verdict.UNKNOWN),
    ],
)
def test_the_gateways_certificate_counts_where_the_policy_enforces(seen: Smtp, verdict: Verdict) -> None:
    around = {"smtp": {**surroundings().smtp, EU_HOST: seen}}
    enforced = ready(around={**around, "mta_sts": policy(*BOTH)})
    assert MxCertificate().judge(enforced).verdict is verdict
    for lax in (policy(*BOTH, mode="testing"), Absent()):
        assert MxCertificate().judge(ready(around={**around, "mta_sts": lax})).verdict is Verdict.PASS
    assert MxCertificate().judge(ready(around={**around, "mta_sts": TIMEOUT})).verdict is Verdict.UNKNOWN


def spf(*texts: str, host: Host | None = None, **changes: Any) -> GateResult:  # noqa: ANN401
    around: dict[str, Any] = {"apex_txt": apex_txt(*texts)}
    if host is not None:
        around["hosts"] = {**surroundings().hosts, HOP: host}
    return SpfMx().judge(ready(around=around, **changes))


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("v=spf1 mx -all", Verdict.HOLD),
        ("V=SPF1 +MX -all", Verdict.HOLD),
        ("v=spf1  mx/24//64 -all", Verdict.HOLD),
        ("v=spf1 mx:acme.example -all", Verdict.HOLD),
        ("v=spf1 mx:ACME.example./24 -all", Verdict.HOLD),
        ("v=spf1 mx:%{d} -all", Verdict.HOLD),
        ("v=spf1 mx ip4:192.0.2.2 -all", Verdict.HOLD),
        ("v=spf1 mx -ip4:192.0.2.1 -all", Verdict.HOLD),
        ("v=spf1 mx ip4:192.0.2.999 -all", Verdict.HOLD),
        ("v=spf1 mx -all ip4:192.0.2.1", Verdict.HOLD),
        ("v=spf1 mx ip4:192.0.2.1 -all", Verdict.PASS),
        ("v=spf1 ip4:192.0.2.77/24 mx -all", Verdict.PASS),
        ("v=spf1 mx:other.example -all", Verdict.PASS),
        ("v=spf1 mx:..bad -all", Verdict.PASS),
        ("v=spf1 ~mx -all", Verdict.PASS),
        ("v=spf1 -all mx", Verdict.PASS),
        ("v=spf1 a include:mx.example redirect=mx", Verdict.PASS),
        ("v=spf10 mx", Verdict.PASS),
        ("mx v=spf1", Verdict.PASS),
        ("v=spf1", Verdict.PASS),
    ],
)
def test_spf_that_names_the_mx_holds_unless_it_names_the_addresses_too(text: str, verdict: Verdict) -> None:
    """RFC 7208 sections 4.6.1, 5.1, 5.4 and 5.6."""
    assert spf(text).verdict is verdict


def test_the_advice_names_the_mechanism_to_add_and_the_one_to_remove() -> None:
    held = spf("v=spf1 mx -all", host=HostSight((HOP_ADDRESS, "2001:db8::1")))
    assert "`ip4:192.0.2.1`" in held.advice
    assert "`ip6:2001:db8::1`" in held.advice
    covered = spf("v=spf1 mx ip4:192.0.2.1 ip6:2001:db8::/32 -all", host=HostSight((HOP_ADDRESS, "2001:db8::1")))
    assert (covered.verdict, "take `mx` out" in covered.advice) == (Verdict.PASS, True)


def test_what_the_mx_means_has_to_be_known() -> None:
    assert SpfMx().judge(ready(around={"apex_txt": TIMEOUT})).verdict is Verdict.UNKNOWN
    assert spf("v=spf1 mx -all", host=TIMEOUT).verdict is Verdict.UNKNOWN
    assert spf("v=spf1 mx -all", mx=TIMEOUT).verdict is Verdict.UNKNOWN
    assert spf("v=spf1 -all", mx=TIMEOUT).verdict is Verdict.PASS
    nowhere = spf("v=spf1 mx -all", host=Absent())
    assert (nowhere.verdict, nowhere.advice) == (Verdict.PASS, ""), "nothing to take out: no server is named yet"
    assert SpfMx().judge(ready(ready_domain(connection="api"))).verdict is Verdict.PASS


def test_behind_the_gateway_the_mx_means_the_gateway_already() -> None:
    assert spf("v=spf1 mx -all", mx=present(MX_KEY, EU_MULTI)).verdict is Verdict.PASS
    assert spf("v=spf1 mx -all", mx=Absent()).verdict is Verdict.PASS
    assert spf("v=spf1 mx -all", mx=present(MX_KEY, EU_MULTI, OLD_MX)).verdict is Verdict.HOLD


def test_several_records_are_an_error_already_and_are_told() -> None:
    two = {"apex_txt": apex_txt("v=spf1 mx -all", "v=spf1 a -all")}
    result = SpfMx().judge(ready(around=two))
    assert (result.verdict, bool(result.advice)) == (Verdict.PASS, True)
    assert [d.severity.value for d in find_hazards(ready(around=two)) if d.code == "spf-records"] == ["warning"]
    switched = ready(mx=present(MX_KEY, EU), around=two)
    assert "spf-records" not in {d.code for d in find_hazards(switched)}


def test_character_strings_are_joined_without_a_space() -> None:
    """RFC 7208 section 3.3."""
    split = Present(build_rrset(APEX_TXT, 300, (Rdata('"v=spf1 m" "x -all"'), Rdata('"\\255 v=spf1 a"'))))
    assert [[m.written for m in r.mechanisms] for r in spf_records(split.rrset)] == [["mx", "-all"]]
