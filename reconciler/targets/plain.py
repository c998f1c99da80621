"""A plain list: one address, block or range a line, `#` comments. For servers that take one, and for people."""

from __future__ import annotations

from dataclasses import dataclass

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
from reconciler.targets.export_text import read_export_text

_SECTION = "list"


@dataclass(frozen=True, slots=True)
class Plain:
    """One entry a line."""

    id: str = "plain"
    title: str = "Plain list"
    intents: frozenset[Intent] = frozenset(Intent)
    options: frozenset[str] = frozenset()
    is_readable: bool = True
    outputs: tuple[Output, ...] = (Output("allowlist.txt", "allowlists/plain.txt.j2"),)
    export_outputs: tuple[Output, ...] = ()

    def read(self, text: str, declared: DeclaredAllowlist) -> AllowlistContent:
        """Every line that is not empty after its comment is taken off."""
        export = read_export_text(text, target=self.id, raw_section=_SECTION)
        written = export.lines(_SECTION)
        if written is None:
            raise UnreadableExportError("the export has no list in it; make it again")
        lines = (line.split("#", 1)[0].strip() for line in written)
        entries = read_entries(line for line in lines if line)
        refusal = presumed_refusal(declared, entries, Enforcement.HARD)
        return AllowlistContent(entries, export.made_at, refusal=refusal)
