"""The emitted spam rule runs under PowerShell, against a stub of the cmdlets that keeps state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from exchange_builders import RULE, SPAM_RULE, rule_emission, rule_scripts, transport_rule
from exchange_lab import Lab, find_pwsh

from reconciler.targets.mail_rule import RuleState, compare_rule
from reconciler.targets.registry import MAIL_RULE_TARGETS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


@pytest.fixture(name="pwsh", scope="module")
def pwsh_on_the_path() -> str:
    return find_pwsh()


def rule_lab(pwsh: str, folder: Path, *rules: dict[str, Any]) -> Lab:
    return Lab(pwsh, folder, {"Rules": list(rules)})


def rule_state(lab: Lab) -> RuleState:
    target = MAIL_RULE_TARGETS[RULE]
    text = lab.export(rule_scripts(rule_emission())["export-spam-rule.ps1"])
    return compare_rule(SPAM_RULE, target.read(text), action=target.action(SPAM_RULE))


OTHER = transport_rule(
    Guid="6f1d0f0c-0000-4000-8000-000000000002", Name="Another", HeaderMatchesMessageHeader="X-Other"
)


@pytest.mark.parametrize(
    ("rule", "summary"),
    [
        (None, "created"),
        (transport_rule(HeaderMatchesMessageHeader="X-Old"), "corrected"),
        (transport_rule(HeaderMatchesPatterns=["FAIL", "MAYBE"]), "corrected"),
        (transport_rule(SetSCL="9"), "corrected"),
        (transport_rule(Mode="Audit"), "corrected"),
        (transport_rule(State="Disabled"), "enabled"),
        (transport_rule(State="Disabled", SetSCL="5"), "corrected, enabled"),
    ],
)
def test_the_spam_rule_is_made_corrected_and_enabled_once(
    pwsh: str, tmp_path: Path, rule: dict[str, Any] | None, summary: str
) -> None:
    lab = rule_lab(pwsh, tmp_path, OTHER, *([rule] if rule else []))
    script = rule_scripts(rule_emission())["spam-rule.ps1"]
    first = lab.run(script)
    assert (first.code, first.summary) == (0, f"Summary: {summary}."), first.output
    assert rule_state(lab) is RuleState.EQUAL
    second = lab.run(script)
    assert second.summary == "Summary: in sync, nothing to change."
    assert second.state["Changes"] == first.state["Changes"]
    assert OTHER in second.state["Rules"]


def test_what_if_makes_no_spam_rule(pwsh: str, tmp_path: Path) -> None:
    ran = rule_lab(pwsh, tmp_path, OTHER).run(rule_scripts(rule_emission())["spam-rule.ps1"], WhatIf=True)
    assert (ran.code, ran.state["Changes"]) == (0, []), ran.output
    assert ran.summary == "Summary: the rule is missing, and was not made."


def test_an_equal_rule_under_another_name_counts_and_is_left_alone(pwsh: str, tmp_path: Path) -> None:
    lab = rule_lab(pwsh, tmp_path, transport_rule(Name="Gateway spam"))
    ran = lab.run(rule_scripts(rule_emission())["spam-rule.ps1"])
    assert ran.summary == "Summary: in sync: an equal rule is there, named Gateway spam."
    assert ran.state["Changes"] == []
    assert rule_state(lab) is RuleState.EQUAL_OTHER_NAME


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ([transport_rule(), transport_rule(Guid="2")], "2 rules are named"),
        ([transport_rule(Name="A"), transport_rule(Name="B", Guid="2")], "2 rules do what the spam rule does: A, B"),
        ([transport_rule(Exceptions=["ExceptIfFromPredicate"])], "further parts: exceptions"),
        ([transport_rule(Conditions=["HeaderMatchesPredicate", "FromScopePredicate"])], "further parts: conditions"),
    ],
)
def test_what_could_be_meant_twice_or_does_more_is_refused(
    pwsh: str, tmp_path: Path, rules: list[dict[str, Any]], reason: str
) -> None:
    ran = rule_lab(pwsh, tmp_path, *rules).run(rule_scripts(rule_emission())["spam-rule.ps1"])
    assert (ran.code, ran.state["Changes"]) == (1, [])
    assert reason in ran.output
