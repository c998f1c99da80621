"""What an origin has for the gateway goes when nothing needs it any more, and what is somebody else's stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from builders import (
    EU,
    MX_KEY,
    NOW,
    OLD_MX,
    PRIMARY,
    SECONDARY,
    SOURCE,
    TXT_KEY,
    attestation,
    catalog,
    facts,
    present,
    settled,
)
from gate_builders import leaving, ready_domain, sighting

from reconciler.gates import Facts, Verdict
from reconciler.gates.observed import WANTED_VALUES_ALONE
from reconciler.history import History
from reconciler.manifest.fleet import Attestation, Service, ServiceAllowlist, ServiceSpamRule
from reconciler.origin import AllowlistFact, MailRuleFact, OriginFacts
from reconciler.plan import Action, Phase, Status
from reconciler.service_plan import ServicePlan, ServiceStep, plan_service
from reconciler.state import Cause, Unknown, mx_rdata
from reconciler.targets.base import Advice, AllowlistContent, DeclaredAllowlist, Intent, read_entries
from reconciler.targets.mail_rule import MailRule, MailRuleContent, ObservedRule
from reconciler.targets.registry import MAIL_RULE_TARGETS

TARGET = "exchange-spam-rule"
SPAM = catalog().spam_rule
RULE = MailRule(SPAM.name, SPAM.header, SPAM.pattern, SPAM.confidence_level)
OURS = ObservedRule("guid", SPAM.name, SPAM.header, (SPAM.pattern,), MAIL_RULE_TARGETS[TARGET].action(RULE))
EU_ADDRESSES = catalog().addresses("eu", multi_region=False)
AU_ADDRESSES = catalog().addresses("au", multi_region=False)
PLAIN = DeclaredAllowlist("plain", "", Intent.ALLOW, exclusive=False)
AU = mx_rdata(0, catalog().mx_host("au", multi_region=False))


def gone(ago: timedelta) -> Facts:
    """A leaving domain whose MX went back so long ago."""
    history = History(mx=(sighting(EU, seen=timedelta(days=99), gone=ago), sighting(OLD_MX, seen=ago)))
    return facts(leaving(), mx=present(MX_KEY, OLD_MX), history=history)


LONG_GONE = gone(timedelta(days=3))
AT_GATEWAY = facts(leaving(), mx=present(MX_KEY, EU))


def planned(
    *domains: Facts,
    rule: MailRuleContent | Unknown | None = None,
    has_rule: bool = True,
    allowlist: AllowlistFact | None = None,
    attested: tuple[Attestation, ...] = (),
    region: str = "eu",
) -> ServicePlan:
    service = Service("acme", "hq", "exchange", "mx", region, False, (), None, attested, (), SOURCE)  # noqa: FBT003
    declared = ServiceSpamRule(TARGET, "exports/rules.json" if rule is not None else None, SOURCE)
    mail_rule = MailRuleFact(declared, rule) if has_rule else None
    lists = (allowlist,) if allowlist is not None else ()
    return plan_service(OriginFacts(service, lists, mail_rule), domains, catalog())


def rule_step(plan: ServicePlan) -> ServiceStep:
    return next(s for s in plan.steps if s.kind == "mail-rule")


@pytest.mark.parametrize(
    "rules", [(OURS,), (replace(OURS, patterns=("OTHER",)),), (replace(OURS, is_enabled=False),), (OURS, OURS)]
)
def test_the_rule_of_our_name_goes_with_the_last_domain_whatever_somebody_made_of_it(
    rules: tuple[ObservedRule, ...],
) -> None:
    step = rule_step(planned(LONG_GONE, rule=MailRuleContent(rules)))
    assert (step.phase, step.action, step.status) == (Phase.CONTRACT, Action.DELETE, Status.MANUAL)
    assert (len(step.before), step.after) == (1, ())


@pytest.mark.parametrize("rules", [(), (replace(OURS, name="our own rule"),)])
def test_an_equal_rule_of_another_name_is_somebody_elses(rules: tuple[ObservedRule, ...]) -> None:
    plan = planned(LONG_GONE, rule=MailRuleContent(rules))
    step = rule_step(plan)
    assert (step.status, step.action, step.before, step.after) == (Status.DONE, Action.NO_OP, (), ())
    assert plan.diagnostics == ()


def test_the_rule_stays_while_mail_may_come_from_the_gateway() -> None:
    step = rule_step(planned(AT_GATEWAY, rule=MailRuleContent((OURS,))))
    assert step.status is Status.HELD
    assert [g.id for g in step.gates if g.verdict is not Verdict.PASS] == ["switch-observed", "early-removal"]
    just = rule_step(planned(gone(timedelta(hours=1)), rule=MailRuleContent((OURS,))))
    assert (just.status, just.not_before) == (Status.HELD, NOW + timedelta(hours=1))


def test_the_rule_stays_while_a_domain_stays() -> None:
    step = rule_step(planned(LONG_GONE, facts(mx=present(MX_KEY, EU)), rule=MailRuleContent((OURS,))))
    assert (step.phase, step.status, step.before) == (Phase.EXPAND, Status.DONE, step.after)


def test_a_rule_that_cannot_be_read_is_not_taken_for_gone() -> None:
    assert rule_step(planned(LONG_GONE, rule=Unknown(Cause.UNREADABLE, "too old"))).status is Status.UNKNOWN


def test_a_rule_that_people_attest_goes_until_they_attest_it_no_more() -> None:
    attested = (attestation(what="mail-rule"),)
    assert rule_step(planned(LONG_GONE, attested=attested)).status is Status.MANUAL
    assert rule_step(planned(LONG_GONE)).status is Status.DONE


def test_addresses_that_people_attest_go_until_they_attest_them_no_more() -> None:
    without_export = AllowlistFact(ServiceAllowlist(PLAIN, None, SOURCE), None)
    (step,) = planned(LONG_GONE, allowlist=without_export, attested=(attestation(),), has_rule=False).steps
    assert (step.id, step.phase, step.status) == ("acme/hq/plain/stale", Phase.CONTRACT, Status.MANUAL)
    assert (step.before, step.after) == (EU_ADDRESSES, ())
    assert "attestation" in step.reason
    (held,) = planned(AT_GATEWAY, allowlist=without_export, attested=(attestation(),), has_rule=False).steps
    assert held.status is Status.HELD
    (done,) = planned(LONG_GONE, allowlist=without_export, has_rule=False).steps
    assert (done.status, done.reason) == (Status.DONE, "nobody attests that it lets the gateway in")


def moved_to_au(
    *attested: Attestation, alone_for: timedelta | None = timedelta(days=4), values: tuple[str, ...] = ()
) -> ServicePlan:
    """The move from eu to au, which have one MX host without multi-region: nothing in DNS changes but the values.

    `alone_for` is for how long the values of au have stood alone, as far as remembered.
    """
    declared = ready_domain(region="au", attestations=attested)
    first_seen = {} if alone_for is None else {WANTED_VALUES_ALONE: NOW - alone_for}
    history = replace(settled(AU), first_seen=first_seen)
    known = facts(declared, txt=present(TXT_KEY, PRIMARY, *values), mx=present(MX_KEY, AU), history=history)
    entries = AllowlistContent(read_entries((*EU_ADDRESSES, *AU_ADDRESSES)))
    allowlist = AllowlistFact(ServiceAllowlist(PLAIN, "exports/list", SOURCE), entries)
    return planned(known, allowlist=allowlist, region="au", attested=attested, has_rule=False)


@pytest.mark.parametrize(
    ("attested", "status"),
    [
        ((), Status.HELD),
        ((attestation(what="console"),), Status.HELD),
        ((attestation(what="console", region="eu"),), Status.HELD),
        ((attestation(what="console", region="au"),), Status.MANUAL),
        ((attestation(what="console", region="au", expires=NOW.date() - timedelta(days=1)),), Status.HELD),
    ],
)
def test_between_regions_of_one_mx_host_only_the_console_shows_the_move(
    attested: tuple[Attestation, ...], status: Status
) -> None:
    assert AU == EU
    done, stale = moved_to_au(*attested).steps
    assert (done.status, stale.id, stale.status) == (Status.DONE, "acme/hq/plain/stale", status)
    assert set(stale.before) - set(stale.after) == set(EU_ADDRESSES)
    assert stale.gates[-1].id == "console"


@pytest.mark.parametrize(
    ("alone_for", "values", "evidence"),
    [
        (timedelta(hours=71), (), "may relay from the old region until 2026-11-21 13:00"),
        (None, (), "may relay from the old region until 2026-11-24 12:00"),
        (timedelta(days=4), (SECONDARY,), "acme.example still shows a value of another region"),
    ],
)
def test_between_such_regions_the_gateway_is_given_time_to_forget_the_old_ones_value(
    alone_for: timedelta | None, values: tuple[str, ...], evidence: str
) -> None:
    attested = attestation(what="console", region="au")
    _, stale = moved_to_au(attested, alone_for=alone_for, values=values).steps
    assert stale.status is Status.HELD
    assert evidence in stale.gates[-1].evidence


def test_who_leaves_is_not_told_how_to_stay() -> None:
    staying = facts(ready_domain(), mx=present(MX_KEY, EU))
    advice = (
        Advice("restricts-nothing", "it keeps nobody out", "..."),
        Advice("list-not-used", "not looked at", "..."),
    )
    entries = AllowlistContent(read_entries(EU_ADDRESSES), advice=advice)
    allowlist = AllowlistFact(ServiceAllowlist(PLAIN, "exports/list", SOURCE), entries)
    told = {
        len(domains): [d.code for d in planned(*domains, allowlist=allowlist, has_rule=False).diagnostics]
        for domains in ((LONG_GONE,), (staying, LONG_GONE), (staying, staying, staying))
    }
    assert told == {1: [], 2: ["list-not-used"], 3: ["restricts-nothing", "list-not-used"]}
