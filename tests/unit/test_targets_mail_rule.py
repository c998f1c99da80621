"""How the wanted spam rule compares with what a server has."""

from __future__ import annotations

from dataclasses import replace

import pytest
from exchange_builders import SPAM_RULE

from reconciler.targets.mail_rule import MailRuleContent, ObservedRule, RuleState, compare_rule

ACTION = "SetSCL 6"
OURS = ObservedRule("1", SPAM_RULE.name, SPAM_RULE.header, (SPAM_RULE.pattern,), ACTION)
OTHER = replace(OURS, identity="2", name="Gateway spam")


def state(*rules: ObservedRule) -> RuleState:
    return compare_rule(SPAM_RULE, MailRuleContent(rules), action=ACTION)


def test_a_rule_that_is_there_is_equal() -> None:
    assert state(OURS) is RuleState.EQUAL


def test_names_and_headers_compare_without_case() -> None:
    assert state(replace(OURS, name=OURS.name.upper(), header=OURS.header.lower())) is RuleState.EQUAL


def test_a_rule_with_the_right_content_that_is_off_is_disabled() -> None:
    assert state(replace(OURS, is_enabled=False)) is RuleState.DISABLED


@pytest.mark.parametrize(
    "changes",
    [
        {"header": "X-OTHER"},
        {"patterns": ()},
        {"patterns": ("FAIL", "MAYBE")},
        {"patterns": ("fail",)},
        {"action": "SetSCL 9"},
        {"is_enforced": False},
        {"further": ("exceptions",)},
        {"header": "X-OTHER", "is_enabled": False},
    ],
)
def test_our_rule_with_anything_else_differs(changes: dict[str, object]) -> None:
    assert state(replace(OURS, **changes)) is RuleState.DIFFERS  # type: ignore[arg-type]


def test_an_equal_rule_under_another_name_stands_for_ours() -> None:
    assert state(OTHER) is RuleState.EQUAL_OTHER_NAME


@pytest.mark.parametrize("changes", [{"is_enabled": False}, {"is_enforced": False}, {"further": ("conditions",)}])
def test_a_rule_under_another_name_that_does_not_work_as_ours_does_not_stand_for_it(changes: dict[str, object]) -> None:
    assert state(replace(OTHER, **changes)) is RuleState.ABSENT  # type: ignore[arg-type]


def test_our_rule_counts_whatever_else_there_is() -> None:
    assert state(OURS, OTHER, replace(OTHER, identity="3")) is RuleState.EQUAL
    assert state(replace(OURS, is_enabled=False), OTHER) is RuleState.DISABLED


def test_two_that_could_be_meant_are_ambiguous() -> None:
    assert state(OURS, replace(OURS, identity="2", is_enabled=False)) is RuleState.AMBIGUOUS
    assert state(OTHER, replace(OTHER, identity="3", name="Spam of the gateway")) is RuleState.AMBIGUOUS


def test_nothing_is_absent() -> None:
    assert state() is RuleState.ABSENT
