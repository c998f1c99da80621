"""Exim's own filter language (Exim filter specification), in the two places where it is used.

* `exim-system-filter`: once for each message, on plain Exim and on cPanel. It must not choose a folder, because one
  message may go to several people: it adds `X-Spam-Flag: YES`, the header that mail programs and Sieve know.
* `exim-filter`: for one recipient, in `.forward` or a file that a router names. It stores in the Maildir folder Junk.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.targets.base import Advice, Output, UnreadableExportError
from reconciler.targets.exim_syntax import Conditional, EximFilterSyntaxError, Word, parse_exim_filter
from reconciler.targets.export_text import read_export_text
from reconciler.targets.mail_rule import MailRuleContent, ObservedRule
from reconciler.targets.rule_comments import commented_rules, rule_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.targets.exim_syntax import Branch, Item
    from reconciler.targets.mail_rule import MailRule

SYSTEM_ACTION = 'headers remove X-Spam-Flag headers add "X-Spam-Flag: YES"'
USER_ACTION = "save $home/Maildir/.Junk/ finish"
_MAX_FILTER = 1 << 20  # octets
_USER_MARK = re.compile(r"#\s*exim\s+filter\b", re.IGNORECASE | re.ASCII)  # section 3.1
_HEADER = re.compile(r"\$\{?(?:r|b)?h(?:eader)?_([!-9;-z|~]+):?\}?", re.ASCII)
_REGEX_MARKS = re.compile(r"[^A-Za-z0-9 _-]")
_NOT_IN_USE = Advice(
    "exim-system-filter-unset",
    "Exim has no system filter",
    "Set `system_filter` to the filter's path, and reload Exim; on cPanel, choose a System Filter File in WHM.",
)


@dataclass(frozen=True, slots=True)
class EximSystemFilter:
    """The filter that `system_filter` names."""

    id: str = "exim-system-filter"
    title: str = "Exim system filter"
    outputs: tuple[Output, ...] = (Output("gateway-spam.filter", "rules/system.filter.j2"),)
    export_outputs: tuple[Output, ...] = (Output("export-filter.sh", "rules/export-system-filter.sh.j2"),)

    def action(self, rule: MailRule) -> str:
        """The same for every rule: a mark has no level of confidence."""
        del rule
        return SYSTEM_ACTION

    def read(self, text: str) -> MailRuleContent:
        """Every `if` of the filter."""
        export = read_export_text(text, target=self.id, raw_section="filter")
        content = export.text("filter")
        is_unset = not "".join(export.lines("system_filter") or ("/",)).strip()
        rules = () if content is None or is_unset else _read_rules(content)
        return MailRuleContent(rules, export.made_at, (_NOT_IN_USE,) if is_unset else ())


@dataclass(frozen=True, slots=True)
class EximFilter:
    """One recipient's filter."""

    id: str = "exim-filter"
    title: str = "Exim filter of a recipient"
    outputs: tuple[Output, ...] = (Output("gateway-spam.forward", "rules/user.forward.j2"),)
    export_outputs: tuple[Output, ...] = (Output("export-filter.sh", "rules/export-user-filter.sh.j2"),)

    def action(self, rule: MailRule) -> str:
        """The same for every rule: a folder has no level of confidence."""
        del rule
        return USER_ACTION

    def read(self, text: str) -> MailRuleContent:
        """Every `if` of the filter; without `# Exim filter` in its first line the file is something else."""
        export = read_export_text(text, target=self.id, raw_section="filter")
        content = export.text("filter")
        if content is None:
            return MailRuleContent((), export.made_at)
        if not _USER_MARK.match(content):
            raise UnreadableExportError("the first line is not `# Exim filter`: the file is no filter to Exim")
        return MailRuleContent(_read_rules(content), export.made_at)


def _read_rules(content: str) -> tuple[ObservedRule, ...]:
    if len(content) > _MAX_FILTER:
        raise UnreadableExportError("the filter is over 1 MiB")
    try:
        items = parse_exim_filter(content)
    except EximFilterSyntaxError as exc:
        message = f"the filter cannot be read: {exc}"
        raise UnreadableExportError(message) from exc
    return (*_rules(items), *_disabled_rules(content))


def _disabled_rules(content: str) -> Iterator[ObservedRule]:
    for text in commented_rules(content):
        try:
            items = parse_exim_filter(text)
        except EximFilterSyntaxError:
            continue  # a comment that people wrote
        yield from (replace(rule, is_enabled=False) for rule in _rules(items))


def _rules(items: Sequence[Item], outer: tuple[str, ...] = ()) -> Iterator[ObservedRule]:
    is_reached = True
    for item in items:
        if isinstance(item, Word):
            is_reached = is_reached and (item.is_quoted or item.text != "finish")
            continue
        for i, branch in enumerate(item.branches):
            further = (*outer, "only where no condition before it was true") if i else outer
            if branch.condition:
                rule = _rule(item, branch, further)
                yield rule if is_reached else replace(rule, is_enabled=False)
            yield from _rules(branch.body, (*outer, f"inside of the if of line {item.line}"))


def _rule(item: Conditional, branch: Branch, further: tuple[str, ...]) -> ObservedRule:
    header, patterns, more = _condition(branch.condition)
    return ObservedRule(
        identity=f"line {branch.condition[0].line}",
        name=rule_name(item.comment),
        header=header,
        patterns=patterns,
        action=_action(branch.body),
        further=(*further, *more),
    )


def _action(body: Sequence[Item]) -> str:
    return " ".join(str(item) if isinstance(item, Word) else "if {...}" for item in body)


def _condition(words: tuple[Word, ...]) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The header and the pattern of `$h_NAME: contains TEXT`, and what else is asked for.

    `first_delivery and` before it asks for nothing more: a retry finds the header that the first attempt left.
    """
    tested = _without_brackets(words)
    if [str(word) for word in tested[:2]] == ["first_delivery", "and"]:
        tested = _without_brackets(tested[2:])
    header = _HEADER.fullmatch(tested[0].text) if tested else None
    if len(tested) != 3 or header is None:  # noqa: PLR2004 - what, how, pattern
        return "", (), ("another condition",)
    how, pattern = tested[1].text, tested[2].text
    is_substring = how == "contains" or (how == "matches" and not _REGEX_MARKS.search(pattern))
    return header[1], (pattern,), () if is_substring else (f"compares by {how}",)


def _without_brackets(words: tuple[Word, ...]) -> tuple[Word, ...]:
    while len(words) > 2 and (str(words[0]), str(words[-1])) == ("(", ")") and _closes_at_end(words):  # noqa: PLR2004
        words = words[1:-1]
    return words


def _closes_at_end(words: tuple[Word, ...]) -> bool:
    """Whether the bracket at the beginning is closed by the one at the end."""
    depth = 0
    for i, word in enumerate(words):
        depth += {"(": 1, ")": -1}.get("" if word.is_quoted else word.text, 0)
        if depth == 0:
            return i == len(words) - 1
    return False
