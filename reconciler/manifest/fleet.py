"""What the manifests say, resolved: every domain carries all that was said for its organization and its service.

The models of `models.py` are what people write; these are what the core reads. They are small, because there may be a
hundred thousand of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import date

    from reconciler.names import Name
    from reconciler.targets.base import DeclaredAllowlist

MANUAL_PROVIDER = "manual"

# The smallest, of which there are most, are named tuples: their classes, and they, are made in less time.


class Lifecycle(StrEnum):
    """Whether a mail domain shall be behind the gateway, or is declared to leave it."""

    ACTIVE = "active"
    OFFBOARDED = "offboarded"


class Source(NamedTuple):
    """Where something was declared: a file's path as given, a line counted from 1."""

    file: str
    line: int


class Attestation(NamedTuple):
    """A person vouches for what the program cannot see.

    `region` and `multi_region` say for which state of the organization it was attested, `next_hops` (sorted) which
    ones the console shows; None where they were left out.
    """

    what: str
    by: str
    on: date
    expires: date | None
    region: str | None
    multi_region: bool | None
    next_hops: tuple[Name, ...] | None = None


class Waiver(NamedTuple):
    """A person excuses one gate or policy, with an end date (the last day on which it counts)."""

    gate: str
    owner: str
    reason: str
    expires: date


@dataclass(frozen=True, slots=True)
class DriftIgnore:
    """A person lets a drift finding be, with an end date (the last day on which it counts).

    `finding` is a code or a class of `KNOWN_FINDINGS`; `resource` narrows it to a name, a type, or `TYPE name`.
    """

    finding: str
    resource: str | None
    owner: str
    reason: str
    expires: date
    source: Source


class Verification(NamedTuple):
    """The values for the verification TXT rrset, as the vendor's console shows them; None where not declared."""

    primary: str | None
    secondary: str | None


class MxHostOverride(NamedTuple):
    """Another MX host than the catalog's, and why."""

    host: Name
    reason: str


@dataclass(frozen=True, slots=True)
class Domain:
    """One mail domain with everything that holds for it.

    `written` is the name as its author spelled it. `ttl` (seconds) is for rrsets that are ours alone; None keeps what
    is there. `switch_ttl` (seconds) is the MX's before and during a switch, None where it stays. `zone` and `provider`
    are None where the program is to find or to choose them. Attestations and waivers of the organization and the
    service come after the domain's own.
    """

    name: Name
    written: str
    organization: str
    service: str
    kind: str
    connection: str
    region: str
    multi_region: bool
    next_hops: tuple[Name, ...]
    verification: Verification
    zone: Name | None
    provider: str | None
    mx_exclusive: bool
    mx_host: MxHostOverride | None
    ttl: int | None
    attestations: tuple[Attestation, ...]
    waivers: tuple[Waiver, ...]
    source: Source
    switch_ttl: int | None = None
    lifecycle: Lifecycle = Lifecycle.ACTIVE
    ignore_drift: tuple[DriftIgnore, ...] = ()

    @property
    def is_leaving(self) -> bool:
        """Whether it is declared to leave the gateway: its MX goes back to its next hops, and then our values go."""
        return self.lifecycle is Lifecycle.OFFBOARDED

    @property
    def is_filtered_by_mx(self) -> bool:
        """Whether mail reaches the gateway through the MX rrset; with an API or journaling connection it does not."""
        return self.connection == "mx"


@dataclass(frozen=True, slots=True)
class ServiceAllowlist:
    """One list of a service; `export` is a path relative to the settings file's folder, None where a person attests."""

    declared: DeclaredAllowlist
    export: str | None
    source: Source


class ServiceSpamRule(NamedTuple):
    """The service's spam rule: the target that runs it, and its export as in `ServiceAllowlist`.

    `target` is None where a person makes the rule in a console, and attests it.
    """

    target: str | None
    export: str | None
    source: Source


@dataclass(frozen=True, slots=True)
class Service:
    """One mail service's side of the origin; attestations and waivers of the organization come after its own."""

    organization: str
    name: str
    kind: str
    connection: str
    region: str
    multi_region: bool
    allowlists: tuple[ServiceAllowlist, ...]
    spam_rule: ServiceSpamRule | None
    attestations: tuple[Attestation, ...]
    waivers: tuple[Waiver, ...]
    source: Source
    ignore_drift: tuple[DriftIgnore, ...] = ()


@dataclass(frozen=True, slots=True)
class Organization:
    """One organization, as one manifest declares it."""

    name: str
    region: str
    multi_region: bool
    escalation_contacts: tuple[str, ...]
    services: tuple[Service, ...]
    domains: tuple[Domain, ...]
    source: Source


@dataclass(frozen=True, slots=True)
class Fleet:
    """All manifests: `digest` is `sha256:` over every file's path below the tree and its octets."""

    organizations: tuple[Organization, ...]
    digest: str

    @property
    def domains(self) -> tuple[Domain, ...]:
        """Every domain, in the order of the organizations."""
        return tuple(d for o in self.organizations for d in o.domains)
