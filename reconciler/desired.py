"""What the manifests and the catalog want in DNS: pure.

For one mail domain at most two rrsets: the verification TXT values and the MX. Who owns which value is decided here,
once, by the three kinds of ownership below; everything that is not ours is foreign and stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from reconciler.history import NO_HISTORY
from reconciler.state import Key, Rdata, mx_exchange, mx_rdata, txt_rdata

if TYPE_CHECKING:
    from reconciler.catalog import Catalog
    from reconciler.history import History
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
    """Every MX value that names a host of the gateway, of any region, is ours, and so are those of `declared`."""

    catalog: Catalog
    declared: frozenset[Name]

    def owns(self, rdata: Rdata) -> bool:
        """A value is ours when its host is the gateway's or a declared one."""
        host = mx_exchange(rdata)
        return host in self.declared or self.catalog.is_gateway_host(host)


_FIRST_PREFERENCE = 10
_WHOLE = OwnsAll()


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

    def is_mx_as_wanted(self, there: tuple[Rdata, ...]) -> bool:
        """Whether an MX needs no switch any more; of a domain that leaves, whether no host of the gateway is in it."""
        if self.mx is None:
            return True
        ours = {v for v in there if self.mx.ownership.owns(v)}
        return not ours if self.domain.is_leaving else ours == set(self.mx.wanted)


RRSETS_EACH = 2
"""How many rrsets a mail domain desires whose mail is filtered by MX."""


def desired_keys(domain: Domain, catalog: Catalog) -> tuple[Key, ...]:
    """The keys of `DesiredDomain.rrsets`, which do not depend on what is remembered."""
    if not domain.is_filtered_by_mx:
        return ()
    return Key(catalog.verification_name(domain.name), "TXT"), Key(domain.name, "MX")


def build_desired(
    domain: Domain, catalog: Catalog, history: History = NO_HISTORY, keys: tuple[Key, ...] = ()
) -> DesiredDomain:
    """The desired state of one mail domain; verification values that the program wrote stay ours until they go.

    `keys` are its `desired_keys`, from whoever has them already.
    """
    if not domain.is_filtered_by_mx:
        return DesiredDomain(domain, verification=None, mx=None)
    values, exchanges = keys or desired_keys(domain, catalog)
    build_mx = _next_hops_mx if domain.is_leaving else _gateway_mx
    return DesiredDomain(domain, _verification(domain, values, history), build_mx(domain, exchanges, catalog, history))


def needed_values(domain: Domain) -> tuple[Rdata, ...]:
    """The verification values that a mail domain needs while it is behind the gateway, sorted."""
    tokens = domain.verification
    primary = () if tokens.primary is None else (txt_rdata(tokens.primary),)
    if tokens.secondary is None or not domain.multi_region:
        return primary
    return tuple(sorted((*primary, txt_rdata(tokens.secondary))))


def _verification(domain: Domain, key: Key, history: History) -> DesiredRRset:
    needed, secondary = needed_values(domain), domain.verification.secondary
    ours = {*needed}
    if secondary is not None:
        ours.add(txt_rdata(secondary))
    if history.written:
        ours.update(value for where, value in history.written if where == key)
    return DesiredRRset(key, () if domain.is_leaving else needed, OwnsValues(frozenset(ours)), domain.ttl)


def _gateway_mx(domain: Domain, key: Key, catalog: Catalog, _history: History) -> DesiredRRset:
    host = _gateway_host(domain, catalog)
    return DesiredRRset(
        key,
        (mx_rdata(catalog.mx_preference, host),),
        _WHOLE if domain.mx_exclusive else OwnsGatewayHosts(catalog, frozenset({host})),
        domain.ttl,
    )


def _next_hops_mx(domain: Domain, key: Key, catalog: Catalog, history: History) -> DesiredRRset:
    """Where mail goes without the gateway; whatever else stands there by then is somebody else's.

    A host that was the gateway's by the manifest alone (`mx_host`) is remembered by what the program wrote.
    """
    written = {
        mx_exchange(v) for where, v in history.written if where == key and v.startswith(f"{catalog.mx_preference} ")
    }
    gateway = {_gateway_host(domain, catalog), *(written - set(domain.next_hops))}
    return DesiredRRset(
        key,
        tuple(sorted(mx_rdata(_FIRST_PREFERENCE * i, host) for i, host in enumerate(domain.next_hops, 1))),
        OwnsGatewayHosts(catalog, frozenset(gateway)),
        domain.ttl,
    )


def without_settled(desired: DesiredRRset, there: tuple[Rdata, ...]) -> DesiredRRset:
    """What a leaving domain's MX still wants: nothing once no host of the gateway is in it, else what lacks."""
    hosts = {mx_exchange(v) for v in there}
    if not any(desired.ownership.owns(v) for v in there):
        return replace(desired, wanted=())
    return replace(desired, wanted=tuple(v for v in desired.wanted if mx_exchange(v) not in hosts))


def _gateway_host(domain: Domain, catalog: Catalog) -> Name:
    if domain.mx_host is not None:
        return domain.mx_host.host
    return catalog.mx_host(domain.region, multi_region=domain.multi_region)
