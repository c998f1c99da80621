"""firewalld: an ipset in XML, /etc/firewalld/ipsets/NAME.xml (firewalld.ipset(5)).

firewalld drops an entry that it cannot use with a warning alone; here one makes the whole set unreadable.
"""

from __future__ import annotations

import re
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
from reconciler.targets.export_text import read_export_text, read_xml, shown
from reconciler.targets.words import choice_problems, name_problems

_TYPES = frozenset({"hash:net", "hash:ip"})
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,30}", re.ASCII)
_VERSIONS = {"inet": 4, "inet6": 6}


@dataclass(frozen=True, slots=True)
class Firewalld:
    """A set of one family; a rich rule or a zone's source names it."""

    id: str = "firewalld"
    title: str = "firewalld ipset"
    intents: frozenset[Intent] = frozenset(Intent)
    options: frozenset[str] = frozenset({"name", "family"})
    is_readable: bool = True
    outputs: tuple[Output, ...] = (Output("ipset.xml", "allowlists/firewalld.xml.j2"),)
    export_outputs: tuple[Output, ...] = (Output("export.sh", "allowlists/firewalld_export.sh.j2"),)

    def problems(self, declared: DeclaredAllowlist) -> tuple[str, ...]:
        """A name as the kernel takes it, and a family."""
        shape = "1 to 31 letters, digits, `_` and `-`, the first a letter"
        return (*choice_problems(declared, "family", tuple(_VERSIONS)), *name_problems(_NAME, shape, declared.name))

    def read(self, text: str, declared: DeclaredAllowlist) -> AllowlistContent:
        """Every `entry`; a set of the other family, or whose entries expire, spoils all."""
        export = read_export_text(text, target=self.id, raw_section="xml", may_be_markup=True)
        xml = export.text("xml")
        if xml is None:
            return AllowlistContent((), export.made_at)
        root = read_xml(xml)
        if root.tag != "ipset" or root.get("type") not in _TYPES:
            summary = f"the export is no ipset of firewalld of the types {', '.join(sorted(_TYPES))}"
            raise UnreadableExportError(summary)
        options = {option.get("name"): option.get("value") for option in root.iter("option")}
        family, wanted = options.get("family", "inet"), declared.option("family", "inet")
        if family != wanted:
            summary = f"the ipset is of the family {shown(str(family))}, not {wanted}"
            raise UnreadableExportError(summary)
        if options.get("timeout", "0") != "0":
            raise UnreadableExportError(
                "the ipset's entries expire: another program fills it. Make one for the gateway"
            )
        entries = read_entries((entry.text or "").strip() for entry in root.iter("entry"))
        if any(entry.interval.version != _VERSIONS.get(wanted) for entry in entries):
            raise UnreadableExportError("the ipset has an entry of the other family, which firewalld drops")
        if any(entry.written.endswith("/0") for entry in entries):
            raise UnreadableExportError("the ipset has an entry /0, which the kernel takes into no set")
        refusal = presumed_refusal(declared, entries, Enforcement.SOFT)
        return AllowlistContent(entries, export.made_at, refusal=refusal)
