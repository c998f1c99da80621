"""Who resolves names here."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.observe.asking import Address


def is_address(host: str) -> bool:
    """Whether a host is given as an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=1)
def system_resolvers() -> tuple[Address, ...]:
    """The resolvers of this system, or none."""
    import dns.resolver  # noqa: PLC0415 - 20 ms that a run with resolvers or servers in its settings does not need

    try:
        resolver = dns.resolver.Resolver()
    except (dns.resolver.NoResolverConfiguration, OSError):
        return ()
    return tuple((host, resolver.port) for host in resolver.nameservers if isinstance(host, str) and is_address(host))
