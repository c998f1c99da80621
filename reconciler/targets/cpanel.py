"""cPanel & WHM: the hosts that Exim trusts, and the hosts that greylisting leaves alone.

cPanel routes mail by itself: when a domain's MX is no longer the server and its routing is "Automatically Detect",
cPanel takes it for remote and stops delivering what the gateway hands on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.targets.base import (
    Advice,
    AllowlistContent,
    DeclaredAllowlist,
    Intent,
    Output,
    UnreadableExportError,
    read_entries,
)
from reconciler.targets.exim import exim_advice, host_keys
from reconciler.targets.export_text import ExportText, read_export_text, read_json, shown
from reconciler.targets.networks import read_networks

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROUTING_DETAIL = (
    'Set "Email Routing" of every domain behind the gateway to "Local Mail Exchanger" before its MX moves; '
    '"Automatically Detect Configuration" makes it remote once the MX is the gateway.'
)
_READ_HOSTS = "read_cpgreylist_trusted_hosts"


@dataclass(frozen=True, slots=True)
class CpanelTrustedMailHosts:
    """/etc/trustedmailhosts: hosts that Exim spares every check of the SMTP time but the recipient's."""

    id: str = "cpanel-trustedmailhosts"
    title: str = "cPanel trusted mail hosts"
    intents: frozenset[Intent] = frozenset({Intent.ALLOW})
    options: frozenset[str] = frozenset()
    is_readable: bool = True
    outputs: tuple[Output, ...] = (
        Output("trustedmailhosts.list", "allowlists/cpanel_trustedmailhosts.list.j2"),
        Output("apply.sh", "allowlists/cpanel_trustedmailhosts_apply.sh.j2"),
    )
    export_outputs: tuple[Output, ...] = (Output("export.sh", "allowlists/cpanel_trustedmailhosts_export.sh.j2"),)

    def read(self, text: str, declared: DeclaredAllowlist) -> AllowlistContent:
        """Every key of the file, and advice from Exim's settings and cPanel's routing."""
        del declared
        export = read_export_text(text, target=self.id, raw_section="hosts")
        entries = read_networks(host_keys(export.lines("hosts") or ()))
        advice = (*exim_advice(export.lines("settings") or ()), *_routing_advice(export))
        return AllowlistContent(entries, export.made_at, advice=advice)


@dataclass(frozen=True, slots=True)
class CpanelGreylist:
    """The trusted hosts of greylisting, which WHM API 1 reads and writes."""

    id: str = "cpanel-greylist"
    title: str = "cPanel greylisting trusted hosts"
    intents: frozenset[Intent] = frozenset({Intent.ALLOW})
    options: frozenset[str] = frozenset()
    is_readable: bool = True
    outputs: tuple[Output, ...] = (Output("apply.sh", "allowlists/cpanel_greylist_apply.sh.j2"),)
    export_outputs: tuple[Output, ...] = (Output("export.sh", "allowlists/cpanel_greylist_export.sh.j2"),)

    def read(self, text: str, declared: DeclaredAllowlist) -> AllowlistContent:
        """`data.greylist_trusted_hosts[].host_ip` of the answer in JSON."""
        del declared
        export = read_export_text(text, target=self.id, raw_section="answer", may_be_markup=True)
        hosts = _trusted_hosts(read_json(export.text("answer") or ""))
        return AllowlistContent(read_entries(hosts), export.made_at, advice=tuple(_routing_advice(export)))


def _trusted_hosts(answer: object) -> Iterator[str]:
    match answer:
        case {"metadata": {"command": str(command)}} if command != _READ_HOSTS:
            summary = f"the export is the answer to {shown(command)}, not to {_READ_HOSTS}"
            raise UnreadableExportError(summary)
        case {"metadata": {"result": 1}, "data": {"greylist_trusted_hosts": list(hosts)}}:
            for host in hosts:
                if not isinstance(host, dict) or not isinstance(host.get("host_ip"), str):
                    raise UnreadableExportError("a trusted host of the export has no host_ip")
                yield host["host_ip"]
        case {"metadata": {"result": 0, "reason": reason}}:
            summary = f"WHM refused the call: {shown(str(reason))}"
            raise UnreadableExportError(summary)
        case _:
            summary = f"the export is no answer of WHM API 1 to {_READ_HOSTS}"
            raise UnreadableExportError(summary)


def _routing_advice(export: ExportText) -> Iterator[Advice]:
    remote = [line.strip() for line in export.lines("remotedomains") or () if line.strip()]
    if remote:
        listed = ", ".join(shown(name) for name in remote[:5]) + (", ..." if remote[5:] else "")
        summary = f"cPanel delivers elsewhere what comes for {listed}"
        yield Advice("mail-routing", summary, _ROUTING_DETAIL)
    elif export.lines("remotedomains") is None:
        summary = "the export does not say how cPanel routes mail, which must stay local when the MX moves"
        yield Advice("mail-routing", summary, _ROUTING_DETAIL)
    else:
        summary = "cPanel delivers every domain itself, and must go on doing so when the MX moves"
        yield Advice("mail-routing", summary, _ROUTING_DETAIL)
