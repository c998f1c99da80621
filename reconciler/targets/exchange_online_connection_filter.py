"""Exchange Online: the IP Allow list of a connection filter policy.

What is in it skips spam filtering. Enhanced filtering (`exchange-online-enhanced-filtering`) is the better way where
Exchange Online filters behind the gateway as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.targets.base import AllowlistContent, DeclaredAllowlist, Intent, Output, UnreadableExportError
from reconciler.targets.exchange_json import read_export, read_ranges

DEFAULT_POLICY = "Default"


@dataclass(frozen=True, slots=True)
class ExchangeOnlineConnectionFilter:
    """`policy` is the policy's name; every organization has one that is called Default."""

    id: str = "exchange-online-connection-filter"
    title: str = "Exchange Online connection filter"
    intents: frozenset[Intent] = frozenset({Intent.ALLOW})
    options: frozenset[str] = frozenset({"policy"})
    is_readable: bool = True
    outputs: tuple[Output, ...] = (Output("connection-filter.ps1", "exchange/connection_filter.ps1.j2"),)
    export_outputs: tuple[Output, ...] = (
        Output("export-connection-filter.ps1", "exchange/export_connection_filter.ps1.j2"),
    )

    def read(self, text: str, declared: DeclaredAllowlist) -> AllowlistContent:
        """The list of the policy."""
        export = read_export(text, self.id)
        policy = declared.option("policy", DEFAULT_POLICY)
        found = export.named(policy)
        if len(found) > 1:
            message = f"the export holds {len(found)} policies named {policy}"
            raise UnreadableExportError(message)
        entries = read_ranges(found[0].texts("IPAllowList")) if found else ()
        return AllowlistContent(entries, export.made_at)
