"""Exchange Online: the addresses that Enhanced Filtering for Connectors skips (`EFSkipIPs` of an inbound connector).

With them Exchange Online looks past the gateway at the true source, so that SPF, DMARC and its reputation work again.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.targets.base import (
    Advice,
    AllowlistContent,
    DeclaredAllowlist,
    Intent,
    Output,
    UnreadableExportError,
)
from reconciler.targets.exchange_json import read_export, read_ranges


@dataclass(frozen=True, slots=True)
class ExchangeOnlineEnhancedFiltering:
    """`name` is the name of the inbound connector, which has to be there."""

    id: str = "exchange-online-enhanced-filtering"
    title: str = "Exchange Online enhanced filtering"
    intents: frozenset[Intent] = frozenset({Intent.ALLOW})
    options: frozenset[str] = frozenset({"name"})
    is_readable: bool = True
    outputs: tuple[Output, ...] = (Output("enhanced-filtering.ps1", "exchange/enhanced_filtering.ps1.j2"),)
    export_outputs: tuple[Output, ...] = (
        Output("export-enhanced-filtering.ps1", "exchange/export_enhanced_filtering.ps1.j2"),
    )

    def read(self, text: str, declared: DeclaredAllowlist) -> AllowlistContent:
        """The addresses that are skipped; none where `EFSkipLastIP` makes Exchange Online ignore the list."""
        export = read_export(text, self.id)
        found = export.named(declared.name)
        if len(found) > 1:
            message = f"the export holds {len(found)} inbound connectors named {declared.name}"
            raise UnreadableExportError(message)
        if not found:
            return AllowlistContent((), export.made_at)
        connector = found[0]
        advice = []
        if connector.texts("EFUsers"):
            summary = f"enhanced filtering on {declared.name} is for some recipients alone"
            detail = "Empty EFUsers when the trial is over: Set-InboundConnector -EFUsers $null."
            advice.append(Advice("exchange-enhanced-filtering-users", summary, detail))
        skips_last = connector.flag("EFSkipLastIP")
        entries = () if skips_last else read_ranges(connector.texts("EFSkipIPs"))
        return AllowlistContent(entries, export.made_at, advice=tuple(advice))
