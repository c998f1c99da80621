"""Findings of mail domains: what mends them, who lets them be, and what is known without a step."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from builders import (
    EU,
    EU_MULTI,
    MX_KEY,
    NOW,
    OLD_MX,
    PRIMARY,
    SOURCE,
    TXT_KEY,
    document,
    domain,
    facts,
    present,
    settled,
)
from drift_builders import HOUR, RULE, SWITCHED, TOKENS, by_code, diagnostic, drift, wrote

from reconciler.drift import DriftClass, DriftSeverity
from reconciler.drift.hazards import HAZARD_CODES
from reconciler.drift.services import _CODES, _SUMMARIES
from reconciler.history import History
from reconciler.journal.entries import Event, EventKind, KnownDomain
from reconciler.manifest.fleet import DriftIgnore, Lifecycle, Verification
from reconciler.manifest.rules import KNOWN_FINDINGS
from reconciler.names import Name
from reconciler.plan import Status
from reconciler.state import Cause, Unknown


def test_an_orphan_is_seen_since_the_last_look_at_it() -> None:
    given = facts(txt=TOKENS, mx=present(MX_KEY, EU))
    made = document(given)
    orphan = made.model_copy(
        update={
            "diagnostics": [
                *made.diagnostics,
                diagnostic("orphaned", "left.example", "left.example is declared no more"),
            ]
        }
    )
    known = {Name("left.example."): KnownDomain("acme", Lifecycle.ACTIVE, True, False, NOW - 9 * HOUR)}  # noqa: FBT003
    (found,) = drift(given, document=orphan, known=known, files={"acme": SOURCE.file})
    assert (found.cause.drift_class, found.domain, found.first_seen) == (
        DriftClass.ORPHANED,
        "left.example",
        NOW - 9 * HOUR,
    )
    assert found.source is not None
    assert found.source.file == SOURCE.file


@pytest.mark.parametrize(
    ("rule", "is_ignored"),
    [
        (RULE, True),
        (replace(RULE, resource="MX"), True),
        (replace(RULE, resource="acme.example"), True),
        (replace(RULE, resource="mx Acme.example."), True),
        (replace(RULE, resource="TXT"), False),
        (replace(RULE, finding="unapplied"), True),
        (replace(RULE, finding="out-of-band"), False),
        (replace(RULE, finding="ttl"), False),
        (replace(RULE, expires=NOW.date()), True),
        (replace(RULE, expires=NOW.date() - timedelta(days=1)), False),
    ],
)
def test_an_ignore_rule_speaks_of_a_code_or_a_class_and_of_a_resource(rule: DriftIgnore, *, is_ignored: bool) -> None:
    found = drift(facts(domain(ignore_drift=(rule,)), txt=TOKENS, mx=present(MX_KEY, EU, OLD_MX)))
    assert [f.ignored_by for f in found] == [rule if is_ignored else None]


def test_rules_may_name_every_code_that_there_is() -> None:
    """A code that no rule may name could never be ignored; one that there is not would be ignored for nothing."""
    classes = {c.value for c in DriftClass}
    steps = {*_CODES.values(), *_SUMMARIES, "token-missing", "token-surplus", "mx-not-gateway", "mx-other-gateway"}
    steps |= {"mx-not-switched", "mx-not-returned", "ttl", "not-visible-everywhere"}
    assert classes | steps | HAZARD_CODES == KNOWN_FINDINGS


def test_what_an_operator_has_to_enter_by_hand_is_told_so() -> None:
    given = facts(mx=present(MX_KEY, OLD_MX))
    made = document(given)
    by_hand = [
        d.model_copy(update={"steps": [s.model_copy(update={"status": Status.MANUAL}) for s in d.steps]})
        for d in made.domains
    ]
    found = by_code(drift(given, document=made.model_copy(update={"domains": by_hand})))["token-missing"]
    assert "`reconciler emit instructions --out DIR --domain acme.example`" in found.repair


def test_what_ends_by_itself_says_when() -> None:
    given = facts(mx=present(MX_KEY, OLD_MX))
    made = document(given)
    held = [
        d.model_copy(
            update={"steps": [s.model_copy(update={"status": Status.HELD, "not_before": NOW + HOUR}) for s in d.steps]}
        )
        for d in made.domains
    ]
    found = by_code(drift(given, document=made.model_copy(update={"domains": held})))["token-missing"]
    assert found.repair == "Wait: the first `reconciler apply` after 2026-11-21 13:00+00:00 goes on with it."
    assert (found.severity, found.cause.drift_class) == (DriftSeverity.INFO, DriftClass.PENDING)


def test_a_step_that_nobody_advises_on_points_to_the_plan() -> None:
    given = facts(mx=present(MX_KEY, OLD_MX))
    made = document(given)
    held = [
        d.model_copy(update={"steps": [s.model_copy(update={"status": Status.HELD, "gates": []}) for s in d.steps]})
        for d in made.domains
    ]
    found = by_code(drift(given, document=made.model_copy(update={"domains": held})))["token-missing"]
    assert found.repair == "`reconciler plan` shows the gates that it waits for."


def test_an_outdated_value_that_nobody_names_is_the_manifests_matter() -> None:
    declared = domain(verification=Verification("primary-token", None))
    found = by_code(drift(facts(declared, txt=TOKENS, mx=present(MX_KEY, EU_MULTI))))["retired-value-unnamed"]
    assert (found.cause.drift_class, found.cause.is_certain) == (DriftClass.UNAPPLIED, True)


def test_an_error_while_mail_goes_through_the_gateway_is_critical() -> None:
    """A null MX beside the gateway's, where others may stand: senders take the domain for one without mail."""
    declared = domain(mx_exclusive=False)
    found = by_code(drift(facts(declared, txt=TOKENS, mx=present(MX_KEY, EU, "0 ."))))["null-mx"]
    assert (found.severity, found.cause.drift_class, found.cause.is_certain) == (
        DriftSeverity.CRITICAL,
        DriftClass.OUT_OF_BAND,
        False,
    )


