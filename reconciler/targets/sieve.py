"""Sieve (RFC 5228) as Dovecot's Pigeonhole runs it: a script for everybody, before each user's own.

The rule stores what the gateway marked in the folder Junk, which is made where it is missing (RFC 5490), and stops:
no later script and no rule of the user moves it elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.targets.base import Advice, Output, UnreadableExportError
from reconciler.targets.export_text import read_export_text
from reconciler.targets.mail_rule import MailRuleContent, ObservedRule
from reconciler.targets.rule_comments import commented_rules, rule_name
from reconciler.targets.sieve_syntax import Node, SieveSyntaxError, parse_sieve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.targets.export_text import ExportText
    from reconciler.targets.mail_rule import MailRule
    from reconciler.targets.sieve_syntax import Argument

ACTION = 'fileinto :create "Junk"; stop;'
_MAX_SCRIPT = 1 << 20  # octets, sieve_max_script_size
_NOT_INCLUDED = Advice(
    "sieve-not-included",
    "Dovecot does not run the script before the users' own",
    "Name the script, or the folder that it is in, in `sieve_before`, and reload Dovecot.",
)
_ENDS = frozenset({"stop", "return"})
_CASEMAP = "i;ascii-casemap"  # the comparator where a test names none, RFC 5228 section 2.7.3
_WILDCARDS = re.compile(r"[*?\\]")
_REGEX_MARKS = re.compile(r"[^A-Za-z0-9 _-]")


@dataclass(frozen=True, slots=True)
class Sieve:
    """A script in the place that `sieve_before` of Dovecot names."""

    id: str = "sieve"
    title: str = "Sieve script of Dovecot"
    outputs: tuple[Output, ...] = (Output("gateway-spam.sieve", "rules/gateway-spam.sieve.j2"),)
    export_outputs: tuple[Output, ...] = (Output("export-sieve.sh", "rules/export-sieve.sh.j2"),)

    def action(self, rule: MailRule) -> str:
        """The same for every rule: Sieve has no level of confidence."""
        del rule
        return ACTION

    def read(self, text: str) -> MailRuleContent:
        """Every `if` of the script; none of them works where Dovecot does not include the script."""
        export = read_export_text(text, target=self.id, raw_section="script")
        script = export.text("script")
        if script is None:
            return MailRuleContent((), export.made_at)
        if len(script) > _MAX_SCRIPT:
            raise UnreadableExportError("the script is over 1 MiB, which is more than Dovecot takes by default")
        try:
            rules = (*_rules(parse_sieve(script)), *_disabled_rules(script))
        except SieveSyntaxError as exc:
            message = f"the script cannot be read: {exc}"
            raise UnreadableExportError(message) from exc
        if _is_included(export):
            return MailRuleContent(rules, export.made_at)
        off = tuple(replace(rule, is_enabled=False) for rule in rules)
        return MailRuleContent(off, export.made_at, (_NOT_INCLUDED,))


def _is_included(export: ExportText) -> bool:
    """Whether a script location names the script or its folder; a bare script does not say, and counts."""
    locations = export.lines("sieve_before")
    if locations is None:
        return True
    places = {location.split(";", 1)[0].strip().removeprefix("file:").rstrip("/") for location in locations}
    return any({script, script.rpartition("/")[0]} & places for script in export.lines("path") or ())


def _rules(commands: Sequence[Node], outer: tuple[str, ...] = ()) -> Iterator[ObservedRule]:
    is_reached = True
    for command in commands:
        if command.name in _ENDS:
            is_reached = False
        if command.name in {"if", "elsif"}:
            further = outer if command.name == "if" else (*outer, "only where no test before it was true")
            rule = _rule(command, further)
            yield rule if is_reached else replace(rule, is_enabled=False)
        if command.block:
            yield from _rules(command.block, (*outer, f"inside of the {command.name} of line {command.line}"))


def _disabled_rules(content: str) -> Iterator[ObservedRule]:
    for text in commented_rules(content):
        try:
            commands = parse_sieve(text)
        except SieveSyntaxError:
            continue  # a comment that people wrote
        yield from (replace(rule, is_enabled=False) for rule in _rules(commands))


def _rule(command: Node, further: tuple[str, ...]) -> ObservedRule:
    test, is_enabled = _enabled_test(command)
    header, patterns, more = _condition(test)
    return ObservedRule(
        identity=f"line {command.line}",
        name=rule_name(command.comment),
        header=header,
        patterns=patterns,
        action=_action(command.block or ()),
        is_enabled=is_enabled,
        further=(*further, *more),
    )


def _enabled_test(command: Node) -> tuple[Node | None, bool]:
    """The test, and whether it can ever be true: `if false # the test` is how Roundcube switches a rule off."""
    test = _only(command.tests)
    if test is None or test.name != "false":
        parts = test.tests if test is not None and test.name == "allof" else ()
        rest = tuple(part for part in parts if part.name != "false")
        return (test, True) if len(rest) == len(parts) else (_only(rest), False)
    for comment in command.inner_comments:
        try:
            hidden = parse_sieve(f"if {comment} {{}}")
        except SieveSyntaxError:
            continue  # a comment that people wrote
        return _only(hidden[0].tests), False
    return test, False


def _only(tests: tuple[Node, ...]) -> Node | None:
    """The one test there is, without an `anyof` or `allof` of one."""
    while len(tests) == 1 and tests[0].name in {"anyof", "allof"} and len(tests[0].tests) == 1:
        tests = tests[0].tests
    return tests[0] if len(tests) == 1 else None


def _condition(test: Node | None) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The header and the patterns of a `header` test, and what else it asks for."""
    if test is None or test.name != "header" or test.tests:
        return "", (), ("another condition",)
    match_type, comparator, rest = _match(test.arguments)
    strings = [argument for argument in rest if isinstance(argument, tuple)]
    if len(strings) != 2 or len(rest) != 2:  # noqa: PLR2004 - header names and keys, RFC 5228 section 5.7
        return "", (), ("another condition",)
    names, keys = strings
    further = []
    if len(names) != 1:
        further.append("other headers too")
    if comparator != _CASEMAP:
        further.append(f"compares by {comparator}")
    patterns = tuple(_substring(match_type, key) for key in keys)
    if None in patterns:
        further.append(f"matches by {match_type}")
    return names[0] if names else "", tuple(p or k for p, k in zip(patterns, keys, strict=True)), tuple(further)


