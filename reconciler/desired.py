"""What the manifests and the catalog want in DNS: pure.

For one mail domain at most two rrsets: the verification TXT values and the MX. Who owns which value is decided here,
once, by the three kinds of ownership below; everything that is not ours is foreign and stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from reconciler.state import Key, Rdata, mx_exchange, mx_rdata, txt_rdata

if TYPE_CHECKING:
    from reconciler.catalog import Catalog
    from reconciler.manifest.fleet import Domain
    from reconciler.names import Name


class Ownership(Protocol):
    """Tells our values from foreign ones in one rrset."""

    def owns(self, rdata: Rdata) -> bool:
        """Whether the value is ours."""
        ...


@dataclass(frozen=True, slots=True)
class OwnsAll:
    """The whole rrset is ours: an exclusive MX."""

    def owns(self, rdata: Rdata) -> bool:
        """Whatever is there is ours."""
        del rdata
        return True


@dataclass(frozen=True, slots=True)
class OwnsValues:
    """The declared values are ours, whether they shall be there or not: verification tokens."""

    values: frozenset[Rdata]

    def owns(self, rdata: Rdata) -> bool:
        """A value is ours when the manifest names it."""
        return rdata in self.values


@dataclass(frozen=True, slots=True)
class OwnsGatewayHosts:
    """Every MX value that names a host of the gateway, of any region, is ours, and so is `declared`: a shared MX."""

    catalog: Catalog
    declared: Name

    def owns(self, rdata: Rdata) -> bool:
        """A value is ours when its host is the gateway's or the declared one."""
        host = mx_exchange(rdata)
        return host == self.declared or self.catalog.is_gateway_host(host)


@dataclass(frozen=True, slots=True)
class DesiredRRset:
    """Our part of one rrset: `wanted` shall be there, of what is ours nothing else shall.

    `ttl` in seconds holds where the rrset is ours alone; None keeps what is there.
    """

    key: Key
    wanted: tuple[Rdata, ...]
    ownership: Ownership
    ttl: int | None


@dataclass(frozen=True, slots=True)
class DesiredDomain:
    """What one mail domain shall have in DNS; None where the gateway needs nothing there."""

    domain: Domain
    verification: DesiredRRset | None
    mx: DesiredRRset | None

    @property
    def rrsets(self) -> tuple[DesiredRRset, ...]:
        """The rrsets to observe, in the order of the plan."""
        return tuple(r for r in (self.verification, self.mx) if r is not None)


def build_desired(domain: Domain, catalog: Catalog) -> DesiredDomain:
    """The desired state of one mail domain."""
    if not domain.is_filtered_by_mx:
        return DesiredDomain(domain, verification=None, mx=None)
    return DesiredDomain(domain, _verification(domain, catalog), _mx(domain, catalog))


def _verification(domain: Domain, catalog: Catalog) -> DesiredRRset:
    tokens = domain.verification
    declared = tuple(txt_rdata(t) for t in (tokens.primary, tokens.secondary) if t is not None)
    needed = (tokens.primary, tokens.secondary if domain.multi_region else None)
    return DesiredRRset(
        Key(catalog.verification_name(domain.name), "TXT"),
        tuple(sorted(txt_rdata(t) for t in needed if t is not None)),
        OwnsValues(frozenset(declared)),
        domain.ttl,
    )


def _mx(domain: Domain, catalog: Catalog) -> DesiredRRset:
    host = domain.mx_host.host if domain.mx_host else catalog.mx_host(domain.region, multi_region=domain.multi_region)
    return DesiredRRset(
        Key(domain.name, "MX"),
        (mx_rdata(catalog.mx_preference, host),),
        OwnsAll() if domain.mx_exclusive else OwnsGatewayHosts(catalog, host),
        domain.ttl,
    )
