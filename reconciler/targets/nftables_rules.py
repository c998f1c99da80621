"""The rules of a ruleset in JSON (libnftables-json(5)): whether everybody else is refused on port 25.

What a firewall has for this computer itself, for open connections, for single clients and against floods is not about
everybody else. A statement that is not known may hold for some.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.targets.base import UnreadableExportError
from reconciler.targets.packet_filter import Extent, FilterRule, PacketFilter, Verdict, common_extent

if TYPE_CHECKING:
    from collections.abc import Iterator

_SMTP = (25, "smtp")
_TCP = ("tcp", 6)
_VERDICTS = {"accept": Verdict.ACCEPT, "drop": Verdict.REFUSE, "reject": Verdict.REFUSE, "return": Verdict.BACK}
_LOOKING_ON = frozenset({"counter", "log", "mangle", "notrack", "set"})
_ALWAYS_HOOKS = frozenset({"input", "forward"})
_WIDE_LENGTH = 8  # a block with a shorter prefix is not a single client


@dataclass(frozen=True, slots=True)
class _Base:
    """A chain that packets come to."""

    key: str
    hook: str
    policy: Verdict


def refuses_others(document: object, names: frozenset[str]) -> bool:
    """Whether a ruleset, as `nft -j list ruleset` lists it, refuses some of everybody else on port 25.

    `names` are the gateway's own sets. Looked at are the hooks whose rules name them or the port; where none does,
    input and forward.

    Raises:
        UnreadableExportError: it is no list of nft.

    """
    bases, rules, telling = _read(document, names)
    packet_filter = PacketFilter(rules)
    hooks = {base.hook for base in bases if packet_filter.reachable(base.key) & telling} or _ALWAYS_HOOKS
    return any(packet_filter.refuses(base.key, base.policy) for base in bases if base.hook in hooks)


def _read(document: object, names: frozenset[str]) -> tuple[list[_Base], dict[str, list[FilterRule]], set[str]]:
    """The base chains, the rules of every chain, and the chains with a rule that names the port or a set."""
    objects = document.get("nftables") if isinstance(document, dict) else None
    if not isinstance(objects, list):
        raise UnreadableExportError("the export's ruleset is no list of nft: it has no array `nftables`")
    bases: list[_Base] = []
    rules: dict[str, list[FilterRule]] = {}
    telling: set[str] = set()
    for item in objects:
        match item:
            case {"chain": {"family": str(family), "table": str(table), "name": str(name), **further}}:
                key = f"{family} {table} {name}"
                rules.setdefault(key, [])
                if further.get("type") == "filter":
                    policy = Verdict.ACCEPT if further.get("policy", "accept") == "accept" else Verdict.REFUSE
                    bases.append(_Base(key, str(further.get("hook")), policy))
            case {"rule": {"family": str(family), "table": str(table), "chain": str(name), "expr": list(statements)}}:
                key = f"{family} {table} {name}"
                rules.setdefault(key, []).extend(_rules(statements, f"{family} {table} "))
                if any(_is_telling(statement, names) for statement in statements):
                    telling.add(key)
            case {"chain": _} | {"rule": _}:
                raise UnreadableExportError("the export's ruleset has a chain or a rule without its family or table")
    return bases, rules, telling


def _is_telling(statement: object, names: frozenset[str]) -> bool:
    match statement:
        case {"match": {"right": str(right)}} if right.removeprefix("@") in names and right.startswith("@"):
            return True
        case {"match": {"left": {"payload": {"field": "dport"}}, "right": right}}:
            return _is_among(_SMTP, right)
        case {"vmap": {"key": {"payload": {"field": "dport"}}, "data": {"set": list(pairs)}}}:
            return any(isinstance(pair, list) and _is_among(_SMTP, pair[:1]) for pair in pairs)
        case _:
            return False


def _rules(statements: list[object], prefix: str) -> Iterator[FilterRule]:
    """A rule, as one for each verdict in it; one that only looks on is none."""
    extents: list[Extent] = []
    is_limited = False
    for statement in statements:
        match statement:
            case {"match": {"op": str(op), "left": left, "right": right}}:
                extents.append(_extent(op, left, right))
            case {"limit": dict()} | {"ct count": dict()}:
                is_limited = True
            case {"vmap": {"key": key, "data": {"set": list(pairs)}}}:
                for pair in pairs:
                    value, verdict = pair if isinstance(pair, list) and len(pair) == 2 else (None, None)  # noqa: PLR2004
                    yield _rule([*extents, _extent("==", key, value)], verdict, prefix, is_limited=is_limited)
            case dict() if statement.keys() & (_VERDICTS.keys() | {"jump", "goto"}):
                yield _rule(extents, statement, prefix, is_limited=is_limited)
            case dict() if statement.keys() <= _LOOKING_ON:
                continue
            case {"vmap": _}:
                yield FilterRule(common_extent([*extents, Extent.SOME]), Verdict.REFUSE)
            case _:
                extents.append(Extent.SOME)


def _rule(extents: list[Extent], verdict: object, prefix: str, *, is_limited: bool) -> FilterRule:
    extent = common_extent(extents)
    match verdict:
        case {"jump": {"target": str(target)}}:
            return FilterRule(extent, prefix + target)
        case {"goto": {"target": str(target)}}:
            return FilterRule(extent, prefix + target, is_goto=True)
        case dict() if len(verdict) == 1 and (does := _VERDICTS.get(next(iter(verdict)))):
            if is_limited:
                # floods are refused, which is not about everybody; what is accepted is so many a second
                extent = Extent.NOBODY if does is Verdict.REFUSE else min(extent, Extent.SOME, key=lambda e: e.value)
            return FilterRule(extent, does)
        case dict() if verdict.keys() == {"continue"}:
            return FilterRule(Extent.NOBODY, Verdict.BACK)
        case _:
            return FilterRule(extent, Verdict.REFUSE)


def _extent(op: str, left: object, right: object) -> Extent:
    """For whom of everybody else a match holds."""
    extent = _positive_extent(left, right)
    return {"==": extent, "in": extent, "!=": extent.inverted}.get(op, Extent.SOME)


def _positive_extent(left: object, right: object) -> Extent:  # noqa: PLR0911 - one answer for each kind of match
    match left:
        case {"payload": {"protocol": "tcp" | "th", "field": "dport"}}:
            is_named = isinstance(right, str) and right.startswith("@")
            return Extent.SOME if is_named else _all_or_nobody(_is_among(_SMTP, right))
        case {"payload": {"protocol": "udp" | "icmp" | "icmpv6" | "igmp" | "sctp"}}:
            return Extent.NOBODY
        case {"payload": {"protocol": "ip", "field": "protocol"}} | {"meta": {"key": "l4proto"}}:
            return _all_or_nobody(_is_among(_TCP, right))
        case {"payload": {"protocol": "ip" | "ip6", "field": "saddr"}}:
            return _source_extent(right)
        case {"meta": {"key": "iif" | "iifname"}}:
            return Extent.NOBODY if right == "lo" else Extent.SOME
        case {"ct": {"key": "state"}}:
            return _all_or_nobody(_is_among(("new",), right))
        case {"fib": {"result": "type", "flags": ["daddr"]}}:
            return _all_or_nobody(_is_among(("local",), right))
        case _:
            return Extent.SOME


def _all_or_nobody(holds: bool) -> Extent:  # noqa: FBT001 - its one argument
    return Extent.ALL if holds else Extent.NOBODY


def _is_among(wanted: tuple[str | int, ...], right: object) -> bool:
    """Whether a value, a list, a set or a range of them has one that is wanted."""
    match right:
        case {"set": list(values)} | list(values):
            return any(_is_among(wanted, value) for value in values)
        case {"range": [int(first), int(last)]}:
            return any(isinstance(value, int) and first <= value <= last for value in wanted)
        case str() | int():
            return right in wanted
        case _:
            return False


def _source_extent(right: object) -> Extent:
    match right:
        case {"prefix": {"addr": str(), "len": int(length)}} if length < _WIDE_LENGTH:
            return Extent.SOME if length else Extent.ALL
        case {"set": list(values)}:
            widest = max((_source_extent(value) for value in values), key=lambda e: e.value, default=Extent.NOBODY)
            return min(widest, Extent.SOME, key=lambda e: e.value)
        case {"range": [str(first), str(last)]}:
            return _range_extent(first, last)
        case _:
            return Extent.NOBODY


def _range_extent(first: str, last: str) -> Extent:
    try:
        low, high = ipaddress.ip_address(first), ipaddress.ip_address(last)
    except ValueError:
        return Extent.SOME
    length = low.max_prefixlen - (int(high) - int(low)).bit_length()
    return Extent.SOME if length < _WIDE_LENGTH else Extent.NOBODY
