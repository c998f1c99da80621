"""Exchange Server, Edge Transport role: the IP Allow list of the Connection Filtering agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.targets.base import Advice, AllowlistContent, DeclaredAllowlist, Intent, Output
from reconciler.targets.exchange_json import read_export, read_ranges

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.targets.exchange_json import Export

_NEVER = "9999-12-31"


@dataclass(frozen=True, slots=True)
class ExchangeEdge:
    """One list for each Edge Transport server."""

    id: str = "exchange-edge"
    title: str = "Exchange Edge IP allow list"
    intents: frozenset[Intent] = frozenset({Intent.ALLOW})
    options: frozenset[str] = frozenset()
    is_readable: bool = True
    outputs: tuple[Output, ...] = (Output("edge-allow-list.ps1", "exchange/edge_allow_list.ps1.j2"),)
    export_outputs: tuple[Output, ...] = (
        Output("export-edge-allow-list.ps1", "exchange/export_edge_allow_list.ps1.j2"),
    )

    def read(self, text: str, declared: DeclaredAllowlist) -> AllowlistContent:
        """Every entry that had not expired when the export was made."""
        del declared
        export = read_export(text, self.id)
        ranges = [o.text("IPRange") for o in export.objects if not o.flag("HasExpired")]
        return AllowlistContent(read_ranges(ranges), export.made_at, advice=tuple(_advice(export)))


def _advice(export: Export) -> Iterator[Advice]:
    for key in ("Enabled", "ExternalMailEnabled"):
        if not export.settings.flag(key):
            yield Advice(
                "exchange-edge-off",
                f"the IP Allow list of {export.server} is not in use ({key} is false)",
                f"Switch it on: Set-IPAllowListConfig -{key} $true",
            )
    for entry in export.objects:
        expires = entry.optional_text("ExpirationTime")
        if expires and not expires.startswith(_NEVER) and not entry.flag("HasExpired"):
            yield Advice(
                "exchange-edge-expires",
                f"the entry {entry.text('IPRange')} of {export.server} expires at {expires}",
                "Add it again without an expiration time, and remove the one that expires.",
            )
