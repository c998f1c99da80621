"""What an organization's console sheet says, before any template: what to enter at the vendor, what to copy back.

The console has no API: people enter the domains there, and copy the verification values into the manifests. Source of
the fields and their order: the vendor's pages "Connecting other email services" and "Multi-region".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.emit.domain_sheet import format_time
from reconciler.names import display_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from reconciler.catalog import Catalog
    from reconciler.manifest.fleet import Domain, Organization

# how the console names what does not belong to "Other"
_EMAIL_SERVICES = {
    "microsoft-365": "Microsoft 365",
    "exchange-online": "Microsoft 365",
    "google-workspace": "Google Workspace",
}
_CONNECTION_METHODS = {"mx": "MX", "api": "API", "journaling": "Journaling"}


@dataclass(frozen=True, slots=True)
class Token:
    """One verification value of a domain: which, what the manifest has (empty: still missing), and its TXT name."""

    which: str
    value: str
    txt_name: str


@dataclass(frozen=True, slots=True)
class ConsoleDomain:
    """One domain as it is entered; `missing` are the manifest's keys that wait for values from the console."""

    name: str
    written: str
    next_hops: tuple[str, ...]
    tokens: tuple[Token, ...]
    attested: tuple[str, ...]
    source: str

    @property
    def missing(self) -> tuple[str, ...]:
        """The keys below `verification` that are still to be filled in."""
        return tuple(t.which for t in self.tokens if not t.value)


@dataclass(frozen=True, slots=True)
class ConsoleService:
    """The domains that are entered together, because their service and connection are the same."""

    name: str
    email_service: str
    connection_method: str
    domains: tuple[ConsoleDomain, ...]


@dataclass(frozen=True, slots=True)
class ConsoleSheet:
    """Everything on the sheet. `addresses` are the gateway's, for the allowlist of every origin."""

    organization: str
    region: str
    multi_region: bool
    escalation_contacts: tuple[str, ...]
    services: tuple[ConsoleService, ...]
    mx_host: str
    addresses: tuple[str, ...]
    gateway: str
    support: str
    today: str
    made_at: str
    source: str

    @property
    def has_mx(self) -> bool:
        """Whether any mail comes through the MX, so that origins must let the gateway in."""
        return any(service.connection_method == _CONNECTION_METHODS["mx"] for service in self.services)

    @property
    def missing(self) -> int:
        """How many values are still to be copied back."""
        return sum(len(domain.missing) for service in self.services for domain in service.domains)


def build_console_sheet(organization: Organization, *, catalog: Catalog, now: datetime) -> ConsoleSheet:
    """The sheet of one organization, with all of its domains."""
    domains = organization.domains
    multi_region = organization.multi_region
    override = next((d.mx_host for d in domains if d.mx_host is not None), None)
    host = override.host if override else catalog.mx_host(organization.region, multi_region=multi_region)
    return ConsoleSheet(
        organization=organization.name,
        region=organization.region.upper(),
        multi_region=multi_region,
        escalation_contacts=organization.escalation_contacts,
        services=tuple(_services(domains, catalog)),
        mx_host=display_name(host),
        addresses=catalog.addresses(organization.region, multi_region=multi_region),
        gateway=catalog.gateway,
        support=catalog.support,
        today=now.date().isoformat(),
        made_at=format_time(now),
        source=f"{organization.source.file}:{organization.source.line}",
    )


def _services(domains: Sequence[Domain], catalog: Catalog) -> Iterator[ConsoleService]:
    by_service: dict[tuple[str, str, str], list[Domain]] = {}
    for domain in domains:
        by_service.setdefault((domain.service, domain.kind, domain.connection), []).append(domain)
    for (name, kind, connection), members in by_service.items():
        yield ConsoleService(
            name,
            _EMAIL_SERVICES.get(kind, "Other"),
            _CONNECTION_METHODS[connection],
            tuple(_console_domain(domain, catalog) for domain in members),
        )


def _console_domain(domain: Domain, catalog: Catalog) -> ConsoleDomain:
    return ConsoleDomain(
        name=display_name(domain.name),
        written=domain.written,
        next_hops=tuple(display_name(h) for h in domain.next_hops),
        tokens=tuple(_tokens(domain, catalog)),
        attested=tuple(sorted({a.what for a in domain.attestations})),
        source=f"{domain.source.file}:{domain.source.line}",
    )


def _tokens(domain: Domain, catalog: Catalog) -> Iterator[Token]:
    if not domain.is_filtered_by_mx:
        return
    name = display_name(catalog.verification_name(domain.name))
    yield Token("primary", domain.verification.primary or "", name)
    if domain.multi_region:
        yield Token("secondary", domain.verification.secondary or "", name)
