"""How fast and how often at once an address may be asked, by who answers there. Pure.

What the settings say goes. Without it, servers of one's own (those that the settings name by address) are asked as fast
as they answer; resolvers whose limit is documented up to it; and everybody else, such as other people's authoritative
servers, `POLITE` queries in a second. A limit is for any one second: the rate leaves room for what a pause saves up.

Cloudflare, Quad9, OpenDNS and the providers of authoritative DNS document no number, and Google Cloud says that its
resolver limits nobody (https://cloud.google.com/dns/quotas): they are among everybody else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from reconciler.observe.asking import Address, DnsSettings

POLITE = 1000.0  # queries in a second at one address; the lowest documented limit of a resolver
POLITE_WINDOW = 200  # queries under way at one address; what Azure queues for a machine, and nobody documents less
BURST_SECONDS = 0.1  # what a pause may save up, of a second's queries

_GOOGLE = 1500.0  # a client address: https://developers.google.com/speed/public-dns/docs/isp
_AWS = 1024.0  # a network interface: https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html
_AZURE = 1000.0  # a machine: https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits

DOCUMENTED = {
    "8.8.8.8": _GOOGLE,
    "8.8.4.4": _GOOGLE,
    "2001:4860:4860::8888": _GOOGLE,
    "2001:4860:4860::8844": _GOOGLE,
    "169.254.169.253": _AWS,
    "fd00:ec2::253": _AWS,
    "168.63.129.16": _AZURE,
}
"""Queries in a second that resolvers allow, by address (IPv6 as RFC 5952 writes it)."""


class Allowance(NamedTuple):
    """What one address gets: `window` queries under way at the same time, `rate` a second; 0 for any number."""

    window: int
    rate: float


def allowance_of(address: Address, settings: DnsSettings) -> Allowance:
    """What an address gets by these settings."""
    return Allowance(window_of(address, settings), rate_of(address, settings))


def rate_of(address: Address, settings: DnsSettings) -> float:
    """Queries a second that an address gets from this run, on average; 0 for any number."""
    if settings.rate is not None:
        return settings.rate / settings.share
    if address in settings.servers:
        return 0.0
    return DOCUMENTED.get(address[0], POLITE) / (1 + BURST_SECONDS) / settings.share


def window_of(address: Address, settings: DnsSettings) -> int:
    """Queries of this run that are under way at an address at the same time, at least one."""
    if settings.per_server is None and address in settings.servers:
        return settings.in_flight
    at_once = POLITE_WINDOW if settings.per_server is None else settings.per_server
    return max(1, min(at_once // settings.share, settings.in_flight))
