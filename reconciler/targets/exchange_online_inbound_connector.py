"""Exchange Online: the sender addresses of an inbound connector of type Partner.

With the intent `allow` the connector knows the gateway by its addresses and rejects nobody. With `restrict` it is for
every sender domain and rejects what comes from elsewhere (`RestrictDomainsToIPAddresses`): the lockdown.
"""

from __future__ import annotations

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
)
from reconciler.targets.exchange_json import read_export, read_ranges

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.targets.exchange_json import Record


@dataclass(frozen=True, slots=True)
class ExchangeOnlineInboundConnector:
    """`name` is the connector's."""

    id: str = "exchange-online-inbound-connector"
    title: str = "Exchange Online inbound connector"
    intents: frozenset[Intent] = frozenset(Intent)
    options: frozenset[str] = frozenset({"name"})
    is_readable: bool = True
    outputs: tuple[Output, ...] = (Output("inbound-connector.ps1", "exchange/inbound_connector.ps1.j2"),)
    export_outputs: tuple[Output, ...] = (
        Output("export-inbound-connectors.ps1", "exchange/export_inbound_connectors.ps1.j2"),
    )

    def read(self, text: str, declared: DeclaredAllowlist) -> AllowlistContent:
        """The addresses of the connector; none where it is disabled."""
        export = read_export(text, self.id)
        found = export.named(declared.name)
        if len(found) > 1:
            message = f"the export holds {len(found)} inbound connectors named {declared.name}"
            raise UnreadableExportError(message)
        if not found:
            return AllowlistContent((), export.made_at)
        connector = found[0]
        entries = read_ranges(connector.texts("SenderIPAddresses")) if connector.flag("Enabled") else ()
        is_rejecting = connector.flag("Enabled") and connector.flag("RestrictDomainsToIPAddresses")
        refusal = Enforcement.HARD if is_rejecting else Enforcement.NONE
        advice = tuple(_advice(connector, declared.intent))
        return AllowlistContent(entries, export.made_at, advice=advice, refusal=refusal)


def is_for_every_domain(connector: Record) -> bool:
    """Whether `SenderDomains` is `*`, which is written back as `smtp:*;1` (an address type, and a cost)."""
    return "*" in {d.casefold().removeprefix("smtp:").split(";", 1)[0] for d in connector.texts("SenderDomains")}


def _advice(connector: Record, intent: Intent) -> Iterator[Advice]:
    name = connector.text("Name")
    run = "Run the script that `reconciler emit exchange` writes."
    if not connector.flag("Enabled"):
        yield Advice("exchange-connector-disabled", f"the inbound connector {name} is disabled", run)
    if connector.optional_text("ConnectorType").casefold() != "partner":
        summary = f"the inbound connector {name} is not of type Partner"
        detail = "An OnPremises connector trusts what it takes. Declare another name, and let the script make it."
        yield Advice("exchange-connector-type", summary, detail)
    rejects = connector.flag("RestrictDomainsToIPAddresses")
    if intent is Intent.RESTRICT and not (rejects and is_for_every_domain(connector)):
        summary = f"the inbound connector {name} restricts nothing yet: mail from elsewhere is still taken"
        detail = "Once every mail domain is switched, emit again and run the script: until then it rejects nothing."
        yield Advice("exchange-connector-open", summary, detail)
    if intent is Intent.ALLOW and rejects:
        summary = f"the inbound connector {name} rejects mail of its sender domains that comes from elsewhere"
        detail = "That is the intent restrict. Declare it, or set RestrictDomainsToIPAddresses to $false."
        yield Advice("exchange-connector-rejects", summary, detail)
