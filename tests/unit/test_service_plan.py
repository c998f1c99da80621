"""The origin's side of a plan: what is missing first, what is stale last, and unknown is never empty."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from builders import (
    EU,
    EU_MULTI,
    MX_KEY,
    OLD_MX,
    PRIMARY,
    SOURCE,
    TXT_KEY,
    attestation,
    catalog,
    domain,
    facts,
    present,
    settled,
)

from reconciler.gates import Verdict
from reconciler.gates.allowlist import AllowlistCovers
from reconciler.history import NO_HISTORY
from reconciler.manifest.fleet import Service, ServiceAllowlist, ServiceSpamRule
from reconciler.origin import AllowlistFact, MailRuleFact, OriginFacts
from reconciler.plan import Phase, Status
from reconciler.service_plan import ServicePlan, plan_service
from reconciler.state import Cause, Observed, Present, Unknown
from reconciler.targets.base import Advice, AllowlistContent, DeclaredAllowlist, Intent, read_entries
from reconciler.targets.mail_rule import MailRule, MailRuleContent, ObservedRule
from reconciler.targets.registry import MAIL_RULE_TARGETS

EU_ADDRESSES = ("99.81.216.78", "34.249.190.60", "108.128.137.108", "99.80.189.20")
MULTI = "52.12.169.124"
STALE_EXPORT = Unknown(Cause.UNREADABLE, "the export is 9 days old")


def content(*entries: str, **changes: object) -> AllowlistContent:
    return replace(AllowlistContent(read_entries(entries)), **changes)  # type: ignore[arg-type]


def fact(observed: AllowlistContent | Unknown | None, *, exclusive: bool = False) -> AllowlistFact:
    declared = DeclaredAllowlist("plain", "", Intent.ALLOW, exclusive)
    return AllowlistFact(ServiceAllowlist(declared, "exports/list.txt", SOURCE), observed)


def planned(
    *allowlists: AllowlistFact,
    multi_region: bool = False,
    mx: Observed | None = None,
    rule: MailRuleFact | None = None,
    attested: tuple[object, ...] = (),
) -> ServicePlan:
    service = Service("acme", "hq", "exchange", "mx", "eu", multi_region, (), None, attested, (), SOURCE)  # type: ignore[arg-type]
    declared = domain(multi_region=multi_region, attestations=attested)
    mx = mx or present(MX_KEY, OLD_MX)
    history = settled(*mx.rrset.rdatas) if isinstance(mx, Present) else NO_HISTORY
    known = facts(declared, txt=present(TXT_KEY, PRIMARY), mx=mx, history=history)
    return plan_service(OriginFacts(service, allowlists, rule), [known], catalog())


def test_what_is_missing_is_to_be_added_by_hand_beside_what_is_there() -> None:
    (step,) = planned(fact(content("192.0.2.0/24", EU_ADDRESSES[0]))).steps
    assert (step.phase, step.status, step.kind, step.target) == (Phase.EXPAND, Status.MANUAL, "allowlist", "plain")
    assert step.before == EU_ADDRESSES[:1]
    assert step.after == EU_ADDRESSES
    assert step.untouched == ("192.0.2.0/24",)


def test_a_list_that_covers_is_done() -> None:
    (step,) = planned(fact(content(*EU_ADDRESSES, "192.0.2.1"))).steps
    assert step.status is Status.DONE


def test_a_block_that_covers_is_done_and_reported_as_wider() -> None:
    plan = planned(fact(content("99.0.0.0/8", *EU_ADDRESSES[1:3])))
    assert plan.steps[0].status is Status.DONE
    assert [d.code for d in plan.diagnostics] == ["allowlist-wider"]
    assert "99.0.0.0/8" in plan.diagnostics[0].summary


@pytest.mark.parametrize(("mx", "status"), [(EU_MULTI, Status.HELD), (EU, Status.MANUAL)])
def test_a_stale_address_goes_when_every_domain_is_switched(mx: str, status: Status) -> None:
    """Multi-region off: the MX first, the address after it."""
    steps = planned(fact(content(*EU_ADDRESSES, MULTI)), mx=present(MX_KEY, mx)).steps
    assert [s.status for s in steps] == [Status.DONE, status]
    assert steps[1].phase is Phase.CONTRACT
    assert set(steps[1].before) - set(steps[1].after) == {MULTI}


def test_foreign_entries_go_only_from_an_exclusive_list() -> None:
    stays = planned(fact(content(*EU_ADDRESSES, "192.0.2.1")), mx=present(MX_KEY, EU)).steps
    assert [s.untouched for s in stays] == [("192.0.2.1",)]
    goes = planned(fact(content(*EU_ADDRESSES, "192.0.2.1"), exclusive=True), mx=present(MX_KEY, EU)).steps
    assert set(goes[1].before) - set(goes[1].after) == {"192.0.2.1"}


def test_an_unknown_export_is_unknown_and_not_an_empty_list() -> None:
    (step,) = planned(fact(STALE_EXPORT)).steps
    assert (step.status, step.reason, step.after) == (Status.UNKNOWN, "the export is 9 days old", ())


def test_without_an_export_a_person_attests() -> None:
    (step,) = planned(fact(None)).steps
    assert (step.status, step.after) == (Status.MANUAL, EU_ADDRESSES)
    (step,) = planned(fact(None), attested=(attestation(),)).steps
    assert step.status is Status.DONE


def test_the_exports_advice_is_passed_on() -> None:
    advice = Advice("message-size", "messages over 10 MB are refused", "Raise the limit to 40 MB.")
    plan = planned(fact(content(*EU_ADDRESSES, advice=(advice,))))
    assert [(d.severity.value, d.code) for d in plan.diagnostics] == [("advisory", "message-size")]


def test_a_service_without_mail_domains_has_no_steps() -> None:
    service = Service("acme", "hq", "microsoft-365", "api", "eu", False, (), None, (), (), SOURCE)  # noqa: FBT003
    assert plan_service(OriginFacts(service, (fact(None),), None), [], catalog()) == ServicePlan(service, (), ())


def rule_fact(observed: MailRuleContent | Unknown | None) -> MailRuleFact:
    return MailRuleFact(ServiceSpamRule("exchange-spam-rule", "exports/rules.json", SOURCE), observed)


def observed_rule(**changes: object) -> ObservedRule:
    spam = catalog().spam_rule
    action = MAIL_RULE_TARGETS["exchange-spam-rule"].action(
        MailRule(spam.name, spam.header, spam.pattern, spam.confidence_level)
    )
    return replace(ObservedRule("guid", spam.name, spam.header, (spam.pattern,), action), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rules", "status", "codes"),
    [
        ((), Status.MANUAL, []),
        (({},), Status.DONE, []),
        (({"is_enabled": False},), Status.MANUAL, []),
        (({"patterns": ("OTHER",)},), Status.MANUAL, []),
        (({"name": "our own rule"},), Status.DONE, ["spam-rule-name"]),
        (({}, {"identity": "guid2"}), Status.HELD, []),
    ],
)
def test_the_spam_rule(rules: tuple[dict[str, object], ...], status: Status, codes: list[str]) -> None:
    seen = MailRuleContent(tuple(observed_rule(**changes) for changes in rules))
    plan = planned(rule=rule_fact(seen))
    assert plan.steps[0].status is status
    assert [d.code for d in plan.diagnostics] == codes


def test_the_spam_rule_unknown_or_attested() -> None:
    assert planned(rule=rule_fact(STALE_EXPORT)).steps[0].status is Status.UNKNOWN
    assert planned(rule=rule_fact(None)).steps[0].status is Status.MANUAL
    attested = attestation(what="mail-rule", on=date(2026, 11, 1))
    assert planned(rule=rule_fact(None), attested=(attested,)).steps[0].status is Status.DONE


@pytest.mark.parametrize(
    ("observed", "attested", "verdict"),
    [
        (content(*EU_ADDRESSES), False, Verdict.PASS),
        (content(*EU_ADDRESSES[:3]), True, Verdict.HOLD),
        (STALE_EXPORT, True, Verdict.UNKNOWN),
        (None, True, Verdict.PASS),
        (None, False, Verdict.HOLD),
    ],
)
def test_the_switch_waits_for_what_the_export_says(
    observed: AllowlistContent | Unknown | None,
    attested: bool,  # noqa: FBT001
    verdict: Verdict,
) -> None:
    """An export outranks an attestation; a list without one needs it."""
    declared = domain(attestations=(attestation(),) if attested else ())
    known = replace(facts(declared), allowlists=(fact(observed),))
    assert AllowlistCovers().judge(known).verdict is verdict


def test_every_list_of_a_service_has_to_cover() -> None:
    known = replace(facts(), allowlists=(fact(content(*EU_ADDRESSES)), fact(content())))
    assert AllowlistCovers().judge(known).verdict is Verdict.HOLD
    mixed = replace(facts(domain(attestations=())), allowlists=(fact(content(*EU_ADDRESSES)), fact(None)))
    assert AllowlistCovers().judge(mixed).verdict is Verdict.HOLD
