"""What a document says that can be told, and what it knows."""

from __future__ import annotations

import pytest
from notify_builders import DAY, applied, drift, finding, held, result, unread

from reconciler.notify.look import look_of_apply, look_of_drift
from reconciler.notify.record import Subject

FINGERPRINT = "acme|acme.example|mx-not-gateway"
ACME = ("acme", "acme.example")


def test_what_nobody_ignores_can_be_told_and_what_is_ignored_is_still_there() -> None:
    look = look_of_drift(drift(finding(), finding(code="ttl", is_ignored=True)), DAY)
    assert list(look.drift) == [FINGERPRINT]
    assert look.present == {FINGERPRINT, "acme|acme.example|ttl"}
    assert look.drift[FINGERPRINT].about == "MX acme.example"


@pytest.mark.parametrize(
    ("change", "is_told"),
    [
        ({"hours": 24}, True),
        ({"hours": 23}, False),
        ({"held_by": []}, False),
        ({"is_ignored": True}, False),
    ],
)
def test_a_hold_is_told_when_it_is_old_enough_and_counts(change: dict[str, object], is_told: bool) -> None:  # noqa: FBT001
    look = look_of_drift(drift(held(**change)), DAY)  # type: ignore[arg-type]
    assert bool(look.holds) is is_told


def test_a_finding_is_over_when_its_domain_was_looked_at_and_lacks_it() -> None:
    matter = look_of_drift(drift(finding()), DAY).drift[FINGERPRINT]
    assert look_of_drift(drift(), DAY).is_over(matter)
    assert not look_of_drift(drift(finding()), DAY).is_over(matter)
    assert not look_of_drift(drift(finding(is_ignored=True)), DAY).is_over(matter), "ignored is not gone"
    assert not look_of_drift(drift(domains=[("acme", "other.example")]), DAY).is_over(matter)
    assert not look_of_drift(drift(domains=[("globex", "acme.example")]), DAY).is_over(matter)


@pytest.mark.parametrize(
    "other",
    [
        unread(),
        unread(is_ignored=True),
        finding(code="not-visible-everywhere", **{"class": "pending"}),
    ],
)
def test_a_state_that_is_not_known_ends_nothing(other: dict[str, object]) -> None:
    matter = look_of_drift(drift(finding()), DAY).drift[FINGERPRINT]
    assert not look_of_drift(drift(other), DAY).is_over(matter)


def test_an_error_about_a_domain_means_that_its_state_is_not_known() -> None:
    matter = look_of_drift(drift(finding()), DAY).drift[FINGERPRINT]
    told = {"severity": "error", "code": "x", "summary": "x", "detail": "x", "domain": "acme.example"}
    assert not look_of_drift(drift(diagnostics=[told]), DAY).is_over(matter)
    assert look_of_drift(drift(diagnostics=[{**told, "severity": "warning"}]), DAY).is_over(matter)


def test_what_is_about_a_service_ends_by_a_look_at_no_fewer_domains() -> None:
    both = [ACME, ("acme", "b.example")]
    looked = look_of_drift(drift(finding("", "allowlist-stale"), domains=both), DAY)
    (matter,) = looked.drift.values()
    assert matter.breadth == 2
    assert not look_of_drift(drift(domains=[ACME]), DAY).is_over(matter)
    assert not look_of_drift(drift(domains=[("globex", "a"), ("globex", "b")]), DAY).is_over(matter)
    assert not look_of_drift(drift(unread(""), domains=both), DAY).is_over(matter)
    assert look_of_drift(drift(unread(), domains=both), DAY).is_over(matter)
    assert look_of_drift(drift(domains=both), DAY).is_over(matter)


def test_only_what_surely_waits_for_no_gate_is_unheld() -> None:
    look = look_of_drift(drift(finding(), held("b.example"), unread("c.example")), DAY)
    assert look.unheld == {FINGERPRINT}


@pytest.mark.parametrize(
    ("change", "is_told"),
    [
        ({}, True),
        ({"is_seen": False}, False),
        ({"phase": "expand"}, False),
        ({"became": "failed"}, False),
        ({"became": "already done", "steps": []}, False),
        ({"became": "stale", "steps": []}, False),
    ],
)
def test_a_switch_is_told_when_it_was_written_and_seen(change: dict[str, object], is_told: bool) -> None:  # noqa: FBT001
    look = look_of_apply(applied(result(**change)))  # type: ignore[arg-type]
    assert bool(look.switches) is is_told
    assert all(m.subject is Subject.SWITCH and m.after == ("0 eu.mx-pp.com.",) for m in look.switches)


def test_switches_of_two_applies_are_two() -> None:
    first, again, later = (look_of_apply(applied(result(), at=at)).switches[0] for at in (_T, _T, _T + DAY))
    assert first.identity == again.identity != later.identity


def test_texts_that_are_kept_have_a_bounded_length() -> None:
    long = "x" * 100_000
    step = finding(domain=long, summary=long, repair=long, held_by=[long] * 100, age_hours=30)
    matter = look_of_drift(drift(step), DAY).holds[step["fingerprint"]]
    assert len(repr(matter)) < 200_000  # the fingerprint is the test's own
    assert len(matter.summary) == 300
    assert len(matter.held_by) == 6
    assert matter.held_by[-1] == "95 more"


_T = drift().created_at
