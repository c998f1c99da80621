"""ipset: a set of addresses as `ipset save` prints it (ipset(8))."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from reconciler.targets.base import (
    AllowlistContent,
    DeclaredAllowlist,
    Enforcement,
    Intent,
    Output,
    UnreadableExportError,
    presumed_refusal,
    read_entries,
)
from reconciler.targets.export_text import ExportText, read_export_text, shown
from reconciler.targets.iptables_rules import refuses_others
from reconciler.targets.words import choice_problems, name_problems

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.targets.base import Entry

_TYPES = ("hash:net", "hash:ip")
# 31 is ipset's own limit, and the emitted files make a set beside it whose name ends with `.new`
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,26}", re.ASCII)
_MIN_WORDS = 3  # `create NAME TYPE`, `add NAME ENTRY`


@dataclass(frozen=True, slots=True)
class Ipset:
    """A set for IPv4, and, named with `name6`, one for IPv6."""

    id: str = "ipset"
    title: str = "ipset"
    intents: frozenset[Intent] = frozenset(Intent)
    options: frozenset[str] = frozenset({"name", "name6", "type"})
    is_readable: bool = True
    outputs: tuple[Output, ...] = (Output("gateway.ipset", "allowlists/ipset.conf.j2"),)
    export_outputs: tuple[Output, ...] = (Output("export.sh", "allowlists/ipset_export.sh.j2"),)

    def problems(self, declared: DeclaredAllowlist) -> tuple[str, ...]:
        """Names as ipset takes them, with room for `.new`; `type` without its `hash:`."""
        names = [name for name in (declared.name, declared.option("name6")) if name]
        shape = "1 to 27 letters, digits, `_`, `.` and `-`, the first a letter"
        return (*choice_problems(declared, "type", ("net", "ip")), *name_problems(_NAME, shape, *names))

    def read(self, text: str, declared: DeclaredAllowlist) -> AllowlistContent:
        """The entries of the declared sets; every other set of the export is left alone.

        Raises:
            UnreadableExportError: beside what spoils any export: a set of another type, one that the export does not
                have, and one whose entries expire or are exceptions (`nomatch`).

        """
        export = read_export_text(text, target=self.id, raw_section="save")
        written: list[str] = []
        for name in (declared.name, declared.option("name6")):
            if name:
                written += _entries(export.lines("save") or (), name)
        entries = read_entries(written)
        return AllowlistContent(entries, export.made_at, refusal=_refusal(export, declared, entries))


def _refusal(export: ExportText, declared: DeclaredAllowlist, entries: tuple[Entry, ...]) -> Enforcement:
    """By the rules of iptables and ip6tables, where the export has them."""
    names = tuple(filter(None, (declared.name, declared.option("name6"))))
    tables = (export.lines(section) for section in ("iptables", "ip6tables"))
    found = [refuses_others(lines, names) for lines in tables if lines is not None]
    if all(each is None for each in found):
        return presumed_refusal(declared, entries, Enforcement.SOFT)
    return Enforcement.SOFT if any(found) else Enforcement.NONE


def _entries(lines: Iterable[str], name: str) -> Iterator[str]:
    is_created = False
    for line in lines:
        words = line.partition(' comment "')[0].split()  # whoever wrote it: its words are no options
        if not words or words[0].startswith("#"):
            continue
        if words[0] not in {"create", "add"} or len(words) < _MIN_WORDS:
            summary = f"the line {shown(line)} is none of `ipset save`"
            raise UnreadableExportError(summary)
        if words[1] != name:
            continue
        if words[0] == "create":
            if words[2] not in _TYPES:
                summary = f"the set {name} is of type {shown(words[2])}, not one of {', '.join(_TYPES)}"
                raise UnreadableExportError(summary)
            is_created = True
        elif {"timeout", "nomatch"} & set(words[3:]) and _counts(words):
            summary = (
                f"the set {name} has {shown(' '.join(words[2:]))}: entries that expire or are exceptions are not ours"
            )
            summary = f"{summary}. Make a set for the gateway"
            raise UnreadableExportError(summary)
        else:
            yield words[2]
    if not is_created:
        summary = f"the export has no set {name}"
        raise UnreadableExportError(summary)


def _counts(words: list[str]) -> bool:
    """Whether an entry is an exception, or will go by itself: a timeout of 0 is none."""
    after = dict(pairwise(words[3:]))
    return "nomatch" in words[3:] or after.get("timeout") != "0"
