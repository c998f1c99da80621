"""Findings of an origin: what a list lacks, keeps or lets in; the journal never shows who changed one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from builders import (
    CONSOLE,
    EU,
    EU_MULTI,
    MX_KEY,
    NOW,
    OLD_MX,
    PRIMARY,
    SOURCE,
    TXT_KEY,
    attestation,
    catalog,
    facts,
    present,
    settled,
)
from builders import domain as declared_domain

from reconciler.document import PlanHead, build_document
from reconciler.drift import DriftClass, Finding, Looked, find_drift
from reconciler.journal.entries import Event, EventKind
from reconciler.manifest.fleet import DriftIgnore, Service, ServiceAllowlist, ServiceSpamRule
from reconciler.names import Name
from reconciler.origin import AllowlistFact, MailRuleFact, OriginFacts
from reconciler.plan import plan_domain
from reconciler.service_plan import plan_service
from reconciler.state import Cause, Unknown
from reconciler.targets.base import AllowlistContent, DeclaredAllowlist, Intent, read_entries

if TYPE_CHECKING:
    from collections.abc import Sequence

ADDRESSES = ("99.81.216.78", "34.249.190.60", "108.128.137.108", "99.80.189.20")
MULTI = "52.12.169.124"
SERVICE = Service("acme", "hq", "exchange", "mx", "eu", False, (), None, (), (), SOURCE)  # noqa: FBT003
ACME = Name("acme.example.")


def fact(
    observed: AllowlistContent | Unknown | None, *, name: str = "", intent: Intent = Intent.ALLOW
) -> AllowlistFact:
    target = "plain" if intent is Intent.ALLOW else "nftables"
    declared = DeclaredAllowlist(target, name, intent, exclusive=False)
    return AllowlistFact(ServiceAllowlist(declared, "exports/list.txt", SOURCE), observed)


def content(*entries: str, **changes: Any) -> AllowlistContent:  # noqa: ANN401
    return replace(AllowlistContent(read_entries(entries)), **changes)


def drift(
    *lists: AllowlistFact,
    mx: str = EU,
    rule: MailRuleFact | None = None,
    first_seen: dict[str, Any] | None = None,
    events: Sequence[Event] = (),
    ignore: Sequence[DriftIgnore] = (),
) -> list[Finding]:
    """Of the service alone: its domain is in sync, or has not switched."""
    history = replace(settled(mx), first_seen=first_seen or {})
    known = facts(
        declared_domain(attestations=(attestation(), *CONSOLE)),
        txt=present(TXT_KEY, PRIMARY),
        mx=present(MX_KEY, mx),
        history=history,
    )
    plan = plan_service(OriginFacts(SERVICE, lists, rule), [known], catalog())
    head = PlanHead(
        commit=None, manifests_digest="m", catalog_digest="c", created_at=NOW, expires_at=NOW + timedelta(hours=1)
    )
    document = build_document(head, [plan_domain(known, provider="bind", new_ttl=3600)], [], [plan])
    looked = Looked(document, [known], timelines={ACME: events}, ignore={("acme", "hq"): ignore})
    return [f for f in find_drift(looked) if not f.domain]


@pytest.mark.parametrize(("mx", "severity"), [(EU, "high"), (OLD_MX, "low")])
def test_a_list_that_lacks_an_address_is_worse_while_mail_comes_from_there(mx: str, severity: str) -> None:
    (found,) = drift(fact(content(*ADDRESSES[:3])), mx=mx)
    assert (found.code, found.severity.value) == ("allowlist-address-missing", severity)
    assert (set(found.expected) - set(found.observed), found.cause.is_certain) == ({ADDRESSES[3]}, False)
    assert "reconciler emit allowlists" in found.repair


def test_what_was_done_once_was_changed_by_somebody_or_is_declared_otherwise() -> None:
    closed = Event(NOW - timedelta(days=9), EventKind.DIFFERENCE_CLOSED, "acme/hq/plain")
    (found,) = drift(fact(content(*ADDRESSES[:3])), events=[closed])
    assert (found.cause.drift_class, found.cause.is_certain) == (DriftClass.OUT_OF_BAND, False)


def test_an_address_that_is_no_longer_used_is_low_and_waits() -> None:
    (found,) = drift(fact(content(*ADDRESSES, MULTI)), mx=EU_MULTI)
    assert (found.code, found.severity.value, found.cause.drift_class.value) == ("allowlist-stale", "info", "pending")
    assert "switch-observed" in found.held_by


def test_an_origin_that_was_restricted_once_and_is_open_is_high() -> None:
    open_list = fact(content(*ADDRESSES), intent=Intent.RESTRICT)
    (found,) = drift(open_list)
    assert (found.code, found.severity.value) == ("not-restricted", "low")
    step = f"{found.resource.name}/restrict" if found.resource else ""
    (again,) = drift(open_list, events=[Event(NOW - timedelta(days=9), EventKind.DIFFERENCE_CLOSED, step)])
    assert (again.severity.value, again.fingerprint) == ("high", found.fingerprint)


def test_an_export_that_cannot_be_read_is_unknown() -> None:
    (found,) = drift(fact(Unknown(Cause.STALE_EXPORT, "the export is 9 days old")))
    assert (found.code, found.cause.drift_class, found.severity.value) == ("not-observed", DriftClass.UNKNOWN, "medium")
    assert found.summary.endswith("could not be read: the export is 9 days old")


def test_a_spam_rule_that_is_not_there_is_low() -> None:
    (found,) = drift(rule=MailRuleFact(ServiceSpamRule(None, None, SOURCE), None))
    assert (found.code, found.severity.value, found.resource is not None and found.resource.kind) == (
        "spam-rule",
        "low",
        "mail-rule",
    )


def test_since_when_is_what_the_journal_kept_for_the_service() -> None:
    since = NOW - timedelta(hours=80)
    (found,) = drift(fact(content(*ADDRESSES[:3])), mx=OLD_MX, first_seen={"acme/hq/plain": since})
    assert (found.first_seen, found.severity.value) == (since, "medium")


def test_two_lists_of_one_kind_are_two_findings_even_with_names_like_steps() -> None:
    lists = [fact(content(*ADDRESSES[:3]), name=name) for name in ("one", "stale", "restrict")]
    found = drift(*lists)
    assert [f.code for f in found] == ["allowlist-address-missing"] * 3
    assert len({f.fingerprint for f in found}) == 3


def test_the_rules_of_the_service_let_it_be() -> None:
    rule = DriftIgnore("allowlist-address-missing", "plain", "ops@acme.example", "soon", NOW.date(), SOURCE)
    (found,) = drift(fact(content(*ADDRESSES[:3])), ignore=[rule])
    assert found.ignored_by is rule
