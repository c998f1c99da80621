"""nftables: a named set of addresses, as nft lists it in JSON (libnftables-json(5)) or as text."""

from __future__ import annotations

import re
from dataclasses import dataclass
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
from reconciler.targets.export_text import ExportText, read_export_text, read_json, shown
from reconciler.targets.nftables_rules import refuses_others
from reconciler.targets.words import choice_problems, name_problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.targets.base import Entry

_DEFAULT_TABLE = "filter"
_RULES = "ruleset"  # the section of the export that has the chains; its sets are without their elements
_FAMILIES = ("inet", "ip", "ip6", "netdev", "bridge")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,30}", re.ASCII)
_TYPES = ("ipv4_addr", "ipv6_addr")
_TOKEN = re.compile(r'"[^"\n]*"|[{},\n]|[^\s{},"]+')
_TEMPORARY = frozenset({"timeout", "expires"})


@dataclass(frozen=True, slots=True)
class Nftables:
    """A set for IPv4, and, named with `name6`, one for IPv6."""

    id: str = "nftables"
    title: str = "nftables set"
    intents: frozenset[Intent] = frozenset(Intent)
    options: frozenset[str] = frozenset({"name", "name6", "family", "table"})
    is_readable: bool = True
    outputs: tuple[Output, ...] = (
        Output("gateway.nft", "allowlists/nftables.nft.j2"),
        Output("gateway.json", "allowlists/nftables.json.j2"),
    )
    export_outputs: tuple[Output, ...] = (Output("export.sh", "allowlists/nftables_export.sh.j2"),)

    def problems(self, declared: DeclaredAllowlist) -> tuple[str, ...]:
        """Names as nft(8) takes them."""
        names = [declared.name, *(v for v in (declared.option("name6"), declared.option("table")) if v)]
        shape = "1 to 31 letters, digits, `_`, `.` and `-`, the first a letter"
        return (*choice_problems(declared, "family", _FAMILIES), *name_problems(_NAME, shape, *names))

    def read(self, text: str, declared: DeclaredAllowlist) -> AllowlistContent:
        """The elements of the declared sets; every other set of the export is left alone.

        Raises:
            UnreadableExportError: beside what spoils any export: a set of another type, one that the export does not
                have, and one whose elements expire, which another program fills.

        """
        export = read_export_text(text, target=self.id, raw_section="sets", may_be_markup=True)
        names = [name for name, _ in export.sections if name != _RULES]
        found = {key: each for name in names for key, each in _sets(export.text(name) or "")}
        family, table = declared.option("family", _FAMILIES[0]), declared.option("table", _DEFAULT_TABLE)
        written: list[str] = []
        for name in (declared.name, declared.option("name6")):
            if name and (family, table, name) not in found:
                summary = f"the export has no set {name} in the table {family} {table}"
                raise UnreadableExportError(summary)
            if name:
                written += _addresses(name, found[family, table, name])
        entries = read_entries(written)
        return AllowlistContent(entries, export.made_at, refusal=_refusal(export, declared, entries))


def _refusal(export: ExportText, declared: DeclaredAllowlist, entries: tuple[Entry, ...]) -> Enforcement:
    """By the ruleset, where the export has it: what it drops or resets is tried again by the sender."""
    listed = export.text(_RULES)
    if listed is None:
        return presumed_refusal(declared, entries, Enforcement.SOFT)
    names = frozenset(filter(None, (declared.name, declared.option("name6"))))
    return Enforcement.SOFT if refuses_others(read_json(listed), names) else Enforcement.NONE


@dataclass(frozen=True, slots=True)
class _Set:
    """A set as listed: `kind` is its type, None where it is no simple one; `elements` as JSON has them."""

    kind: object
    elements: object


_Key = tuple[str, str, str]  # family, table, name


def _sets(listed: str) -> Iterator[tuple[_Key, _Set]]:
    return _json_sets(listed) if listed.lstrip().startswith("{") else _text_sets(listed)


def _addresses(name: str, listed: _Set) -> list[str]:
    if listed.kind not in _TYPES:
        summary = f"the set {shown(name)} is of type {shown(str(listed.kind))}, not of addresses"
        raise UnreadableExportError(summary)
    if not isinstance(listed.elements, list):
        summary = f"the elements of the set {shown(name)} are no array"
        raise UnreadableExportError(summary)
    return [_address(name, element) for element in listed.elements]


def _address(name: str, element: object) -> str:
    match element:
        case {"elem": {"val": value, **further}}:
            if further.keys() & _TEMPORARY:
                summary = f"the set {shown(name)} has elements that expire, so another program fills it: make a new set"
                raise UnreadableExportError(summary)
            return _address(name, value if not isinstance(value, dict) or "elem" not in value else None)
        case str():
            return element
        case {"prefix": {"addr": str(address), "len": int(length)}}:
            return f"{address}/{length}"
        case {"range": [str(first), str(last)]}:
            return f"{first}-{last}"
        case _:
            summary = f"the set {shown(name)} has an element that is not understood"
            raise UnreadableExportError(summary)


def _json_sets(listed: str) -> Iterator[tuple[_Key, _Set]]:
    document = read_json(listed)
    objects = document.get("nftables") if isinstance(document, dict) else None
    if not isinstance(objects, list):
        raise UnreadableExportError("the export is no list of nft: it has no array `nftables`")
    for item in objects:
        match item:
            case {"set": {"family": str(family), "table": str(table), "name": str(name), "type": kind, **further}}:
                yield (family, table, name), _Set(kind, further.get("elem", []))
            case {"set": _}:
                raise UnreadableExportError("the export has a set without its family, table, name or type")


def _text_sets(listed: str) -> Iterator[tuple[_Key, _Set]]:
    """Sets of nft's own language as nft prints it: one statement a line, `{` at the end of a block's head."""
    heads: list[list[str]] = []  # of the blocks that are open
    words: list[str] = []
    kind = ""
    elements: list[object] = []
    for piece in _TOKEN.findall(listed):
        in_elements = bool(heads) and heads[-1][:1] == ["elements"]
        if piece == "{":
            heads.append(words)
            words = []
        elif piece == "}" and not heads:
            raise UnreadableExportError("the export is no list of nft: it closes more blocks than it opens")
        elif piece in {"}", ","} and in_elements:
            elements += [_text_element(words)] if words else []
            words = []
        elif piece == "\n" and not in_elements:
            kind = words[1] if words[:1] == ["type"] and len(words) == 2 else kind  # noqa: PLR2004 - `type T` alone
            words = []
        elif piece != "\n":
            words.append(piece)
        if piece == "}":
            head = heads.pop()
            if head[:1] == ["set"] and len(heads) == 1 and len(head) == 2 and len(heads[0]) == 3:  # noqa: PLR2004
                yield (heads[0][1], heads[0][2], head[1]), _Set(kind, elements)
            kind, elements = ("", []) if head[:1] == ["set"] else (kind, elements)
    if heads or not listed.strip().endswith("}"):
        raise UnreadableExportError("the export is no list of nft, or is cut off: a block is not closed")


def _text_element(words: list[str]) -> object:
    """As JSON has it, so far as it matters: `192.0.2.1 timeout 1h` is an element with a timeout."""
    value, *further = words
    return {"elem": {"val": value, **dict.fromkeys(further)}} if further else value
