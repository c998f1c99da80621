"""Gates of the hosts that take the mail: the next hops, the gateway's own host, and the origin that opens again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from builders import EU, MX_KEY, attestation, catalog, present
from gate_builders import (
    EU_HOST,
    GATEWAY_ADDRESS,
    HOP,
    HOP_ADDRESS,
    day,
    leaving,
    ready,
    ready_domain,
    restrict_list,
    smtp,
    surroundings,
)

from reconciler.gates import Verdict, find_hazards
from reconciler.gates.loop import Loop
from reconciler.gates.mx_target import MxTarget
from reconciler.gates.next_hop import NextHop
from reconciler.gates.origin_open import OriginOpen
from reconciler.gates.tls import Tls
from reconciler.history import History
from reconciler.manifest.fleet import MxHostOverride
from reconciler.names import Name
from reconciler.state import Absent, Cause, Unknown
from reconciler.surroundings import HostSight, SmtpRefusal, TlsSight
from reconciler.targets.base import Enforcement

if TYPE_CHECKING:
    from reconciler.gates import Facts, Gate
    from reconciler.surroundings import Host, Smtp

TIMEOUT = Unknown(Cause.TIMEOUT, "no answer within 10 s")
REFUSED = SmtpRefusal("554 no mail from you")
EU_ADDRESS = catalog().addresses("eu", multi_region=False)[0]
MULTI_ADDRESS = catalog().multi_region_addresses[0]


def attesting(*whats: str) -> dict[str, Any]:
    return {"declared": ready_domain(attestations=tuple(attestation(what=what) for what in whats))}


def host(sight: Host, name: Name = HOP) -> dict[str, Any]:
    return {"around": {"hosts": {**surroundings().hosts, name: sight}}}


def server(seen: Smtp) -> dict[str, Any]:
    return {"around": {"smtp": {**surroundings().smtp, HOP: seen}}}


@pytest.mark.parametrize(
    ("gate", "sight", "verdict"),
    [
        (NextHop(), HostSight((HOP_ADDRESS,)), Verdict.PASS),
        (NextHop(), Absent(), Verdict.HOLD),
        (NextHop(), HostSight(()), Verdict.HOLD),
        (NextHop(), HostSight((HOP_ADDRESS,), alias=Name("srv.acme.example.")), Verdict.HOLD),
        (NextHop(), TIMEOUT, Verdict.UNKNOWN),
        (Loop(), HostSight((HOP_ADDRESS,)), Verdict.PASS),
        (Loop(), Absent(), Verdict.PASS),
        (Loop(), HostSight((HOP_ADDRESS, EU_ADDRESS)), Verdict.HOLD),
        (Loop(), HostSight((MULTI_ADDRESS,)), Verdict.HOLD),
        (Loop(), HostSight((GATEWAY_ADDRESS,)), Verdict.HOLD),
        (Loop(), HostSight((HOP_ADDRESS,), alias=EU_HOST), Verdict.HOLD),
        (Loop(), HostSight((HOP_ADDRESS,), alias=Name("srv.acme.example.")), Verdict.PASS),
        (Loop(), TIMEOUT, Verdict.UNKNOWN),
        (Tls(), Absent(), Verdict.HOLD),
        (Tls(), TIMEOUT, Verdict.PASS),
    ],
)
def test_a_next_hop_resolves_to_something_of_its_own(gate: Gate, sight: Host, verdict: Verdict) -> None:
    result = gate.judge(ready(**host(sight)))
    assert result.verdict is verdict
    assert "mail.acme.example" in result.evidence


@pytest.mark.parametrize("gate", [NextHop(), Loop()])
def test_an_attestation_stands_for_what_could_not_be_looked_up_and_for_nothing_else(gate: Gate) -> None:
    attested = attesting("next-hop-tls")
    assert gate.judge(ready(**attested, **host(TIMEOUT))).verdict is Verdict.PASS
    assert gate.judge(ready(**attested, **host(HostSight((EU_ADDRESS,), EU_HOST)))).verdict is Verdict.HOLD


def test_an_attestation_of_other_next_hops_does_not_count() -> None:
    changed = History(next_hops=(Name("old.acme.example."),), next_hops_since=ready().now)
    given = attesting("next-hop-tls")
    for gate in (NextHop(), Loop()):
        assert gate.judge(ready(**given, **host(TIMEOUT), history=changed)).verdict is Verdict.UNKNOWN
    assert Tls().judge(ready(**given, **server(TIMEOUT), history=changed)).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("seen", "plain", "looked_elsewhere", "switched_off"),
    [
        (smtp(), Verdict.PASS, Verdict.PASS, Verdict.PASS),
        (smtp(tls=TlsSight("TLSv1.2", ())), Verdict.PASS, Verdict.PASS, Verdict.PASS),
        (smtp(tls=TlsSight("TLSv1.1", ())), Verdict.HOLD, Verdict.HOLD, Verdict.PASS),
        (smtp(tls=TlsSight("TLSv1", ())), Verdict.HOLD, Verdict.HOLD, Verdict.PASS),
        (smtp(tls=TlsSight("SSLv3", ())), Verdict.HOLD, Verdict.HOLD, Verdict.PASS),
        (smtp(tls=None), Verdict.HOLD, Verdict.HOLD, Verdict.PASS),
        (REFUSED, Verdict.HOLD, Verdict.HOLD, Verdict.PASS),
        (TIMEOUT, Verdict.UNKNOWN, Verdict.PASS, Verdict.PASS),
    ],
)
def test_tls_is_seen_or_attested(seen: Smtp, plain: Verdict, looked_elsewhere: Verdict, switched_off: Verdict) -> None:
    """Nobody's word stands against what was observed, but the vendor's, who does not look any more."""
    assert Tls().judge(ready(**server(seen))).verdict is plain
    assert Tls().judge(ready(**attesting("next-hop-tls"), **server(seen))).verdict is looked_elsewhere
    assert Tls().judge(ready(**attesting("tls-check-off"), **server(seen))).verdict is switched_off


def test_on_the_way_in_a_next_hop_need_not_answer_for_this_gate() -> None:
    """The gate of TLS looks at that, and can be attested or waived by itself."""
    for silent in (TIMEOUT, REFUSED):
        assert NextHop().judge(ready(**server(silent))).verdict is Verdict.PASS


def test_tls_says_why_and_what_to_do() -> None:
    result = Tls().judge(ready(**server(smtp(tls=None, why="454 not available"))))
    assert "454 not available" in result.evidence
    assert "TLS 1.2" in result.advice
    assert "support@perception-point.io" in result.advice


def test_the_check_that_is_off_does_not_help_a_host_that_is_not_there() -> None:
    assert Tls().judge(ready(**attesting("tls-check-off"), **host(Absent()))).verdict is Verdict.HOLD


def test_every_next_hop_counts() -> None:
    two = ready_domain(next_hops=(HOP, Name("mail2.acme.example.")))
    for gate in (NextHop(), Tls(), Loop()):
        assert gate.judge(ready(two)).verdict is Verdict.UNKNOWN
    none = ready(ready_domain(next_hops=()))
    assert [g.judge(none).verdict for g in (NextHop(), Tls(), Loop())] == [Verdict.HOLD, Verdict.HOLD, Verdict.PASS]


def test_an_api_connection_needs_no_next_hop() -> None:
    api = ready(ready_domain(connection="api", next_hops=()))
    assert {g.judge(api).verdict for g in (NextHop(), Tls(), Loop(), MxTarget())} == {Verdict.PASS}


def test_a_loop_is_an_error_until_it_is_waived() -> None:
    looping = ready(**host(HostSight((EU_ADDRESS,))))
    found = [d for d in find_hazards(looping) if d.code == "loop"]
    assert [d.severity.value for d in found] == ["error"]
    assert EU_ADDRESS in found[0].summary
    assert Loop().judge(ready(ready_domain(next_hops=(EU_HOST,)))).verdict is Verdict.HOLD


@pytest.mark.parametrize(
    ("sight", "verdict"),
    [
        (HostSight((GATEWAY_ADDRESS,)), Verdict.PASS),
        (HostSight((GATEWAY_ADDRESS,), alias=Name("lb.example.")), Verdict.HOLD),
        (HostSight(()), Verdict.HOLD),
        (Absent(), Verdict.HOLD),
        (TIMEOUT, Verdict.PASS),
    ],
)
def test_the_mx_names_a_host_that_takes_mail(sight: Host, verdict: Verdict) -> None:
    given = ready(**host(sight, EU_HOST))
    result = MxTarget().judge(given)
    assert result.verdict is verdict
    assert (sight is TIMEOUT) == ("the catalog names" in result.evidence)
    assert ("mx-target" in {d.code for d in find_hazards(given)}) == (verdict is Verdict.HOLD)


def test_an_mx_host_of_the_manifest_may_be_wrong_too() -> None:
    override = MxHostOverride(Name("192.0.2.9."), "support said so")
    result = MxTarget().judge(ready(ready_domain(mx_host=override)))
    assert (result.verdict, "mx_host in the manifest" in result.advice) == (Verdict.HOLD, True)
    named = ready_domain(mx_host=MxHostOverride(Name("mx.vendor.example."), "support said so"))
    assert "the manifest names mx.vendor.example" in MxTarget().judge(ready(named)).evidence


def test_a_domain_that_leaves_is_held_by_the_next_hops_gate_and_by_no_error() -> None:
    away = ready(leaving(), mx=present(MX_KEY, EU), **host(Absent()))
    assert MxTarget().judge(away).verdict is Verdict.HOLD
    assert "mx-target" not in {d.code for d in find_hazards(away)}


def going(**changes: Any) -> Facts:  # noqa: ANN401
    declared = leaving(**({"attestations": changes.pop("attestations")} if "attestations" in changes else {}))
    return ready(declared, mx=present(MX_KEY, EU), **changes)


def test_a_domain_leaves_only_to_next_hops_that_answer() -> None:
    gate = NextHop(must_answer=True)
    assert gate.judge(going()).verdict is Verdict.PASS
    assert gate.judge(going(**server(smtp(tls=None)))).verdict is Verdict.PASS, "other senders need no TLS"
    assert gate.judge(going(**server(REFUSED))).verdict is Verdict.HOLD
    assert gate.judge(going(**server(TIMEOUT))).verdict is Verdict.UNKNOWN
    assert gate.judge(going(**host(TIMEOUT))).verdict is Verdict.UNKNOWN
    assert gate.judge(going(**host(HostSight((EU_ADDRESS,))))).verdict is Verdict.HOLD
    assert gate.judge(going(**host(Absent()))).verdict is Verdict.HOLD
    attested = (attestation(what="next-hop-tls"),)
    assert gate.judge(going(attestations=attested, **server(TIMEOUT))).verdict is Verdict.PASS


def test_the_origin_opens_before_the_mx_goes_back() -> None:
    gate, opened = OriginOpen(), restrict_list("192.0.2.0/24", refusal=Enforcement.NONE)
    assert gate.judge(going()).verdict is Verdict.PASS
    assert gate.judge(going(allowlists=(opened,))).verdict is Verdict.PASS
    held = gate.judge(going(allowlists=(opened, restrict_list("192.0.2.0/24", refusal=Enforcement.SOFT))))
    assert (held.verdict, "keeps others than the gateway out" in held.evidence) == (Verdict.HOLD, True)
    assert gate.judge(going(allowlists=(restrict_list(),))).verdict is Verdict.HOLD, "it lets nobody in at all"
    assert gate.judge(going(allowlists=(restrict_list(observed=TIMEOUT),))).verdict is Verdict.UNKNOWN


def test_where_the_export_cannot_show_that_everybody_is_let_in_a_person_says_so() -> None:
    """A firewall's rule stands elsewhere than the set that it names."""
    allowlists = (restrict_list("192.0.2.0/24", refusal=Enforcement.SOFT, target="firewalld"),)
    assert OriginOpen().judge(going(allowlists=allowlists)).verdict is Verdict.HOLD
    opened = (attestation(what="origin-open"),)
    assert OriginOpen().judge(going(attestations=opened, allowlists=allowlists)).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ((), Verdict.HOLD),
        ((("origin-open", 5),), Verdict.PASS),
        ((("restricted", 9), ("origin-open", 5)), Verdict.PASS),
        ((("restricted", 5), ("origin-open", 5)), Verdict.HOLD),
        ((("restricted", 3), ("origin-open", 5)), Verdict.HOLD),
        ((("restricted", 9), ("origin-open", 5), ("restricted", 3)), Verdict.HOLD),
    ],
)
def test_without_an_export_somebody_attests_that_the_origin_is_open(
    given: tuple[tuple[str, int], ...], verdict: Verdict
) -> None:
    """Days ago: it counts from the day after the origin was last attested to be restricted."""
    attestations = tuple(attestation(what=what, on=day(ago)) for what, ago in given)
    shut = going(attestations=attestations, allowlists=(restrict_list(export=None),))
    assert OriginOpen().judge(shut).verdict is verdict


def test_a_restriction_that_was_attested_counts_without_a_list_too() -> None:
    restricted = attestation(what="restricted", expires=day(1))
    assert OriginOpen().judge(going(attestations=(restricted,))).verdict is Verdict.HOLD
    opened = attestation(what="origin-open", on=day(0))
    assert OriginOpen().judge(going(attestations=(restricted, opened))).verdict is Verdict.PASS
