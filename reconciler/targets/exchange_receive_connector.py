"""Exchange Server: the remote address ranges of one receive connector.

A receive connector for the gateway lets it in and keeps nobody out: `Default Frontend <server>` goes on taking mail
from the whole Internet, and narrowing that one breaks mail between servers and to Exchange Online. So the intent is
`allow` alone; a firewall restricts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.addresses import address_set, parse_address_set
from reconciler.targets.base import (
    Advice,
    AllowlistContent,
    DeclaredAllowlist,
    Intent,
    Output,
    UnreadableExportError,
)
from reconciler.targets.exchange_advice import advise_receive_connector
from reconciler.targets.exchange_json import Record, read_export, read_ranges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.addresses import AddressSet, Interval

_SMTP = "25"


@dataclass(frozen=True, slots=True)
class ExchangeReceiveConnector:
    """`name` is the connector's own, without its server; `server` is needed where several servers have one."""

    id: str = "exchange-receive-connector"
    title: str = "Exchange receive connector"
    intents: frozenset[Intent] = frozenset({Intent.ALLOW})
    options: frozenset[str] = frozenset({"name", "server"})
    is_readable: bool = True
    outputs: tuple[Output, ...] = (Output("receive-connector.ps1", "exchange/receive_connector.ps1.j2"),)
    export_outputs: tuple[Output, ...] = (
        Output("export-receive-connectors.ps1", "exchange/export_receive_connectors.ps1.j2"),
    )

    def read(self, text: str, declared: DeclaredAllowlist) -> AllowlistContent:
        """The ranges of the connector; none where it does not take mail from the gateway at all."""
        export = read_export(text, self.id)
        server = _host(declared.option("server"))
        found = [c for c in export.named(declared.name) if not server or _host(c.text("Server")) == server]
        if len(found) > 1:
            servers = ", ".join(sorted(c.text("Server") for c in found))
            message = f"several servers have a receive connector of this name ({servers}); add `server` to its options"
            raise UnreadableExportError(message)
        if not found:
            return AllowlistContent(
                (), export.made_at, advice=_not_there(declared.name, tuple(o.text("Name") for o in export.objects))
            )
        connector = found[0]
        closed = _closed(connector)
        entries = read_ranges(connector.texts("RemoteIPRanges"))
        is_for_all = address_set(entry.interval for entry in entries).covers(_INTERNET)
        # limits that are raised for the gateway must not be raised for everybody
        limits = (_FOR_ALL,) if is_for_all else tuple(advise_receive_connector(connector, export.settings))
        preferred = [c for c in export.objects if _is_preferred_and_refuses(c, connector)]
        refused = address_set(
            narrow.interval
            for other in preferred
            for narrow in read_ranges(other.texts("RemoteIPRanges"))
            if any(_is_narrower(narrow.interval, entry.interval) for entry in entries)
        )
        advice = (*closed, *_trusting(connector), *limits, *_preferring(preferred, refused))
        return AllowlistContent(() if closed else entries, export.made_at, advice=advice, refused=refused)


def _is_preferred_and_refuses(other: Record, connector: Record) -> bool:
    """Whether another connector of the same server and port would refuse the gateway where its range is narrower.

    The connector with the most specific range takes a connection, whatever the others would do with it.
    """
    is_beside = other is not connector and _host(other.text("Server")) == _host(connector.text("Server"))
    return is_beside and other.flag("Enabled") and _listens(other) and "anonymoususers" not in _groups(other)


def _is_narrower(inner: Interval, outer: Interval) -> bool:
    is_inside = inner.version == outer.version and outer.first <= inner.first and inner.last <= outer.last
    return is_inside and inner.size < outer.size


def _preferring(preferred: Sequence[Record], refused: AddressSet) -> tuple[Advice, ...]:
    if not refused:
        return ()
    names = ", ".join(sorted(c.text("Name") for c in preferred))
    shown = ", ".join(refused.texts[:_SHOWN]) + (", ..." if len(refused.texts) > _SHOWN else "")
    detail = "That matters where the gateway's addresses are among them: take them out of that connector's ranges."
    summary = f"more specific receive connectors ({names}) take {shown} first, and refuse anonymous senders"
    return (Advice("exchange-connector-preferred", summary, detail),)


def _groups(connector: Record) -> frozenset[str]:
    return connector.words("PermissionGroups")


def _listens(connector: Record) -> bool:
    return any(binding.rpartition(":")[2].strip() == _SMTP for binding in connector.texts("Bindings"))


_SHOWN = 5
_INTERNET = parse_address_set(["0.0.0.0/0"])
_FOR_ALL = Advice(
    "exchange-connector-shared",
    "the receive connector takes mail from the whole Internet: it is the server's own and not the gateway's",
    "The gateway is let in. Declare a connector of its own for it, so that its limits can be raised for it alone.",
)


def _not_there(name: str, others: Sequence[str]) -> tuple[Advice, ...]:
    """A misspelt name looks like a connector that is still to be made."""
    there = ", ".join(others) or "none"
    detail = "The emitted script would make it. Correct `name` in the manifest if one of those is meant."
    return (Advice("exchange-connector-missing", f"no receive connector is named {name}; there are: {there}", detail),)


def _host(server: str) -> str:
    return server.split(".", 1)[0].casefold()


def _closed(connector: Record) -> tuple[Advice, ...]:
    """Why the connector takes no mail from the gateway, whatever its ranges are."""
    name = connector.text("Name")
    if not connector.flag("Enabled"):
        summary = f"the receive connector {name} is disabled: its ranges allow nobody"
        detail = "Enable it with Set-ReceiveConnector -Enabled $true, then make a new export."
        return (Advice("exchange-connector-disabled", summary, detail),)
    if "anonymoususers" not in _groups(connector):
        summary = f"the receive connector {name} refuses anonymous senders, as the gateway is one"
        detail = "Add AnonymousUsers to its PermissionGroups, or declare another connector. Then make a new export."
        return (Advice("exchange-connector-anonymous", summary, detail),)
    if not _listens(connector):
        summary = f"the receive connector {name} does not listen on port {_SMTP}, where the gateway delivers"
        detail = f"Bind it to port {_SMTP}, or declare another connector. Then make a new export."
        return (Advice("exchange-connector-port", summary, detail),)
    return ()


def _trusting(connector: Record) -> tuple[Advice, ...]:
    if "externalauthoritative" not in connector.words("AuthMechanism"):
        return ()
    summary = f"the receive connector {connector.text('Name')} trusts everybody in its ranges as if they were internal"
    detail = (
        "The gateway's mail would pass unfiltered and could be relayed. Use a connector without ExternalAuthoritative."
    )
    return (Advice("exchange-connector-trusting", summary, detail),)
