"""Postfix: a CIDR table of its own for `check_client_access`, or for postscreen.

cidr_table(5): the first line that fits decides; access(5) and postscreen(8): what the results mean. Postfix only warns
about a line that it cannot use, and goes on without it: here such a line makes the whole table unreadable.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from reconciler.addresses import AddressSet, address_set, parse_address_set
from reconciler.targets.access_result import Replies, judge_lines, read_replies
from reconciler.targets.base import (
    Advice,
    AllowlistContent,
    DeclaredAllowlist,
    Enforcement,
    Entry,
    Intent,
    Output,
    UnreadableExportError,
)
from reconciler.targets.export_text import read_export_text, shown
from reconciler.targets.networks import block_entries, read_networks
from reconciler.targets.origin_limits import message_size_advice, octets, rate_limit_advice
from reconciler.targets.words import choice_problems

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_EVERYBODY = parse_address_set(("0.0.0.0/0", "::/0"))
_MAX_MIXED_RULES = 5000  # every permit is compared with every refusal before it
_DEFAULT_MESSAGE_OCTETS = "10240000"  # postconf(5), message_size_limit
_EXEMPTION = "Add the gateway's addresses to smtpd_client_event_limit_exceptions."
_CLIENT_LIMITS = {
    # what postconf(5) gives as their defaults
    "smtpd_client_connection_count_limit": "50",
    "smtpd_client_connection_rate_limit": "0",
    "smtpd_client_message_rate_limit": "0",
    "smtpd_client_recipient_rate_limit": "0",
}


@dataclass(frozen=True, slots=True)
class PostfixAccess:
    """The table of `check_client_access cidr:...`."""

    id: str = "postfix-access"
    title: str = "Postfix client access table"
    intents: frozenset[Intent] = frozenset(Intent)
    options: frozenset[str] = frozenset({"action"})
    is_readable: bool = True
    outputs: tuple[Output, ...] = (
        Output("gateway_access.cidr", "allowlists/postfix_access.cidr.j2"),
        Output("check.sh", "allowlists/postfix_access_check.sh.j2"),
    )
    export_outputs: tuple[Output, ...] = (Output("export.sh", "allowlists/postfix_access_export.sh.j2"),)

    def problems(self, declared: DeclaredAllowlist) -> tuple[str, ...]:
        """`action` is what becomes of everybody else."""
        return choice_problems(declared, "action", ("reject", "defer"))

    def read(self, text: str, declared: DeclaredAllowlist) -> AllowlistContent:
        """The table, and advice from the settings where the export has them."""
        export = read_export_text(text, target=self.id, raw_section="table")
        # DUNNO lets a client on to what comes next: enough where the table keeps others out, no exemption elsewhere
        permitting = {"ok", "permit"} | ({"dunno"} if declared.intent is Intent.RESTRICT else set())
        settings = dict(_setting(line) for line in export.lines("postconf") or () if line.strip())
        table = _read_table(export.lines("table") or (), permitting, read_replies(settings))
        advice = (*table.advice(declared.intent), *(_settings_advice(settings, table.entries) if settings else ()))
        return AllowlistContent(table.entries, export.made_at, advice=advice, refusal=table.refusal)


@dataclass(frozen=True, slots=True)
class PostfixPostscreen:
    """A table of `postscreen_access_list`: it lets the gateway past the tests, and is no place to keep others out."""

    id: str = "postfix-postscreen"
    title: str = "Postfix postscreen access list"
    intents: frozenset[Intent] = frozenset({Intent.ALLOW})
    options: frozenset[str] = frozenset()
    is_readable: bool = True
    outputs: tuple[Output, ...] = (
        Output("postscreen_access.cidr", "allowlists/postfix_postscreen.cidr.j2"),
        Output("check.sh", "allowlists/postfix_postscreen_check.sh.j2"),
    )
    export_outputs: tuple[Output, ...] = (Output("export.sh", "allowlists/postfix_postscreen_export.sh.j2"),)

    def read(self, text: str, declared: DeclaredAllowlist) -> AllowlistContent:
        """The lines that permit."""
        export = read_export_text(text, target=self.id, raw_section="table")
        table = _read_table(export.lines("table") or (), {"permit"}, Replies())
        return AllowlistContent(table.entries, export.made_at, advice=tuple(table.advice(declared.intent)))


@dataclass(frozen=True, slots=True)
class _Table:
    """What a table permits, the lines that do not, everybody that those keep out, and how."""

    entries: tuple[Entry, ...]
    refusals: tuple[Entry, ...]
    refused: AddressSet
    refusal: Enforcement

    def advice(self, intent: Intent) -> Iterator[Advice]:
        """What the table alone tells."""
        others = [
            e.written for e in self.refusals if parse_address_set([e.written]) - _EVERYBODY or e.interval.size < 1 << 32
        ]
        if others:
            summary = f"the table has lines that do not permit, as for {others[0]}: the emitted table is without them"
            detail = (
                "Move them to a second table, listed after the gateway's own, before the emitted one replaces this."
            )
            yield Advice("postfix-mixed-table", summary, detail)
        if intent is Intent.RESTRICT and _EVERYBODY - self.refused - address_set(e.interval for e in self.entries):
            summary = "the table keeps nobody out: it does not end with 0.0.0.0/0 and ::/0"
            detail = "When the plan says that it may, emit again and put the table in place."
            yield Advice("restricts-nothing", summary, detail)


def _read_table(lines: Iterable[str], permitting: set[str], replies: Replies) -> _Table:
    rules = [_rule(line) for line in _logical_lines(lines)]
    patterns = read_networks(pattern for pattern, _ in rules)
    verdicts = [_is_permit(result, permitting) for _, result in rules]
    if len(rules) > _MAX_MIXED_RULES and len(list(groupby(verdicts))) > 2:  # noqa: PLR2004 - permits, then refusals
        summary = f"the table mixes permits and refusals over more than {_MAX_MIXED_RULES} lines"
        raise UnreadableExportError(summary)
    entries: list[Entry] = []
    refusals: list[Entry] = []
    refused = AddressSet()
    for permits, run in groupby(zip(verdicts, patterns, strict=True), key=lambda pair: pair[0]):
        members = [pattern for _, pattern in run]
        if permits:
            entries.extend(_not_refused(members, refused))
        else:
            refusals.extend(members)
            refused |= address_set(m.interval for m in members) - address_set(e.interval for e in entries)
    results = [result for permits, (_, result) in zip(verdicts, rules, strict=True) if not permits]
    judged = judge_lines(zip(refusals, map(replies.of, results), strict=True), refused)
    return _Table(tuple(entries), tuple(refusals), refused - judged.passed, judged.refusal)


def _not_refused(members: list[Entry], refused: AddressSet) -> Iterator[Entry]:
    if not refused:
        yield from members
        return
    for member in members:
        left = address_set([member.interval]) - refused
        if left.intervals == (member.interval,):
            yield member
        else:
            for interval in left.intervals:
                yield from block_entries(interval)


def _logical_lines(lines: Iterable[str]) -> list[str]:
    """cidr_table(5), "multi-line text": white space in front continues the line before."""
    logical: list[str] = []
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace() and not logical:
            summary = f"the table begins with a continued line, {shown(line)}"
            raise UnreadableExportError(summary)
        if line[0].isspace():
            logical[-1] += line
        else:
            logical.append(line)
    return logical


def _rule(line: str) -> tuple[str, str]:
    words = line.split(None, 1)
    if words[0].startswith("!") or words[0].lower() in {"if", "endif"}:
        summary = f"the table has {shown(line)}: `!`, `if` and `endif` are not understood here"
        raise UnreadableExportError(summary)
    if len(words) == 1:
        summary = f"the table's line {shown(line)} has no result; Postfix would skip it"
        raise UnreadableExportError(summary)
    pattern = words[0].removeprefix("[").replace("]", "", 1) if words[0].startswith("[") else words[0]
    return pattern, words[1].strip()


def _is_permit(result: str, permitting: set[str]) -> bool:
    """access(5): OK, or digits alone where OK counts; a restriction such as `permit` may stand there as well."""
    return result.lower() in permitting or (result.isascii() and result.isdigit() and "ok" in permitting)


def _setting(line: str) -> tuple[str, str]:
    name, equals, value = line.partition("=")
    if not equals:
        summary = f"the export's settings have a line that is none: {shown(line)}"
        raise UnreadableExportError(summary)
    return name.strip(), value.strip()


def _words(value: str) -> set[str]:
    return set(value.replace(",", " ").split())


def _settings_advice(settings: dict[str, str], entries: tuple[Entry, ...]) -> Iterator[Advice]:
    limit = octets(settings.get("message_size_limit", _DEFAULT_MESSAGE_OCTETS))
    if limit is not None:
        yield from message_size_advice("message_size_limit", limit)
    exempt = _words(settings.get("smtpd_client_event_limit_exceptions", ""))
    for name, default in _CLIENT_LIMITS.items():
        value = settings.get(name, default)
        if value not in {"0", default} and not exempt.issuperset(e.written for e in entries):
            yield rate_limit_advice(name, value, _EXEMPTION)
    networks = _words(settings.get("mynetworks", ""))
    trusted = [e.written for e in entries if e.written in networks or f"{e.written}/32" in networks]
    if trusted:
        summary = f"mynetworks has {trusted[0]}: it may send through the server to anyone"
        yield Advice("open-relay", summary, "Take the gateway's addresses out of mynetworks; the table is enough.")
    restrictions = " ".join(value for name, value in settings.items() if name.endswith("_restrictions"))
    if restrictions and "check_client_access" not in restrictions:
        summary = "no restriction of Postfix names check_client_access: the table is not looked at"
        detail = (
            "Begin smtpd_client_restrictions with check_client_access cidr: and the table's path, then postfix reload."
        )
        yield Advice("list-not-used", summary, detail)
