"""SpamAssassin: a header rule whose score alone reaches the threshold (Mail::SpamAssassin::Conf).

The score is the wanted spam confidence level: both scales call 5 spam unless they are set otherwise. Whatever files
spam by SpamAssassin's verdict, as cPanel's Spam Box does, then files this as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.targets.base import Advice, Output, UnreadableExportError
from reconciler.targets.export_text import read_export_text
from reconciler.targets.mail_rule import MailRuleContent, ObservedRule
from reconciler.targets.rule_comments import commented_rules, has_marker, rule_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.targets.mail_rule import MailRule

DEFAULT_REQUIRED_SCORE = 5.0
_DEFAULT_SCORE = "1"
_MAX_CONFIGURATION = 4 << 20  # octets; rule sets that people add are big
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_HEADER = re.compile(
    rf"header\s+({_NAME})\s+([^\s:]+)(:\S+)?\s*(=~|!~)\s*(?:m?/(.*)/|m\{{(.*)\}})([a-z]*)(.*)", re.ASCII
)
_ANY_HEADER = re.compile(rf"header\s+({_NAME})\s+(.+)", re.ASCII)
_SCORE = re.compile(rf"score\s+({_NAME})\s+(.+)", re.ASCII)
_DESCRIBE = re.compile(rf"describe\s+({_NAME})\s+(.+)", re.ASCII)
_REQUIRED = re.compile(r"required_(?:score|hits)\s+(-?[0-9]{1,6}(?:\.[0-9]{1,6})?)", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,6}(?:\.[0-9]{1,6})?", re.ASCII)
_COMMENT = re.compile(r"(?<!\\)#.*")
_REGEX_MARKS = re.compile(r"[^A-Za-z0-9 _-]")
_NO_TRUST = Advice(
    "spamassassin-trusted-networks",
    "SpamAssassin is not told that the gateway's addresses are trusted",
    "Add them as trusted_networks: SPF and block lists then look at the sender and not at the gateway, through which "
    "all mail comes now.",
)


@dataclass(frozen=True, slots=True)
class SpamAssassin:
    """A `.cf` file in the site's configuration."""

    id: str = "spamassassin"
    title: str = "SpamAssassin rule"
    outputs: tuple[Output, ...] = (Output("gateway-spam.cf", "rules/gateway-spam.cf.j2"),)
    export_outputs: tuple[Output, ...] = (Output("export-spamassassin.sh", "rules/export-spamassassin.sh.j2"),)

    def action(self, rule: MailRule) -> str:
        """The score."""
        return _score_text(str(rule.confidence_level))

    def read(self, text: str) -> MailRuleContent:
        """Every header rule; a later line of the same name counts instead of an earlier one."""
        export = read_export_text(text, target=self.id, raw_section="configuration")
        content = export.text("configuration") or ""
        if len(content) > _MAX_CONFIGURATION:
            raise UnreadableExportError("the configuration is over 4 MiB")
        site = _parse(content)
        rules = (*site.rules(), *_disabled_rules(content))
        # a file that was copied is not all of the site's configuration
        advice = tuple(_advice(site)) if export.made_at else ()
        return MailRuleContent(rules, export.made_at, advice)


@dataclass(slots=True)
class _HeaderRule:
    line: int
    marker: str
    header: str
    patterns: tuple[str, ...]
    further: tuple[str, ...]


@dataclass(slots=True)
class _Site:
    headers: dict[str, _HeaderRule] = field(default_factory=dict)
    scores: dict[str, list[str]] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    required_score: float = DEFAULT_REQUIRED_SCORE
    has_trust: bool = False

    def rules(self) -> Iterator[ObservedRule]:
        """Each header rule, with the score that was set for it last."""
        for symbol, rule in self.headers.items():
            scores = self.scores.get(symbol, [_DEFAULT_SCORE])
            # a rule is switched off by a score of 0 after its own; which one that was, is worth knowing
            working = [score for score in scores if score != "0"]
            yield ObservedRule(
                identity=f"{symbol}, line {rule.line}",
                name=rule.marker or self.descriptions.get(symbol, symbol),
                header=rule.header,
                patterns=rule.patterns,
                action=_score_text(working[-1] if working else "0"),
                is_enabled=scores[-1] != "0",
                further=rule.further,
            )


def _parse(content: str) -> _Site:
    site = _Site()
    marker = ""
    conditions: list[str] = []
    for number, line in enumerate(content.split("\n"), start=1):
        if has_marker(line):
            marker = rule_name(line)
            continue
        text = _COMMENT.sub("", line).strip()
        if not text:
            continue
        word = text.split(None, 1)[0]
        if word in {"if", "ifplugin"}:
            conditions.append(text)
        elif word == "endif" and conditions:
            conditions.pop()
        else:
            _read_line(site, text, number, marker, tuple(f"only {condition}" for condition in conditions))
        marker = ""
    return site


def _read_line(site: _Site, text: str, number: int, marker: str, further: tuple[str, ...]) -> None:
    if found := _ANY_HEADER.fullmatch(text):
        site.headers[found[1]] = _header_rule(text, number, marker, further)
    elif found := _SCORE.fullmatch(text):
        site.scores.setdefault(found[1], []).append(_score(found[2]))
    elif found := _DESCRIBE.fullmatch(text):
        site.descriptions[found[1]] = found[2]
    elif found := _REQUIRED.fullmatch(text):
        site.required_score = float(found[1])
    elif text.startswith("trusted_networks "):
        site.has_trust = True
    elif text.startswith("clear_trusted_networks"):
        site.has_trust = False


def _header_rule(text: str, number: int, marker: str, further: tuple[str, ...]) -> _HeaderRule:
    found = _HEADER.fullmatch(text)
    if found is None:
        return _HeaderRule(number, marker, "", (), (*further, "another test"))
    _, header, part, operator, slashed, braced, flags, rest = found.groups()
    pattern = slashed if slashed is not None else braced
    more = []
    if operator == "!~" or rest.strip():
        more.append(f"tests by {operator}{rest}")
    if part is not None:
        more.append(f"looks at {header}{part}")
    if flags != "i":
        more.append("upper and lower case differ" if "i" not in flags else f"matches with the flags {flags}")
    if _REGEX_MARKS.search(pattern):
        more.append("the pattern is a regular expression")
    return _HeaderRule(number, marker, header, (pattern,), (*further, *more))


def _score(text: str) -> str:
    """One number, where the four sets of scores are equal; as it is written otherwise."""
    parts = text.split()
    if not all(_NUMBER.fullmatch(part) for part in parts):
        return text
    numbers = [f"{float(part) + 0.0:g}" for part in parts]
    return numbers[0] if len(set(numbers)) == 1 else " ".join(numbers)


def _score_text(score: str) -> str:
    return f"score {score}"


def _disabled_rules(content: str) -> Iterator[ObservedRule]:
    for text in commented_rules(content):
        for rule in _parse(text).rules():
            yield ObservedRule(
                rule.identity,
                rule.name,
                rule.header,
                rule.patterns,
                rule.action,
                is_enabled=False,
                further=rule.further,
            )


def _advice(site: _Site) -> Iterator[Advice]:
    if not site.has_trust:
        yield _NO_TRUST
    for symbol, rule in site.headers.items():
        score = site.scores.get(symbol, [_DEFAULT_SCORE])[-1]
        if rule.marker and _NUMBER.fullmatch(score) and 0 < float(score) < site.required_score:
            yield Advice(
                "spamassassin-required-score",
                f"the rule {rule.marker} scores {score}, and {site.required_score:g} is needed to be spam",
                "Lower required_score, or put the gateway's verdict into a filter that files by its header.",
            )