def _match(arguments: tuple[Argument, ...]) -> tuple[str, str, tuple[Argument, ...]]:
    match_type, comparator = ":is", _CASEMAP
    rest: list[Argument] = []
    remaining = iter(arguments)
    for argument in remaining:
        if argument == ":comparator":
            given = next(remaining, ())
            comparator = "".join(given)
        elif argument in {":is", ":contains", ":matches", ":regex"}:
            match_type = str(argument)
        else:
            rest.append(argument)
    return match_type, comparator, tuple(rest)


def _substring(match_type: str, key: str) -> str | None:
    """The text that must be somewhere in the value, or None where more than that is asked for."""
    if match_type == ":contains" or (match_type == ":regex" and not _REGEX_MARKS.search(key)):
        return key
    inner = key[1:-1]
    is_within = match_type == ":matches" and len(key) > 2 and key[0] == key[-1] == "*"  # noqa: PLR2004 - two stars
    return inner if is_within and not _WILDCARDS.search(inner) else None


def _action(block: Sequence[Node]) -> str:
    return " ".join(_command_text(command) for command in block)


def _command_text(command: Node) -> str:
    parts = [command.name, *(_argument_text(argument) for argument in command.arguments)]
    return " ".join(parts) + (" {...}" if command.block is not None else ";")


def _argument_text(argument: Argument) -> str:
    if isinstance(argument, str):
        return argument
    quoted = [f'"{text}"' for text in argument]
    return quoted[0] if len(quoted) == 1 else f"[{', '.join(quoted)}]"
