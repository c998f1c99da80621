"""pfSense and OPNsense: an alias of addresses, as consoles take it and as pf has it (pfctl(8), `-t NAME -T show`)."""

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
from reconciler.targets.export_text import read_export_text, read_json, read_xml, shown
from reconciler.targets.words import name_problems

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.targets.export_text import ExportText

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,30}", re.ASCII)
_SHAPE = "1 to 31 letters, digits and `_`, the first no digit"
_TYPES = frozenset({"host", "network"})


@dataclass(frozen=True, slots=True)
class PfsenseAlias:
    """An alias of pfSense, whose addresses stand on one line."""

    id: str = "pfsense-alias"
    title: str = "pfSense alias"
    intents: frozenset[Intent] = frozenset(Intent)
    options: frozenset[str] = frozenset({"name"})
    is_readable: bool = True
    outputs: tuple[Output, ...] = (Output("alias.txt", "allowlists/pfsense_alias.txt.j2"),)
    export_outputs: tuple[Output, ...] = (Output("export.sh", "allowlists/pfsense_alias_export.sh.j2"),)

    def problems(self, declared: DeclaredAllowlist) -> tuple[str, ...]:
        """A name as pf takes it."""
        return name_problems(_NAME, _SHAPE, declared.name)

    def read(self, text: str, declared: DeclaredAllowlist) -> AllowlistContent:
        """The table as pfctl shows it, the addresses on one line, or the alias in a backup of the configuration."""
        export = read_export_text(text, target=self.id, raw_section="addresses", may_be_markup=True)
        content = export.text("addresses") or ""
        if content.lstrip().startswith("<"):
            return _content(_of_configuration(content, declared.name), export, declared)
        return _content(_words(content.splitlines()), export, declared)


@dataclass(frozen=True, slots=True)
class OpnsenseAlias:
    """An alias of OPNsense, one address a line."""

    id: str = "opnsense-alias"
    title: str = "OPNsense alias"
    intents: frozenset[Intent] = frozenset(Intent)
    options: frozenset[str] = frozenset({"name"})
    is_readable: bool = True
    outputs: tuple[Output, ...] = (Output("alias.txt", "allowlists/opnsense_alias.txt.j2"),)
    export_outputs: tuple[Output, ...] = (Output("export.sh", "allowlists/opnsense_alias_export.sh.j2"),)

    def problems(self, declared: DeclaredAllowlist) -> tuple[str, ...]:
        """A name as pf takes it."""
        return name_problems(_NAME, _SHAPE, declared.name)

    def read(self, text: str, declared: DeclaredAllowlist) -> AllowlistContent:
        """The table as pfctl shows it, one address a line, or the alias in the console's download (JSON)."""
        export = read_export_text(text, target=self.id, raw_section="addresses", may_be_markup=True)
        content = export.text("addresses") or ""
        if content.lstrip().startswith("{"):
            return _content(_of_download(read_json(content), declared.name), export, declared)
        return _content(_words(content.splitlines()), export, declared)


def _content(written: Iterable[str], export: ExportText, declared: DeclaredAllowlist) -> AllowlistContent:
    entries = read_entries(written)
    refusal = presumed_refusal(declared, entries, Enforcement.SOFT)
    return AllowlistContent(entries, export.made_at, refusal=refusal)


def _words(lines: Iterable[str]) -> list[str]:
    return [word for line in lines for word in line.split("#", 1)[0].split()]


def _of_configuration(content: str, name: str) -> list[str]:
    root = read_xml(content)
    if root.tag not in {"pfsense", "aliases"}:
        summary = f"the export is no configuration of pfSense: it begins with {shown(root.tag)}"
        raise UnreadableExportError(summary)
    found = [alias for alias in root.iter("alias") if alias.findtext("name") == name]
    if len(found) > 1:
        summary = f"the configuration has {len(found)} aliases {name}"
        raise UnreadableExportError(summary)
    if found and found[0].findtext("type") not in _TYPES:
        summary = f"the alias {name} is not of the types {', '.join(sorted(_TYPES))}"
        raise UnreadableExportError(summary)
    return [word for alias in found for word in (alias.findtext("address") or "").split()]


def _of_download(document: object, name: str) -> list[str]:
    match document:
        case {"aliases": {"alias": dict(aliases)}}:
            found = [alias for alias in aliases.values() if isinstance(alias, dict) and alias.get("name") == name]
        case _:
            raise UnreadableExportError("the export is no download of OPNsense's aliases")
    match found:
        case []:
            return []
        case [{"type": ("host" | "network"), "content": str(content), "enabled": "1"}]:
            return _words(content.splitlines())
        case _:
            summary = f"the alias {name} is not one enabled alias of the types host or network"
            raise UnreadableExportError(summary)
