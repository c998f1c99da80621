"""What the origin does to mail from a gateway, and how strangers find it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.addresses import parse_address_set
from reconciler.errors import Severity
from reconciler.gates.base import Facts, build_diagnostic
from reconciler.gates.observed import is_switch_pending, is_through_gateway, next_hop_addresses
from reconciler.gates.spf import spf_records
from reconciler.names import display_name, is_under
from reconciler.state import Present, Unknown
from reconciler.surroundings import HostSight, SmtpSight
from reconciler.targets.base import Intent
from reconciler.targets.origin_limits import GATEWAY_MESSAGE_OCTETS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.errors import Diagnostic


@dataclass(frozen=True, slots=True)
class BypassOrigin:
    """The origin's address is easily found, and whoever has it can send past the gateway while the origin is open."""

    id: str = "bypass-origin"
    severity: Severity = Severity.ADVISORY

    def find(self, facts: Facts) -> Iterator[Diagnostic]:
        """Look at names that are easily guessed and at SPF; an origin that keeps others out has nothing to hide."""
        if facts.domain.is_leaving or not (is_through_gateway(facts) or is_switch_pending(facts)):
            return
        shown = [*_shown_hosts(facts), *_shown_by_spf(facts)]
        kept = [h for h in facts.domain.next_hops if is_under(h, facts.domain.name)]
        if not shown or _is_restricted(facts):
            return
        addresses = ", ".join(sorted(next_hop_addresses(facts)))
        detail = "After the switch, let the origin take mail from the gateway's addresses alone."
        if kept:
            detail += f" Keep the address records of {', '.join(map(display_name, kept))}: the gateway delivers there."
        yield build_diagnostic(
            self, facts, f"the origin's address ({addresses}) is shown by {', '.join(shown)}", detail
        )


def _shown_hosts(facts: Facts) -> Iterator[str]:
    addresses = next_hop_addresses(facts)
    for host, sight in facts.surroundings.shown_hosts.items():
        if isinstance(sight, HostSight) and addresses & set(sight.addresses):
            yield display_name(host)


def _shown_by_spf(facts: Facts) -> Iterator[str]:
    seen = facts.surroundings.apex_txt
    records = spf_records(seen.rrset) if isinstance(seen, Present) else ()
    addresses = parse_address_set(next_hop_addresses(facts))
    for mechanism, networks in (pair for record in records for pair in record.networks):
        if networks & addresses:
            yield f"SPF's `{mechanism.written}`"


def _is_restricted(facts: Facts) -> bool:
    """Whether a list of the service was observed to keep others out."""
    return any(
        f.allowlist.declared.intent is Intent.RESTRICT
        and f.observed is not None
        and not isinstance(f.observed, Unknown)
        and not f.observed.is_open
        for f in facts.allowlists
    )


@dataclass(frozen=True, slots=True)
class Size:
    """A next hop takes smaller messages than the gateway hands on: larger ones bounce after the gateway took them."""

    id: str = "size"
    severity: Severity = Severity.ADVISORY

    def find(self, facts: Facts) -> Iterator[Diagnostic]:
        """Look at what SIZE announces (RFC 1870); 0 is no limit."""
        for host in facts.domain.next_hops:
            seen = facts.surroundings.mail_server(host)
            if isinstance(seen, SmtpSight) and seen.size and seen.size < GATEWAY_MESSAGE_OCTETS:
                summary = (
                    f"{display_name(host)} takes messages of {seen.size:,} octets, less than the "
                    f"{GATEWAY_MESSAGE_OCTETS:,} that the gateway hands on"
                )
                detail = f"Larger ones bounce after the gateway took them. Raise the limit to {GATEWAY_MESSAGE_OCTETS}."
                yield build_diagnostic(self, facts, summary, detail)


SENDER_CHECKS: Mapping[str, str] = {
    "exchange": "the connection filtering and Sender ID agents (InternalSMTPServers of Set-TransportConfig)",
    "exchange-online": "Enhanced Filtering for Connectors, which skips the gateway's addresses",
    "microsoft-365": "Enhanced Filtering for Connectors, which skips the gateway's addresses",
    "google-workspace": "the inbound gateway setting of Gmail, with the gateway's addresses",
    "zoho": "the allowed IP addresses of Zoho's spam control",
    "cpanel": "Exim's SPF and DKIM options, by the trusted SMTP IP addresses of its configuration",
    "postfix": "the SPF policy service and OpenDMARC (Whitelist of policyd-spf, IgnoreHosts of opendmarc)",
    "exim": "the SPF and DMARC conditions of its ACLs, by a host list",
}
"""What judges senders by SPF and DMARC, by kind of service; what is not here is said in general words."""

CLIENT_LIMITS: Mapping[str, str] = {
    "exchange": "MessageRateLimit and MaxInboundConnectionPerSource of the receive connector",
    "exchange-online": "throttling of the connection filter, by the inbound connector",
    "microsoft-365": "throttling of the connection filter, by the inbound connector",
    "google-workspace": "the inbound gateway setting of Gmail",
    "zoho": "the allowed IP addresses of Zoho's spam control",
    "cpanel": "greylisting (trusted hosts), cPHulk and the firewall's connection limits",
    "postfix": "smtpd_client_event_limit_exceptions, postscreen_access_list and the greylisting's client list",
    "exim": "smtp_accept_max_per_host, the ratelimit conditions and greylisting of its ACLs",
}
"""What limits clients, likewise."""


def _is_first_switch(facts: Facts) -> bool:
    """Whether the domain's mail is to come from the gateway, and does not yet."""
    return is_switch_pending(facts) and not is_through_gateway(facts) and not facts.domain.is_leaving


@dataclass(frozen=True, slots=True)
class OriginSpf:
    """The origin judges relayed mail by the gateway's address: SPF fails, and with it DMARC (RFC 7208, RFC 7489)."""

    id: str = "origin-spf"
    severity: Severity = Severity.ADVISORY

    def find(self, facts: Facts) -> Iterator[Diagnostic]:
        """Said before the first switch: how the origin judges cannot be seen from outside."""
        if _is_first_switch(facts):
            where = SENDER_CHECKS.get(facts.domain.kind, "whatever does this at the origin or before it")
            summary = "all mail will come from the gateway's addresses, for which SPF of its senders fails"
            detail = f"Let the origin skip SPF and DMARC for these addresses before the switch: {where}."
            yield build_diagnostic(self, facts, summary, detail)


@dataclass(frozen=True, slots=True)
class Limits:
    """The origin limits or greylists each client, and behind a gateway a few clients send all the mail (RFC 6647)."""

    id: str = "limits"
    severity: Severity = Severity.ADVISORY

    def find(self, facts: Facts) -> Iterator[Diagnostic]:
        """Said before the first switch: most limits cannot be seen from outside."""
        if _is_first_switch(facts):
            where = CLIENT_LIMITS.get(facts.domain.kind, "whatever does this at the origin or before it")
            summary = "all mail will come from a few addresses, and limits for each client would defer it"
            detail = f"Exempt these addresses from connection limits, rate limits and greylisting: {where}."
            yield build_diagnostic(self, facts, summary, detail)
