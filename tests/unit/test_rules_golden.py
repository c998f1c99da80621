"""Spam rules as files that a reviewer reads: what is emitted, and an export for each state that a server can be in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from rules_lab import GOLDEN, TARGETS, emitted, mail_rule, rule_file, state

from reconciler.errors import EmitError
from reconciler.targets.base import UnreadableExportError
from reconciler.targets.mail_rule import RuleState, compare_rule
from reconciler.targets.registry import MAIL_RULE_TARGETS

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.targets.mail_rule import MailRuleTarget

EXPORTS = sorted(GOLDEN.glob("*/*.export"))
MADE_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)

each_target = pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.id)


@each_target
def test_the_emitted_files_are_those_of_the_golden_folder(target: MailRuleTarget) -> None:
    folder = GOLDEN / target.id / "emitted"
    assert emitted(target) == {path.name: path.read_text() for path in folder.iterdir()}


@each_target
def test_every_state_has_its_export(target: MailRuleTarget) -> None:
    assert {path.stem for path in (GOLDEN / target.id).glob("*.export")} == set(RuleState)


def test_no_golden_folder_is_an_orphan() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {target.id for target in TARGETS}


@pytest.mark.parametrize("path", EXPORTS, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_an_export_is_in_the_state_of_its_name(path: Path) -> None:
    target = MAIL_RULE_TARGETS[path.parent.name]
    assert state(target, path.read_text()) == path.stem
    assert target.read(path.read_text()).made_at == MADE_AT


@pytest.mark.parametrize("path", EXPORTS, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_a_cut_off_export_is_never_read(path: Path) -> None:
    """Wherever it is cut, only the whole says something; a rest that a cut file shows is no absence."""
    text = path.read_text()
    target = MAIL_RULE_TARGETS[path.parent.name]
    for end in range(len(text)):
        with pytest.raises(UnreadableExportError):
            target.read(text[:end])


@each_target
def test_what_is_emitted_reads_back_as_the_wanted_rule(target: MailRuleTarget) -> None:
    assert state(target, rule_file(target)) is RuleState.EQUAL


@each_target
def test_another_catalog_gives_another_rule(target: MailRuleTarget) -> None:
    """Nothing of the rule is repeated in code or templates."""
    changed = {"name": "Other", "header": "X-Other", "pattern": "BAD", "confidence_level": 9}
    text = rule_file(target, **changed)
    assert "PERCEPTION" not in text.upper()
    rule = mail_rule(**changed)
    assert compare_rule(rule, target.read(text), action=target.action(rule)) is RuleState.EQUAL
    assert state(target, text) is RuleState.ABSENT


@each_target
@pytest.mark.parametrize(
    "changed",
    [
        {"name": "Rule\nrequire"},
        {"name": "R\u2019s"},
        {"header": 'X" {'},
        {"header": "X\nY"},
        {"pattern": 'FAIL" then fail'},
        {"pattern": "FAIL/i\nscore"},
        {"pattern": "F\u00c4IL"},
    ],
    ids=repr,
)
def test_hostile_values_are_refused_or_inert(target: MailRuleTarget, changed: dict[str, str]) -> None:
    try:
        text = rule_file(target, **changed)
    except EmitError:
        return
    rule = mail_rule(**changed)
    assert compare_rule(rule, target.read(text), action=target.action(rule)) is RuleState.EQUAL
    assert len(target.read(text).rules) == 1


@each_target
def test_an_export_of_another_target_is_refused(target: MailRuleTarget) -> None:
    other = "spamassassin" if target.id == "sieve" else "sieve"
    with pytest.raises(UnreadableExportError, match=other):
        target.read((GOLDEN / other / "equal.export").read_text())
