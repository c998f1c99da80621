"""Laws of the readers of spam rules: any text gives a result or is unreadable, and what is foreign changes nothing."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from rules_lab import GOLDEN, TARGETS, rule_file, state

from reconciler.targets.base import UnreadableExportError
from reconciler.targets.mail_rule import MailRuleContent, RuleState
from reconciler.targets.registry import MAIL_RULE_TARGETS

if TYPE_CHECKING:
    from reconciler.targets.mail_rule import MailRuleTarget

EXPORTS = {path: path.read_text() for path in sorted(GOLDEN.glob("*/*.export"))}
SCRAPS = st.sampled_from(
    [
        *'{}[]();"#\\\n/*',
        "if ",
        "then ",
        "endif ",
        "false ",
        "text:\n",
        "allof (",
        "header ",
        "score GW 1e9",
        "rule:[x]",
    ]
)

targets = st.sampled_from(TARGETS)


def _reads_or_refuses(target: MailRuleTarget, text: str) -> None:
    with suppress(UnreadableExportError):
        assert isinstance(target.read(text), MailRuleContent)


@given(targets, st.text() | st.lists(SCRAPS).map("".join))
def test_any_text_gives_a_result_or_is_unreadable(target: MailRuleTarget, text: str) -> None:
    _reads_or_refuses(target, text)
    _reads_or_refuses(target, f"{text}\n")
    _reads_or_refuses(target, f"# Exim filter\n{text}\n")


@given(st.sampled_from(sorted(EXPORTS)), st.data())
def test_a_damaged_export_gives_a_result_or_is_unreadable(path: object, data: st.DataObject) -> None:
    text = next(content for known, content in EXPORTS.items() if known == path)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    scrap = data.draw(st.text(max_size=5) | SCRAPS)
    target = next(t for known, t in MAIL_RULE_TARGETS.items() if f"{known}/" in f"{path}")
    _reads_or_refuses(target, text[:start] + scrap + text[end:])


@given(targets, st.lists(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)), max_size=5))
def test_comments_change_nothing(target: MailRuleTarget, lines: list[str]) -> None:
    """Whatever people write into comments after the rule, unless it is another rule that is switched off."""
    comments = "".join(f"# {line.replace('rule:', '')}\n" for line in lines)
    assert state(target, f"{rule_file(target)}{comments}") is RuleState.EQUAL
