"""Hazards: what is told about a domain beside its steps, and when it is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from builders import (
    EU,
    EU_MULTI,
    MX_KEY,
    OLD_MX,
    PRIMARY,
    SECONDARY,
    SOURCE,
    TXT_KEY,
    catalog,
    facts,
    observation,
    present,
    waiver,
)
from gate_builders import (
    EU_HOST,
    HOP,
    HOP_ADDRESS,
    apex_txt,
    leaving,
    ready,
    ready_domain,
    restrict_list,
    smtp,
    surroundings,
)

from reconciler.gates import HAZARDS, Facts, find_hazards
from reconciler.gates.origin_hazards import CLIENT_LIMITS, SENDER_CHECKS
from reconciler.gates.token_hazards import suffixed_verification_key
from reconciler.kinds import KINDS, OTHER
from reconciler.manifest.fleet import Lifecycle, MxHostOverride, Verification
from reconciler.names import Name
from reconciler.state import Absent, Cause, Key, Rdata, Unknown
from reconciler.surroundings import DnssecSight, HostSight, TlsaSight

if TYPE_CHECKING:
    from reconciler.errors import Diagnostic

AT_THE_SWITCH = {"limits", "origin-spf"}
TIMEOUT = Unknown(Cause.TIMEOUT, "no answer within 2 s")


def found(given: Facts, code: str) -> Diagnostic | None:
    return next((d for d in find_hazards(given) if d.code == code), None)


def codes(given: Facts) -> set[str]:
    return {d.code for d in find_hazards(given)} - AT_THE_SWITCH


def behind(*, around: dict[str, Any] | None = None, **changes: Any) -> Facts:  # noqa: ANN401
    """Facts of a domain behind the gateway."""
    return ready(around=around or {}, **{"mx": present(MX_KEY, EU)} | changes)


def test_a_domain_in_order_has_no_finding() -> None:
    assert find_hazards(behind()) == ()
    assert codes(ready()) == set()


def test_findings_name_the_place_and_come_with_errors_first() -> None:
    broken = ready(around={"dnssec": DnssecSight(is_signed=True, problem="SERVFAIL")})
    first, *others = find_hazards(broken)
    assert (first.code, first.severity.value, first.file, first.line) == ("dnssec-broken", "error", SOURCE.file, 7)
    assert first.domain == "acme.example"
    assert [d.code for d in others] == sorted(d.code for d in others)


def test_before_the_first_switch_it_is_said_what_the_origin_has_to_let_pass() -> None:
    assert {d.code for d in find_hazards(ready())} >= AT_THE_SWITCH
    for quiet in (behind(), behind(mx=present(MX_KEY, EU_MULTI)), ready(leaving()), ready(mx=TIMEOUT)):
        assert AT_THE_SWITCH & {d.code for d in find_hazards(quiet)} == set()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_to_exempt_depends_on_the_kind_of_service(kind: str) -> None:
    given = ready(ready_domain(kind=kind))
    for code, words in (("origin-spf", SENDER_CHECKS), ("limits", CLIENT_LIMITS)):
        diagnostic = found(given, code)
        assert diagnostic is not None
        assert diagnostic.severity.value == "advisory"
        assert words.get(kind, "whatever does this at the origin") in diagnostic.detail
        assert (kind in words) == (kind != OTHER)


@pytest.mark.parametrize(
    ("old", "new", "is_told"),
    [
        (TlsaSight(1, is_authenticated=True), Absent(), True),
        (TlsaSight(1, is_authenticated=False), Absent(), False),
        (TlsaSight(1, is_authenticated=True), TlsaSight(1, is_authenticated=True), False),
        (TlsaSight(1, is_authenticated=True), TIMEOUT, False),
        (Absent(), Absent(), False),
        (TIMEOUT, Absent(), False),
    ],
)
def test_dane_that_would_be_lost_is_told(old: object, new: object, is_told: bool) -> None:  # noqa: FBT001 - a row
    around = {"tlsa": {HOP: old, EU_HOST: new}}
    assert ("dane" in codes(ready(around=around))) is is_told
    assert "dane" not in codes(behind(around=around))


@pytest.mark.parametrize(
    ("size", "is_told"), [(None, False), (0, False), (10240000, True), (41943039, True), (41943040, False)]
)
def test_a_next_hop_that_takes_less_than_the_gateway_hands_on_is_told(size: int | None, is_told: bool) -> None:  # noqa: FBT001
    """RFC 1870: 0 is no limit."""
    around = {"smtp": {HOP: smtp(size=size)}}
    assert ("size" in codes(ready(around=around))) is is_told
    assert "size" not in codes(ready(around={"smtp": {HOP: TIMEOUT}}))


def test_a_wildcard_with_an_mx_of_its_own_is_told() -> None:
    key = Key(Name("*.acme.example."), "MX")
    told = found(behind(around={"wildcard_mx": present(key, OLD_MX, EU)}), "wildcard-mx")
    assert told is not None
    assert "mail.acme.example" in told.summary
    assert EU_HOST[:-1] not in told.summary
    for harmless in (present(key, EU), present(key, "0 ."), Absent(), TIMEOUT):
        assert codes(behind(around={"wildcard_mx": harmless})) == set()
    assert codes(ready(leaving(), around={"wildcard_mx": present(key, OLD_MX)})) == set()


def shown(*names: str, address: str = HOP_ADDRESS) -> dict[str, Any]:
    return {"shown_hosts": {Name(name): HostSight((address,)) for name in names}}


def test_names_and_spf_that_show_the_origin_are_told_and_a_next_hop_is_never_to_go() -> None:
    around = shown("mail.acme.example.", "owa.acme.example.") | {"apex_txt": apex_txt("v=spf1 ip4:192.0.2.0/24 ~all")}
    for given in (behind(around=around), ready(around=around)):
        told = found(given, "bypass-origin")
        assert told is not None
        assert all(w in told.summary for w in (HOP_ADDRESS, "owa.acme.example", "`ip4:192.0.2.0/24`"))
        assert "Keep the address records of mail.acme.example" in told.detail
        assert "emove" not in told.detail
    elsewhere = ready_domain(next_hops=(Name("srv.hoster.example."),))
    hosts = {Name("srv.hoster.example."): HostSight((HOP_ADDRESS,))}
    foreign = found(behind(declared=elsewhere, around=shown("mail.acme.example.") | {"hosts": hosts}), "bypass-origin")
    assert foreign is not None
    assert "Keep" not in foreign.detail


def test_an_origin_that_nobody_sees_or_that_is_shut_is_not_told() -> None:
    around = shown("mail.acme.example.")
    assert codes(behind(around=shown("www.acme.example.", address="198.51.100.1"))) == set()
    assert codes(behind(around={"shown_hosts": {HOP: TIMEOUT}})) == set()
    assert codes(behind(around={"apex_txt": apex_txt("v=spf1 ip4:198.51.100.0/24 -ip4:192.0.2.1")})) == set()
    assert codes(behind(around=around, allowlists=(restrict_list("192.0.2.0/24"),))) == set()
    for openly in (restrict_list(observed=TIMEOUT), restrict_list(export=None)):
        assert codes(behind(around=around, allowlists=(openly,))) == {"bypass-origin"}
    assert codes(ready(leaving(), mx=present(MX_KEY, EU), around=around)) == set()
    assert codes(ready(mx=TIMEOUT, around=around)) == set()


def test_a_signed_zone_is_told_before_it_is_written_and_a_broken_one_always() -> None:
    signed = {"dnssec": DnssecSight(is_signed=True)}
    broken = {"dnssec": DnssecSight(is_signed=True, problem="SERVFAIL")}
    assert codes(ready(around=signed)) == {"dnssec"}
    assert codes(behind(around=signed)) == set()
    assert codes(ready(around=broken)) == codes(behind(around=broken)) == {"dnssec-broken"}
    assert codes(ready(around={"dnssec": TIMEOUT})) == set()


SUFFIXED = Key(Name("_amazonses.acme.example.acme.example."), "TXT")


@pytest.mark.parametrize(
    ("right", "says"), [(Absent(), "enter the name _amazonses alone"), (present(TXT_KEY, PRIMARY), "as well")]
)
def test_a_value_one_domain_too_deep_is_told_with_the_fix(right: Any, says: str) -> None:  # noqa: ANN401
    assert suffixed_verification_key(Name("acme.example."), catalog()) == SUFFIXED

    def at_the_wrong_name(seen: Any) -> Facts:  # noqa: ANN401
        given = ready(txt=right)
        return replace(given, observations={**given.observations, SUFFIXED: observation(SUFFIXED, seen)})

    told = found(at_the_wrong_name(present(SUFFIXED, PRIMARY)), "token-suffix")
    assert told is not None
    assert says in told.detail
    for harmless in (present(SUFFIXED, '"a stranger\'s"'), Absent(), TIMEOUT):
        assert found(at_the_wrong_name(harmless), "token-suffix") is None


def test_a_name_that_cannot_be_that_long_is_not_looked_for() -> None:
    long = Name(".".join(["a" * 60] * 3) + ".example.")
    assert suffixed_verification_key(long, catalog()) is None
    given = facts()
    declared = replace(given.desired.domain, name=long)
    assert find_hazards(replace(given, desired=replace(given.desired, domain=declared))) is not None


def test_a_vanished_value_is_told_while_mail_goes_through_the_gateway() -> None:
    assert codes(behind(txt=Absent())) == {"token-removed"}
    assert codes(behind(txt=present(TXT_KEY, SECONDARY))) == set(), "one of ours is there"
    assert codes(behind(txt=TIMEOUT)) == set()
    assert codes(ready(txt=Absent())) == set()
    overridden = ready_domain(mx_host=MxHostOverride(Name("mx.vendor.example."), "support"))
    assert codes(ready(overridden, mx=present(MX_KEY, "0 mx.vendor.example."), txt=Absent())) == {"token-removed"}


def test_of_a_domain_that_leaves_a_vanished_value_is_told_until_the_mx_has_left() -> None:
    told = found(ready(leaving(), mx=present(MX_KEY, EU), txt=Absent()), "token-removed")
    assert told is not None
    assert "back to the next hops" in told.detail
    assert codes(ready(leaving(), txt=Absent())) == set()
    nameless = leaving(verification=Verification(None, None))
    assert codes(ready(nameless, mx=present(MX_KEY, EU), txt=Absent())) == set()


def test_another_mx_beside_the_gateways_is_told() -> None:
    both = present(MX_KEY, EU, OLD_MX)
    told = found(behind(mx=both), "bypass-mx")
    assert told is not None
    assert "contract step" in told.detail
    shared = found(behind(declared=ready_domain(mx_exclusive=False), mx=both), "bypass-mx")
    assert shared is not None
    assert "exclusive: true" in shared.detail
    assert codes(behind(mx=present(MX_KEY, EU, EU_MULTI))) == set(), "another of the gateway's"
    assert codes(ready(leaving(), mx=both)) == set()


@pytest.mark.parametrize("elsewhere", [EU_MULTI, Rdata("0 inbound-smtp.us-east-1.amazonaws.com.")])
def test_another_mx_beside_the_gateways_is_told_while_the_gateways_is_to_move(elsewhere: Rdata) -> None:
    """A region move or multi-region that is pending closes no way past the gateway."""
    both = present(MX_KEY, elsewhere, OLD_MX)
    told = found(behind(mx=both), "bypass-mx")
    assert told is not None
    assert OLD_MX in told.summary
    assert elsewhere not in told.summary
    assert "switch step" in told.detail
    shared = found(behind(declared=ready_domain(mx_exclusive=False), mx=both), "bypass-mx")
    assert shared is not None
    assert "exclusive: true" in shared.detail
    assert codes(ready(leaving(), mx=both)) == set()


def test_a_null_mx_that_would_stay_is_an_error() -> None:
    shared = ready_domain(mx_exclusive=False)
    assert codes(ready(shared, mx=present(MX_KEY, "0 ."))) == {"null-mx"}
    assert codes(ready(shared, mx=present(MX_KEY, "0 .", EU))) == {"null-mx"}
    assert codes(ready(mx=present(MX_KEY, "0 ."))) == set()


@pytest.mark.parametrize(
    ("key", "cause", "code"),
    [
        (TXT_KEY, Cause.CNAME, "cname-token"),
        (MX_KEY, Cause.CNAME, "cname-apex"),
        (TXT_KEY, Cause.DELEGATED, "delegated"),
        (MX_KEY, Cause.NO_SUCH_ZONE, "no-such-zone"),
    ],
)
def test_a_name_that_cannot_be_written_is_an_error(key: Key, cause: Cause, code: str) -> None:
    wrong = Unknown(cause, "what is wrong")
    told = found(facts(txt=wrong) if key == TXT_KEY else facts(mx=wrong), code)
    assert told is not None
    assert (told.severity.value, told.summary) == ("error", "what is wrong")
    both = facts(txt=wrong, mx=wrong)
    assert [d.code for d in find_hazards(both)].count(code) == 1


def test_a_domain_that_only_a_wildcard_makes_is_an_error() -> None:
    assert codes(facts(mx=Absent(is_covered=True))) == {"wildcard-domain"}
    assert codes(facts(ready_domain(connection="api"), mx=Absent(is_covered=True))) == set()


def test_multi_region_off_without_the_secondary_value_is_told() -> None:
    """Nobody can tell that value from a stranger's any more: it would stay in DNS for ever."""
    unnamed = ready_domain(verification=Verification("primary-token", None))
    assert codes(behind(declared=unnamed, mx=present(MX_KEY, EU_MULTI))) == {"retired-value-unnamed"}
    assert codes(behind(declared=unnamed)) == codes(behind(mx=present(MX_KEY, EU_MULTI))) == set()
    assert codes(ready(replace(unnamed, lifecycle=Lifecycle.OFFBOARDED), mx=present(MX_KEY, EU_MULTI))) == set()


def test_a_waiver_of_a_gate_silences_its_error_and_nothing_else() -> None:
    looping = {"hosts": {**surroundings().hosts, HOP: HostSight((catalog().multi_region_addresses[0],))}}
    assert "loop" in codes(ready(around=looping))
    waived = ready_domain(waivers=(waiver("loop"),))
    assert "loop" not in codes(ready(waived, around=looping))
    expired = ready_domain(waivers=(waiver("loop", expires=date(2026, 11, 20)), waiver("tls")))
    assert "loop" in codes(ready(expired, around=looping))


def test_every_hazard_has_one_code() -> None:
    assert len({h.id for h in HAZARDS}) == len(HAZARDS)
