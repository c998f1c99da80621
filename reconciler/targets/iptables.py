"""iptables: a chain of its own as `iptables-save` prints it; the first rule that fits decides (iptables(8))."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.addresses import AddressSet, address_set, parse_address_set
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
from reconciler.targets.iptables_rules import refuses_others
from reconciler.targets.networks import block_entries, read_networks
from reconciler.targets.words import has_port, name_problems

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SMTP = 25
_EVERYBODY = "0.0.0.0/0"
_SINGLE_CLIENTS = 1 << 24  # addresses; a chain that refuses more refuses everybody else
_MAX_MIXED_RULES = 5000  # every refusal is compared with every rule before it
_OPTIONS = {
    "-s": "source",
    "-p": "protocol",
    "--dport": "ports",
    "--dports": "ports",
    "-m": "module",
    "--comment": "comment",
    "-j": "target",
}
_MODULES = frozenset({"tcp", "multiport", "comment"})
# 28 is iptables' own limit of a chain's name; the built-in chains are not ours to fill
_NAME = re.compile(r"(?!(?:INPUT|OUTPUT|FORWARD|PREROUTING|POSTROUTING)$)[A-Za-z][A-Za-z0-9_.-]{0,27}", re.ASCII)
_PASSING_ON = frozenset({"LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "TRACE"})
_REFUSING = frozenset({"DROP", "REJECT"})


@dataclass(frozen=True, slots=True)
class Iptables:
    """A chain of the table `filter` that INPUT jumps to for port 25."""

    id: str = "iptables"
    title: str = "iptables chain"
    intents: frozenset[Intent] = frozenset(Intent)
    options: frozenset[str] = frozenset({"name"})
    is_readable: bool = True
    outputs: tuple[Output, ...] = (Output("gateway.rules", "allowlists/iptables.conf.j2"),)
    export_outputs: tuple[Output, ...] = (Output("export.sh", "allowlists/iptables_export.sh.j2"),)

    def problems(self, declared: DeclaredAllowlist) -> tuple[str, ...]:
        """A chain of its own."""
        shape = "1 to 28 letters, digits, `_`, `.` and `-`, the first a letter, and no built-in chain"
        return name_problems(_NAME, shape, declared.name)

    def read(self, text: str, declared: DeclaredAllowlist) -> AllowlistContent:
        """The sources that the chain accepts on port 25; a rule that may concern it and is strange spoils all."""
        export = read_export_text(text, target=self.id, raw_section="filter")
        chains, policy = _filter_chains(export.lines("filter") or ())
        if declared.name not in chains:
            summary = f"the export's table filter has no chain {shown(declared.name)}"
            raise UnreadableExportError(summary)
        chain = _read_chain(chains[declared.name])
        _require_reached(chains, policy, declared.name, chain)
        advice = (
            *_use_advice(chains, declared.name),
            *_restriction_advice(chain, declared),
            *_loss_advice(chain, declared.name),
        )
        is_refusing = refuses_others(export.lines("filter") or (), [declared.name])
        if is_refusing is None:  # the chain alone
            is_refusing = chain.refused.size > _SINGLE_CLIENTS
        refusal = Enforcement.SOFT if is_refusing else Enforcement.NONE
        return AllowlistContent(chain.entries, export.made_at, advice=advice, refusal=refusal)


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule, so far as it matters here; `ports` is empty where it is for every port."""

    source: str
    target: str
    protocol: str
    ports: str

    @property
    def concerns_smtp(self) -> bool:
        return self.protocol in {"", "all", "tcp"} and (not self.ports or has_port(self.ports, _SMTP, ":"))


@dataclass(frozen=True, slots=True)
class _Chain:
    """What a chain accepts on port 25, what it refuses before that, and its rules that are neither."""

    entries: tuple[Entry, ...]
    refused: AddressSet
    others: tuple[str, ...]


def _read_chain(lines: Iterable[str]) -> _Chain:
    entries: list[Entry] = []
    refused = AddressSet()
    others: list[str] = []
    rules = [(line, _read_rule(line)) for line in lines]
    if len(rules) > _MAX_MIXED_RULES and sum(rule.target in _REFUSING for _, rule in rules) > 1:
        summary = f"the chain mixes rules that accept and refuse over more than {_MAX_MIXED_RULES} lines"
        raise UnreadableExportError(summary)
    for line, rule in rules:
        if not rule.concerns_smtp or rule.target in _PASSING_ON or (rule.target in _REFUSING and rule.source):
            others.append(line)
        if not rule.concerns_smtp or rule.target in _PASSING_ON:
            continue
        (source,) = read_networks([rule.source or _EVERYBODY])
        fresh = address_set([source.interval]) - refused
        if rule.target in _REFUSING:
            refused |= fresh - address_set(e.interval for e in entries)
        elif rule.target == "ACCEPT":
            entries += [entry for interval in fresh.intervals for entry in block_entries(interval)]
        else:
            summary = f"the chain has the rule {shown(line)}, which is not understood"
            raise UnreadableExportError(summary)
    return _Chain(tuple(entries), refused, tuple(others))