def test_values_that_are_gone_while_a_domain_leaves_are_somebodys_where_they_were_written() -> None:
    leaving = domain(lifecycle=Lifecycle.OFFBOARDED)
    given = facts(leaving, mx=present(MX_KEY, EU))
    found = by_code(drift(given, events=(wrote(TXT_KEY, (), (PRIMARY,)),)))["token-removed"]
    assert (found.severity, found.cause.drift_class, found.cause.is_certain) == (
        DriftSeverity.CRITICAL,
        DriftClass.OUT_OF_BAND,
        True,
    )


def test_an_mx_beside_a_shared_one_that_came_between_two_looks_is_somebodys() -> None:
    declared = domain(mx_exclusive=False)
    seen = Event(NOW - 9 * HOUR, EventKind.MX_SEEN, values=(EU,), ttl=3600)
    given = facts(declared, txt=TOKENS, mx=present(MX_KEY, EU, OLD_MX), history=settled(EU))
    assert by_code(drift(given, events=(seen,)))["bypass-mx"].cause.is_certain


def test_a_ttl_that_waits_is_on_its_way() -> None:
    given = facts(domain(switch_ttl=60), txt=TOKENS, mx=present(MX_KEY, EU, ttl=60), history=History())
    found = by_code(drift(given))["ttl"]
    assert (found.severity, found.cause.drift_class) == (DriftSeverity.INFO, DriftClass.PENDING)


def test_a_server_that_is_silent_after_an_apply_is_unknown() -> None:
    given = facts(txt=TOKENS, mx=Unknown(Cause.TIMEOUT, "nobody answers"))
    assert by_code(drift(given, events=(SWITCHED,)))["not-observed"].cause.drift_class is DriftClass.UNKNOWN


def test_a_name_that_cannot_be_read_is_unknown_even_where_no_step_says_so() -> None:
    given = facts(txt=TOKENS, mx=present(MX_KEY, EU))
    made = document(given)
    told = made.model_copy(update={"diagnostics": [diagnostic("delegated", "acme.example", "it is cut off")]})
    assert by_code(drift(given, document=told))["delegated"].cause.drift_class is DriftClass.UNKNOWN
