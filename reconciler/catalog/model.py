"""The catalog as the core reads it. Every value comes from the data file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from reconciler.names import MAX_NAME_OCTETS, ROOT, Name, canonical_name

if TYPE_CHECKING:
    from collections.abc import Mapping


# as in the settings: a named tuple's class is made in a third of the time of a frozen dataclass, at every start


class Region(NamedTuple):
    """One region: `addresses` are IPv4 addresses as text, in the order of the vendor's page."""

    id: str
    addresses: tuple[str, ...]
    mx_host: Name
    mx_host_multi_region: Name


class SpamRule(NamedTuple):
    """The optional rule at the origin: header `header` matching `pattern` sets the spam confidence level."""

    name: str
    header: str
    pattern: str
    confidence_level: int


class Advisory(NamedTuple):
    """An oddity of the vendor's pages that concerns organizations of one region and multi-region flag."""

    code: str
    region: str
    multi_region: bool
    summary: str
    detail: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """The gateway's facts.

    `tls_minimum_version` is what an origin must offer at least, as "1.2". `digest` is `sha256:` over the data file's
    octets.
    """

    gateway: str
    support: str
    mx_preference: int
    gateway_domains: tuple[Name, ...]
    verification_label: str
    propagation_hours: int
    tls_minimum_version: str
    spam_rule: SpamRule
    regions: Mapping[str, Region]
    multi_region_addresses: tuple[str, ...]
    residency_conflict: tuple[str, ...]
    excluded_connections: tuple[str, ...]
    advisories: tuple[Advisory, ...]
    digest: str
    _states: Mapping[Name, tuple[tuple[str, bool], ...]] = field(init=False, repr=False, compare=False)
    _endings: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _verification_prefix: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Turn the regions round once: every mail domain asks whose host its MX is."""
        states: dict[Name, tuple[tuple[str, bool], ...]] = {}
        for region in self.regions.values():
            for flag, host in ((False, region.mx_host), (True, region.mx_host_multi_region)):
                states[host] = (*states.get(host, ()), (region.id, flag))
        object.__setattr__(self, "_states", states)
        endings = tuple(ROOT if domain == ROOT else f".{domain}" for domain in self.gateway_domains)
        object.__setattr__(self, "_endings", endings)
        object.__setattr__(self, "_verification_prefix", str(canonical_name(self.verification_label)))

    def mx_host(self, region: str, *, multi_region: bool) -> Name:
        """The MX host of an organization."""
        found = self.regions[region]
        return found.mx_host_multi_region if multi_region else found.mx_host

    def addresses(self, region: str, *, multi_region: bool) -> tuple[str, ...]:
        """The addresses from which the gateway delivers an organization's mail."""
        extra = self.multi_region_addresses if multi_region else ()
        return (*self.regions[region].addresses, *extra)

    def verification_name(self, domain: Name) -> Name:
        """The owner name of a mail domain's verification TXT rrset.

        Raises:
            InvalidNameError: it would be too long.

        """
        name = self._verification_prefix + domain
        # both parts are canonical, and so is what is made of them unless it is too long, which is told there
        return Name(name) if len(name) < MAX_NAME_OCTETS else canonical_name(name)

    def is_gateway_host(self, host: Name) -> bool:
        """Whether a host is one of the gateway's, in any region."""
        return host in self._states or host in self.gateway_domains or host.endswith(self._endings)

    def regions_with_mx_host(self, host: Name) -> frozenset[str]:
        """Each region that has this MX host in some state: none, one, or several."""
        return frozenset(region for region, _ in self.states_with_mx_host(host))

    def states_with_mx_host(self, host: Name) -> tuple[tuple[str, bool], ...]:
        """Each (region, multi-region flag) whose MX host this is: none, one, or several."""
        return self._states.get(host, ())
