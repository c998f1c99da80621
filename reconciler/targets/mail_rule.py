"""The spam rule at the origin: what is wanted, what a server has, and how the two compare. Pure.

The rule is ours by its name. An equal rule under another name does the same work and is reported; it is never touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.targets.base import Advice, Output


@dataclass(frozen=True, slots=True)
class MailRule:
    """The rule that is wanted: mail whose header `header` matches `pattern` gets the spam confidence level.

    `pattern` is found anywhere in the header's value. The values are the catalog's.
    """

    name: str
    header: str
    pattern: str
    confidence_level: int


@dataclass(frozen=True, slots=True)
class ObservedRule:
    """One rule as a server has it, written as the target writes it.

    `identity` is how the server names it without doubt (a GUID, a line). `action` is what `MailRuleTarget.action` gives
    for the same deed. `is_enforced` is False for one that only audits. `further` says what else it has that makes it do
    more or less than the wanted rule (conditions, exceptions, actions, dates), empty where there is nothing.
    """

    identity: str
    name: str
    header: str
    patterns: tuple[str, ...]
    action: str
    is_enabled: bool = True
    is_enforced: bool = True
    further: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MailRuleContent:
    """The rules of an export: all of them, or those with the wanted name or header; `made_at` as the export says."""

    rules: tuple[ObservedRule, ...]
    made_at: datetime | None = None
    advice: tuple[Advice, ...] = ()


class RuleState(StrEnum):
    """How the wanted rule compares with what a server has."""

    ABSENT = "absent"
    EQUAL = "equal"
    EQUAL_OTHER_NAME = "equal-other-name"
    DIFFERS = "differs"
    DISABLED = "disabled"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class MailRuleEmission:
    """What the templates of a spam rule get, as `mail_rule`."""

    organization: str
    service: str
    rule: MailRule


class MailRuleTarget(Protocol):
    """A kind of server that can act on the gateway's header."""

    @property
    def id(self) -> str:
        """As manifests name it, as `sieve`."""
        ...

    @property
    def title(self) -> str:
        """As people name it."""
        ...

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The files that bring the rule in line."""
        ...

    @property
    def export_outputs(self) -> tuple[Output, ...]:
        """The command or script that makes the export; empty where there is none."""
        ...

    def action(self, rule: MailRule) -> str:
        """What the wanted rule does, in the words in which `read` gives it."""
        ...

    def read(self, text: str) -> MailRuleContent:
        """What an export says. Raises UnreadableExportError."""
        ...


def compare_rule(rule: MailRule, content: MailRuleContent, *, action: str) -> RuleState:
    """How the wanted rule, which does `action`, compares with the rules of an export.

    The one rule of the wanted name counts, whatever else there is. Without it, one working rule that does the same
    stands for it; two that do are ambiguous, as are two of the wanted name, because nobody can say which one is meant.
    """
    named = [r for r in content.rules if r.name.casefold() == rule.name.casefold()]
    if len(named) > 1:
        return RuleState.AMBIGUOUS
    if named:
        if not _does_the_same(named[0], rule, action):
            return RuleState.DIFFERS
        return RuleState.EQUAL if named[0].is_enabled else RuleState.DISABLED
    equal = [r for r in content.rules if r.is_enabled and _does_the_same(r, rule, action)]
    if len(equal) > 1:
        return RuleState.AMBIGUOUS
    return RuleState.EQUAL_OTHER_NAME if equal else RuleState.ABSENT


def _does_the_same(observed: ObservedRule, rule: MailRule, action: str) -> bool:
    """Header names compare without case (RFC 5322 section 1.2.2), patterns as they are written."""
    return (
        observed.header.casefold() == rule.header.casefold()
        and observed.patterns == (rule.pattern,)
        and observed.action == action
        and observed.is_enforced
        and not observed.further
    )
