"""Amazon VPC: a customer-managed prefix list (EC2 API, GetManagedPrefixListEntries and ModifyManagedPrefixList)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.targets.base import (
    Advice,
    AllowlistContent,
    DeclaredAllowlist,
    Enforcement,
    Intent,
    Output,
    UnreadableExportError,
    presumed_refusal,
)
from reconciler.targets.export_text import read_export_text, read_json, shown
from reconciler.targets.networks import read_networks
from reconciler.targets.words import name_problems

if TYPE_CHECKING:
    from collections.abc import Iterator

_ID = re.compile(r"pl-[0-9a-f]{8,17}", re.ASCII)
_FEW_FREE = 5  # one region's addresses


@dataclass(frozen=True, slots=True)
class AwsPrefixList:
    """A list that security groups and routes refer to; `name` is its id. A write names the version that it changes."""

    id: str = "aws-prefix-list"
    title: str = "AWS managed prefix list"
    intents: frozenset[Intent] = frozenset(Intent)
    options: frozenset[str] = frozenset({"name"})
    is_readable: bool = True
    outputs: tuple[Output, ...] = (
        Output("modify.json", "allowlists/aws_prefix_list.json.j2"),
        Output("apply.sh", "allowlists/aws_prefix_list_apply.sh.j2"),
    )
    export_outputs: tuple[Output, ...] = (Output("export.sh", "allowlists/aws_prefix_list_export.sh.j2"),)

    def problems(self, declared: DeclaredAllowlist) -> tuple[str, ...]:
        """The id, not the name."""
        return name_problems(_ID, "the list's id, as pl-0123456789abcdef0", declared.name)

    def read(self, text: str, declared: DeclaredAllowlist) -> AllowlistContent:
        """The entries, and the version that they are of where the export has the list's description as well."""
        export = read_export_text(text, target=self.id, raw_section="entries", may_be_markup=True)
        answer = read_json(export.text("entries") or "")
        if not isinstance(answer, dict) or not isinstance(answer.get("Entries"), list):
            raise UnreadableExportError("the export is no answer of get-managed-prefix-list-entries: it has no Entries")
        if answer.get("NextToken"):
            raise UnreadableExportError("the export is one page of several (NextToken): export it without --max-items")
        entries = read_networks(_cidr(entry) for entry in answer["Entries"])
        refusal = presumed_refusal(declared, entries, Enforcement.SOFT)
        description = export.text("list")
        if description is None:
            return AllowlistContent(entries, export.made_at, refusal=refusal)
        version, room = _described(read_json(description), declared.name)
        advice = tuple(_room_advice(room, len(entries)))
        return AllowlistContent(entries, export.made_at, str(version), advice, refusal=refusal)


def _cidr(entry: object) -> str:
    match entry:
        case {"Cidr": str(cidr)}:
            return cidr
        case _:
            raise UnreadableExportError("an entry of the prefix list has no Cidr")


def _described(answer: object, wanted: str) -> tuple[int, int]:
    """The version and the most entries that the list takes."""
    match answer:
        case {
            "PrefixLists": [{"PrefixListId": str(found), "Version": int(version), "MaxEntries": int(room), **further}]
        }:
            if found != wanted:
                summary = f"the export is of the prefix list {shown(found)}, not of {wanted}"
                raise UnreadableExportError(summary)
            state = str(further.get("State", ""))
            if state.endswith("-in-progress"):
                summary = f"the prefix list is being changed ({shown(state)}): export it again"
                raise UnreadableExportError(summary)
            return version, room
        case _:
            raise UnreadableExportError("the export's description of the prefix list has no id, version and MaxEntries")


def _room_advice(room: int, used: int) -> Iterator[Advice]:
    if room - used < _FEW_FREE:
        summary = f"the prefix list has {used} of at most {room} entries"
        yield Advice(
            "list-full", summary, "Raise it with modify-managed-prefix-list --max-entries, in a call of its own."
        )
