"""What Exchange would refuse is known before a script is emitted."""

from __future__ import annotations

import pytest
from exchange_builders import (
    FILTER,
    INBOUND,
    LIST_TARGETS,
    RECEIVE,
    declared,
    emission,
    rule_emission,
    rule_scripts,
)
from powershell_syntax import literals, parse

from reconciler.targets.exchange_limits import find_allowlist_excess, find_mail_rule_excess
from reconciler.targets.mail_rule import MailRule


def test_what_fits_exceeds_nothing() -> None:
    assert all(find_allowlist_excess(emission(declared(t))) == () for t in LIST_TARGETS)
    assert find_mail_rule_excess(rule_emission()) == ()


@pytest.mark.parametrize(
    ("target", "changes", "reason"),
    [
        (RECEIVE, {"declared": declared(RECEIVE, name="x" * 65)}, "longer than 64"),
        (FILTER, {"keep": ("192.0.2.1",) * 1270}, "1274 entries, and 1273"),
        (FILTER, {"gateway": ("2001:db8::1",)}, "no IPv4 address"),
        (FILTER, {"gateway": ("192.0.2.0/23",)}, "more than 256"),
        (INBOUND, {"gateway": ("2001:db8::1",)}, "no IPv4 address"),
        (INBOUND, {"gateway": ("192.0.0.0/16",)}, "more than 256"),
        (INBOUND, {"gateway": ("192.0.2.1-192.0.2.9",)}, "is a range"),
    ],
)
def test_what_exchange_would_refuse_is_said_before(target: str, changes: dict[str, object], reason: str) -> None:
    (found,) = find_allowlist_excess(emission(declared(target), **changes))
    assert reason in found


def test_a_range_is_taken_by_the_connection_filter() -> None:
    assert find_allowlist_excess(emission(declared(FILTER), gateway=("192.0.2.1-192.0.2.9",))) == ()


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (MailRule("x" * 65, "X", "FAIL", 6), "longer than 64"),
        (MailRule("R", " ", "FAIL", 6), "no condition"),
        (MailRule("R", "X", "", 6), "no condition"),
        (MailRule("R", "X", "FAIL", 10), "none of -1 to 9"),
        (MailRule("R", "X", "F" * 8200, 6), "8192 is the most"),
    ],
)
def test_a_rule_that_exchange_would_refuse_is_said_before(rule: MailRule, reason: str) -> None:
    (found,) = find_mail_rule_excess(rule_emission(rule=rule))
    assert reason in found


def test_a_comment_that_is_too_long_is_said_before() -> None:
    (found,) = find_mail_rule_excess(rule_emission(service="x" * 1000))
    assert "1024 is the most" in found


def test_the_longest_names_of_a_manifest_make_a_comment_that_fits() -> None:
    """The template's own words are not more than the check takes them for."""
    script = rule_scripts(rule_emission())["spam-rule.ps1"]
    words = next(t for t in literals(parse(script)) if t.startswith("For the e-mail gateway"))
    assert len(words) <= 80
    assert find_mail_rule_excess(rule_emission(service="s" * 63, organization="o" * 63)) == ()
