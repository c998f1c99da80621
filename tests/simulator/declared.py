"""What somebody declared, and what people vouch for: the manifests of the simulated world."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.manifest.fleet import (
    MANUAL_PROVIDER,
    Attestation,
    Domain,
    Lifecycle,
    Service,
    ServiceAllowlist,
    Source,
    Verification,
)
from reconciler.names import Name
from reconciler.targets.base import DeclaredAllowlist, Intent
from simulator.world import HOPS

if TYPE_CHECKING:
    from datetime import date

    from simulator.origin import OriginList
    from simulator.world import World

SOURCE = Source("manifests/acme.yaml", 1)
_ORGANIZATION, _SERVICE = "acme", "hq"


@dataclass(frozen=True, slots=True)
class Declared:
    """The state that one mail service shall be in; `leaving` counts the mail domains that leave, from the first."""

    region: str = "eu"
    multi_region: bool = False
    leaving: int = 0
    next_hops: tuple[str, ...] = HOPS[:1]
    ttl: int | None = None
    switch_ttl: int | None = None


@dataclass(frozen=True, slots=True)
class Vouched:
    """One attestation; `subject` is a domain's name, a list's, or empty for the organization."""

    what: str
    subject: str
    region: str | None = None
    multi_region: bool | None = None
    next_hops: tuple[str, ...] | None = None


@dataclass
class Manifest:
    """The declared state and the attestations, with the day of each."""

    world: World
    declared: Declared
    vouched: dict[Vouched, date] = field(default_factory=dict)

    def is_leaving(self, domain: str) -> bool:
        """Whether a mail domain is declared to leave."""
        return self.world.domains.index(domain) < self.declared.leaving

    @property
    def is_anybody_staying(self) -> bool:
        """Whether a mail domain stays behind the gateway."""
        return self.declared.leaving < len(self.world.domains)

    def service(self) -> Service:
        """The service with its lists."""
        declared = self.declared
        allowlists = tuple(_allowlist(each) for each in self.world.origin.lists)
        return Service(
            _ORGANIZATION,
            _SERVICE,
            "postfix",
            "mx",
            declared.region,
            declared.multi_region,
            allowlists,
            None,
            tuple(self._attestations({""})),
            (),
            SOURCE,
        )

    def domain(self, name: str) -> Domain:
        """One mail domain."""
        declared = self.declared
        primary, secondary = (
            self.world.token(name, declared.region, rank).strip('"') for rank in ("primary", "secondary")
        )
        return Domain(
            name=Name(name),
            written=name.removesuffix("."),
            organization=_ORGANIZATION,
            service=_SERVICE,
            kind="postfix",
            connection="mx",
            region=declared.region,
            multi_region=declared.multi_region,
            next_hops=tuple(Name(h) for h in declared.next_hops),
            verification=Verification(primary, secondary),
            zone=None,
            provider=MANUAL_PROVIDER if self.world.start.is_manual else None,
            mx_exclusive=True,
            mx_host=None,
            ttl=declared.ttl,
            attestations=tuple(self._attestations({name, ""})),
            waivers=(),
            source=SOURCE,
            switch_ttl=declared.switch_ttl,
            lifecycle=Lifecycle.OFFBOARDED if self.is_leaving(name) else Lifecycle.ACTIVE,
        )

    def _attestations(self, subjects: set[str]) -> list[Attestation]:
        return [
            Attestation(
                v.what,
                "ops@acme.example",
                on,
                None,
                v.region,
                v.multi_region,
                None if v.next_hops is None else tuple(sorted(Name(h) for h in v.next_hops)),
            )
            for v, on in self.vouched.items()
            if v.subject in subjects
        ]


def _allowlist(each: OriginList) -> ServiceAllowlist:
    intent = Intent.RESTRICT if each.restricts else Intent.ALLOW
    export = f"exports/{each.name}" if each.is_exported else None
    return ServiceAllowlist(DeclaredAllowlist(each.target, each.name, intent, exclusive=False), export, SOURCE)
