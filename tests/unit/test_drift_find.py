"""Findings of mail domains: codes, severities, and since when."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from builders import (
    EU,
    EU_MULTI,
    MX_KEY,
    NOW,
    OLD_MX,
    PRIMARY,
    SECONDARY,
    TXT_KEY,
    domain,
    facts,
    observation,
    present,
    settled,
)
from drift_builders import HOUR, SWITCHED, TOKENS, by_code, drift, wrote

from reconciler.drift import DriftClass, DriftSeverity
from reconciler.history import TOKENS_VISIBLE, History
from reconciler.manifest.fleet import Lifecycle, Verification
from reconciler.names import Name
from reconciler.state import Absent, Cause, Unknown

if TYPE_CHECKING:
    from reconciler.journal.entries import Event


def test_what_is_as_declared_is_no_finding() -> None:
    assert drift(facts(txt=TOKENS, mx=present(MX_KEY, EU))) == []


def test_a_step_that_was_reviewed_goes_on_by_itself_and_is_no_drift() -> None:
    """Its gates may be open by now; whoever moved it since is told all the same."""
    due = facts(txt=TOKENS, mx=present(MX_KEY, OLD_MX), history=settled(OLD_MX))
    reviewed = frozenset({"acme.example/mx"})
    assert by_code(drift(due))["mx-not-switched"].cause.drift_class is DriftClass.UNAPPLIED
    assert by_code(drift(due, reviewed=reviewed))["mx-not-switched"].cause.drift_class is DriftClass.PENDING
    moved = by_code(drift(due, events=(SWITCHED,), reviewed=reviewed))["mx-not-gateway"]
    assert moved.cause.drift_class is DriftClass.OUT_OF_BAND


@pytest.mark.parametrize(
    ("given", "events", "code", "severity", "drift_class"),
    [
        ({"mx": (EU,)}, (), "token-removed", "critical", "unapplied"),
        ({"mx": (EU,)}, (wrote(TXT_KEY, (), (PRIMARY,)),), "token-removed", "critical", "out-of-band"),
        ({"txt": (PRIMARY,), "mx": ("5 x.",)}, (SWITCHED,), "mx-not-gateway", "critical", "out-of-band"),
        ({"txt": (PRIMARY,), "mx": (EU, OLD_MX)}, (), "bypass-mx", "high", "unapplied"),
        ({"txt": (PRIMARY,), "mx": (EU_MULTI,)}, (SWITCHED,), "mx-other-gateway", "high", "out-of-band"),
        ({"txt": (PRIMARY,), "mx": (EU_MULTI,)}, (), "mx-other-gateway", "low", "unapplied"),
        ({"txt": (PRIMARY, SECONDARY), "mx": (EU,)}, (), "token-surplus", "low", "unapplied"),
        ({"txt": (PRIMARY,), "mx": (OLD_MX,)}, (), "mx-not-switched", "low", "unapplied"),
        ({"mx": (OLD_MX,)}, (), "token-missing", "low", "unapplied"),
        ({"mx": (OLD_MX,)}, (), "mx-not-switched", "info", "pending"),
    ],
)  # fmt: skip
def test_every_difference_has_a_code_a_class_and_a_severity(
    given: dict[str, tuple[str, ...]], events: tuple[Event, ...], code: str, severity: str, drift_class: str
) -> None:
    txt = present(TXT_KEY, *given["txt"]) if "txt" in given else None
    mx = present(MX_KEY, *given["mx"])
    found = by_code(drift(facts(txt=txt, mx=mx, history=settled(*given["mx"])), events=events))[code]
    assert (found.severity.value, found.cause.drift_class.value) == (severity, drift_class)
    assert found.summary
    assert found.repair


def test_while_mail_goes_through_the_gateway_a_missing_value_is_worse() -> None:
    declared = domain(multi_region=True)
    found = by_code(drift(facts(declared, txt=TOKENS, mx=present(MX_KEY, EU_MULTI))))
    assert found["token-missing"].severity is DriftSeverity.HIGH


def test_a_ttl_is_a_low_finding() -> None:
    found = drift(facts(domain(ttl=600), txt=TOKENS, mx=present(MX_KEY, EU, ttl=600)))
    assert [(f.code, f.severity.value, f.expected[-1], f.observed[-1]) for f in found] == [
        ("ttl", "low", "TTL 600", "TTL 3600")
    ]


def test_what_waits_for_too_long_is_more_than_that() -> None:
    history = replace(settled(OLD_MX), first_seen={"acme.example/mx": NOW - 73 * HOUR})
    found = by_code(drift(facts(mx=present(MX_KEY, OLD_MX), history=history)))["mx-not-switched"]
    assert (found.severity, found.first_seen) == (DriftSeverity.MEDIUM, NOW - 73 * HOUR)
    assert found.held_by[0] == "token-visible"


def test_unverified_for_three_days_is_a_finding() -> None:
    history = replace(
        settled(OLD_MX), first_seen={TOKENS_VISIBLE: NOW - 80 * HOUR, "acme.example/verified": NOW - HOUR}
    )
    given = facts(domain(attestations=()), txt=TOKENS, mx=present(MX_KEY, OLD_MX), history=history)
    found = by_code(drift(given))["verified"]
    assert (found.severity.value, found.cause.drift_class.value) == ("medium", "pending")
    assert found.first_seen == NOW - HOUR


def test_changed_next_hops_are_seen_since_the_manifest_changed() -> None:
    history = replace(settled(EU), next_hops=(Name("old.acme.example."),), next_hops_since=NOW - 5 * HOUR)
    given = facts(domain(attestations=()), txt=TOKENS, mx=present(MX_KEY, EU), history=history)
    found = by_code(drift(given))["next-hops-changed"]
    assert (found.severity.value, found.first_seen, found.resource) == ("medium", NOW - 5 * HOUR, None)


def test_an_mx_beside_a_shared_one_is_somebodys_where_the_journal_saw_none() -> None:
    declared = domain(mx_exclusive=False)
    mx = present(MX_KEY, EU, OLD_MX)
    found = by_code(drift(facts(declared, txt=TOKENS, mx=mx), events=(wrote(MX_KEY, (), (EU,)),)))["bypass-mx"]
    assert (found.severity.value, found.cause.drift_class.value, found.cause.is_certain) == (
        "high",
        "out-of-band",
        True,
    )
    found = by_code(drift(facts(declared, txt=TOKENS, mx=mx)))["bypass-mx"]
    assert not found.cause.is_certain


def test_what_cannot_be_read_is_unknown_with_its_cause() -> None:
    found = by_code(drift(facts(txt=Unknown(Cause.TIMEOUT, "nobody answers"), mx=present(MX_KEY, EU))))["not-observed"]
    assert (found.cause.drift_class, found.severity, found.summary) == (
        DriftClass.UNKNOWN,
        DriftSeverity.MEDIUM,
        "nobody answers",
    )


def test_an_alias_at_a_domain_that_was_behind_the_gateway_is_critical() -> None:
    given = facts(txt=TOKENS, mx=Unknown(Cause.CNAME, "it is a CNAME"), history=settled(EU))
    found = drift(given)
    assert [(f.code, f.severity.value, f.cause.drift_class.value) for f in found] == [
        ("cname-apex", "critical", "unknown")
    ]
    assert "Remove the CNAME" in found[0].repair


def test_what_was_applied_and_is_not_at_every_server_is_on_its_way() -> None:
    seen = observation(MX_KEY, present(MX_KEY, EU), present(MX_KEY, OLD_MX))
    (found,) = drift(facts(txt=TOKENS, mx=seen), events=(wrote(MX_KEY, (OLD_MX,), (EU,)),))
    assert (found.code, found.cause.drift_class) == ("not-visible-everywhere", DriftClass.PENDING)
    stranger = observation(MX_KEY, present(MX_KEY, EU), Absent())
    (found,) = drift(facts(txt=TOKENS, mx=stranger), events=(wrote(MX_KEY, (OLD_MX,), (EU,)),))
    assert found.cause.drift_class is DriftClass.UNKNOWN


def test_a_domain_that_leaves_is_told_until_its_mx_is_back() -> None:
    leaving = domain(lifecycle=Lifecycle.OFFBOARDED)
    found = by_code(drift(facts(leaving, txt=TOKENS, mx=present(MX_KEY, EU))))
    assert (
        found["mx-not-returned"].summary
        == "acme.example is declared to leave the gateway, and its MX is still to go back"
    )


def test_the_worst_comes_first_and_a_fingerprint_stays_while_it_lasts() -> None:
    given = facts(mx=present(MX_KEY, EU, OLD_MX))
    first = drift(given)
    assert [f.severity.value for f in first] == ["critical", "high"]
    later = drift(replace(given, now=NOW + 99 * HOUR), events=(wrote(TXT_KEY, (), (PRIMARY,)),))
    assert [f.fingerprint for f in later] == [f.fingerprint for f in first]
    assert [f.cause.drift_class for f in later] != [f.cause.drift_class for f in first]
    assert len({f.fingerprint for f in first}) == 2


def test_a_domain_that_nobody_looked_at_before_accuses_nobody() -> None:
    declared = domain(verification=Verification("primary-token", None))
    found = drift(facts(declared, mx=present(MX_KEY, OLD_MX), history=History()))
    assert {f.cause.drift_class for f in found} <= {DriftClass.UNAPPLIED, DriftClass.PENDING}