def _filter_chains(lines: Iterable[str]) -> tuple[dict[str, list[str]], str]:
    """The rules of each chain of the table filter, and the policy of INPUT."""
    policy = "ACCEPT"
    chains: dict[str, list[str]] = {}
    table = ""
    is_whole = False
    for line in lines:
        if line.startswith("*"):
            table, is_whole = line[1:].strip(), False
        elif line.strip() == "COMMIT":
            table, is_whole = "", True
        elif table == "filter" and line.startswith(":"):
            name, declared_policy = (*line[1:].split(" "), "")[:2]
            chains[name] = []
            policy = declared_policy if name == "INPUT" else policy
        elif table == "filter" and line.startswith("-A "):
            name = line.split(" ", 2)[1]
            chains.setdefault(name, []).append(line)
        elif line.strip() and not line.startswith("#") and table in {"", "filter"}:
            summary = f"the line {shown(line)} is none of `iptables-save`"
            raise UnreadableExportError(summary)
    if not is_whole:
        raise UnreadableExportError(
            "the export has no table that ends with COMMIT: it is cut off, or not of iptables-save"
        )
    return chains, policy


def _read_rule(line: str) -> _Rule:
    """The rule of a line `-A CHAIN ...`; `-j` comes last but for its own options."""
    try:
        words = shlex.split(line)[2:]
    except ValueError as exc:
        summary = f"the rule {shown(line)} is not understood: {exc}"
        raise UnreadableExportError(summary) from exc
    read: dict[str, str] = {}
    for option, value in zip(words[::2], words[1::2], strict=False):
        known = _OPTIONS.get(option)
        if known is None or (known == "module" and value not in _MODULES):
            summary = f"the rule {shown(line)} has {shown(option)}, which is not understood"
            raise UnreadableExportError(summary)
        read[known] = value
        if known == "target":
            break
    return _Rule(read.get("source", ""), read.get("target", ""), read.get("protocol", ""), read.get("ports", ""))


def _require_reached(chains: dict[str, list[str]], policy: str, name: str, chain: _Chain) -> None:
    """See that INPUT comes to the chain before it refuses, as far as its rules are understood.

    Raises:
        UnreadableExportError: it refuses some of what the chain accepts: what stands in the chain is not in force.

    """
    left = address_set(e.interval for e in chain.entries)
    leading = _leading_to(chains, name)
    for line in chains.get("INPUT", ()):
        try:
            rule = _read_rule(line)
        except UnreadableExportError:  # of this computer, of open connections, and such: not about who may send mail
            if leading & set(line.split()):
                return
            continue
        if not rule.concerns_smtp:
            continue
        source = parse_address_set([rule.source or _EVERYBODY])
        if rule.target in _REFUSING and left & source:
            summary = f"INPUT refuses port {_SMTP} with {shown(line)} before it comes to the chain {shown(name)}"
            summary = f"{summary}: jump to the chain above that rule, and export again"
            raise UnreadableExportError(summary)
        if rule.target == "ACCEPT" or rule.target in leading:
            left -= source
    if left and policy != "ACCEPT":
        summary = f"INPUT never comes to the chain {shown(name)}, and refuses by its policy {shown(policy)}"
        summary = f"{summary}: run iptables -I INPUT -p tcp --dport {_SMTP} -j {name}, export again"
        raise UnreadableExportError(summary)


def _leading_to(chains: dict[str, list[str]], name: str) -> frozenset[str]:
    """The chain, and every chain that jumps to one that leads to it."""
    named_by: dict[str, set[str]] = {}
    for chain, lines in chains.items():
        for word in (word for line in lines for word in line.split()):
            if word in chains:
                named_by.setdefault(word, set()).add(chain)
    leading = {name}
    pending = [name]
    while pending:
        more = named_by.get(pending.pop(), set()) - leading
        leading |= more
        pending += more
    return frozenset(leading - {"INPUT"})


def _loss_advice(chain: _Chain, name: str) -> Iterator[Advice]:
    if chain.others:
        summary = f"the chain {name} has rules for more than who may send mail, as {shown(chain.others[0])}"
        detail = "The emitted chain replaces it without them: move them to another chain first."
        yield Advice("iptables-mixed-chain", summary, detail)


def _use_advice(chains: dict[str, list[str]], name: str) -> Iterator[Advice]:
    jumps = [line for other, lines in chains.items() if other != name for line in lines if f" -j {name} " in f"{line} "]
    if not jumps:
        summary = f"no rule jumps to the chain {name}: it is not looked at"
        yield Advice("list-not-used", summary, f"Run iptables -I INPUT -p tcp --dport {_SMTP} -j {name}")


def _restriction_advice(chain: _Chain, declared: DeclaredAllowlist) -> Iterator[Advice]:
    accepted = address_set(e.interval for e in chain.entries)
    if declared.intent is Intent.RESTRICT and not (accepted | chain.refused).covers(parse_address_set([_EVERYBODY])):
        summary = f"the chain {declared.name} keeps nobody out: its last rule refuses not everybody"
        yield Advice("restricts-nothing", summary, "When the plan says that it may, emit again and load the chain.")
