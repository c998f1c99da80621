"""Rules of `iptables-save`: whether everybody else is refused on port 25 (iptables(8), iptables-extensions(8)).

What a firewall has for this computer itself, for open connections, for single clients and against floods is not about
everybody else. A condition that is not known may hold for some.
"""

from __future__ import annotations

import shlex
from itertools import pairwise
from typing import TYPE_CHECKING

from reconciler.addresses import InvalidAddressError, parse_interval
from reconciler.targets.packet_filter import Extent, FilterRule, PacketFilter, Verdict, common_extent
from reconciler.targets.words import has_port

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_SMTP = 25
_HOOKS = ("INPUT", "FORWARD")
_VERDICTS = {
    "ACCEPT": Verdict.ACCEPT,
    "RETURN": Verdict.BACK,
    "DROP": Verdict.REFUSE,
    "REJECT": Verdict.REFUSE,
    "TARPIT": Verdict.REFUSE,
}
_PASSING_ON = frozenset({"LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "TRACE", "SET", "CT", "NOTRACK", "TCPMSS"})
_LIMITS = frozenset({"limit", "hashlimit", "connlimit", "recent", "connbytes", "quota"})
_WITHOUT_VALUE = frozenset({"--syn"})
_WIDE_BITS = 24  # a source of more addresses than 2 to this is not a single client


def refuses_others(lines: Iterable[str], names: Iterable[str] = ()) -> bool | None:
    """Whether the table filter refuses some of everybody else on port 25; None where the lines have no table.

    `names` are the gateway's own chain or set. Looked at are the hooks whose rules name them or the port; where none
    does, both.
    """
    chains, policies = _chains(lines)
    if not policies:
        return None
    rules = {name: [r for line in found for r in _rule(line)] for name, found in chains.items()}
    packet_filter = PacketFilter(rules)
    wanted = frozenset(names)
    hooks = [hook for hook in _HOOKS if hook in policies]
    telling = [
        hook
        for hook in hooks
        if any(_is_telling(line, wanted) for chain in packet_filter.reachable(hook) for line in chains.get(chain, ()))
    ]
    return any(packet_filter.refuses(hook, _VERDICTS.get(policies[hook], Verdict.REFUSE)) for hook in telling or hooks)


def _chains(lines: Iterable[str]) -> tuple[Mapping[str, list[str]], Mapping[str, str]]:
    """The rules of each chain of the table filter, and the policies of the built-in ones."""
    chains: dict[str, list[str]] = {}
    policies: dict[str, str] = {}
    table = ""
    for line in lines:
        words = line.split()
        if line.startswith("*"):
            table = line[1:].strip()
        elif table == "filter" and line.startswith(":") and len(words) > 1:
            chains.setdefault(words[0][1:], [])
            if words[1] != "-":
                policies[words[0][1:]] = words[1]
        elif table == "filter" and line.startswith("-A ") and len(words) > 1:
            chains.setdefault(words[1], []).append(line)
    return chains, policies


def _is_telling(line: str, names: frozenset[str]) -> bool:
    words = line.split()
    return bool(names & set(words)) or any(
        option in {"--dport", "--dports"} and has_port(value, _SMTP, ":") for option, value in pairwise(words)
    )


def _rule(line: str) -> Iterator[FilterRule]:
    """The rule of a line, unless it only looks on; one that cannot be split may refuse anybody."""
    try:
        words = shlex.split(line)[2:]
    except ValueError:
        yield FilterRule(Extent.SOME, Verdict.REFUSE)
        return
    conditions = tuple(_conditions(words))
    target = next((value for option, value, _ in conditions if option in {"-j", "-g"}), "")
    if not target or target in _PASSING_ON:
        return
    extents = ((_extent(option, value), inverts) for option, value, inverts in conditions)
    extent = common_extent(each.inverted if inverts else each for each, inverts in extents)
    is_limited = any(option == "-m" and value in _LIMITS for option, value, _ in conditions)
    does = _VERDICTS.get(target, target)
    if is_limited:
        # floods are refused, which is not about everybody; what is accepted is so many a second
        extent = Extent.NOBODY if does is Verdict.REFUSE else Extent.SOME
    yield FilterRule(extent, does, any(option == "-g" for option, _, _ in conditions))


def _conditions(words: list[str]) -> Iterator[tuple[str, str, bool]]:
    """Each option, its first value, and whether `!` stands before it; what follows the target is its own."""
    pending = list(reversed(words))
    inverts = False
    while pending:
        word = pending.pop()
        if word == "!":
            inverts = True
            continue
        values = []
        while pending and not pending[-1].startswith("-") and pending[-1] != "!" and word not in _WITHOUT_VALUE:
            values.append(pending.pop())
        yield word, " ".join(values), inverts
        inverts = False
        if word in {"-j", "-g"}:
            return


def _extent(option: str, value: str) -> Extent:  # noqa: PLR0911 - one answer for each option
    """For whom of everybody else a condition holds."""
    match option:
        case "-j" | "-g" | "-m" | "--comment" | "--syn":
            return Extent.ALL
        case "-p":
            return Extent.ALL if value in {"tcp", "6", "all"} else Extent.NOBODY
        case "--dport" | "--dports":
            return Extent.ALL if has_port(value, _SMTP, ":") else Extent.NOBODY
        case "-s":
            return _source_extent(value)
        case "-i":
            return Extent.NOBODY if value == "lo" else Extent.SOME
        case "--ctstate" | "--state":
            return Extent.ALL if "NEW" in value.split(",") else Extent.NOBODY
        case "--dst-type":
            return Extent.ALL if "LOCAL" in value.split(",") else Extent.NOBODY
        case "--match-set":
            return Extent.NOBODY if value.endswith(" src") else Extent.SOME
        case _:
            return Extent.SOME


def _source_extent(value: str) -> Extent:
    try:
        interval = parse_interval(value)
    except InvalidAddressError:
        return Extent.SOME
    if interval.size == 1 << (32 if interval.version == 4 else 128):  # noqa: PLR2004 - the version of IP
        return Extent.ALL
    bits = _WIDE_BITS if interval.version == 4 else _WIDE_BITS + 96  # noqa: PLR2004 - likewise
    return Extent.NOBODY if interval.size <= 1 << bits else Extent.SOME
