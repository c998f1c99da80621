"""From what was declared to what the core reads: names in universal form, and each level's word for every domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reconciler.manifest.fleet import (
    Attestation,
    Domain,
    DriftIgnore,
    Lifecycle,
    MxHostOverride,
    Organization,
    Service,
    Source,
    Verification,
    Waiver,
)
from reconciler.manifest.hosts import build_mail_domain, build_name, build_next_hop, build_zone
from reconciler.manifest.origin import build_allowlists, build_spam_rule
from reconciler.manifest.rules import (
    apply_attestation_rules,
    apply_ignore_rules,
    apply_organization_rules,
    apply_waiver_rules,
)
from reconciler.yaml_models import shown

if TYPE_CHECKING:
    from reconciler.manifest.declared import Declared, DeclaredDomain, DeclaredService
    from reconciler.manifest.findings import Context, Findings
    from reconciler.manifest.models import (
        AttestationManifest,
        DomainManifest,
        OrganizationManifest,
        ServiceManifest,
    )
    from reconciler.names import Name
    from reconciler.strict_yaml import Loc


class _Level(NamedTuple):
    """What holds from one level downwards."""

    provider: str | None
    ttl: int | None
    switch_ttl: int | None
    lifecycle: Lifecycle
    mx_exclusive: bool
    attestations: tuple[Attestation, ...]
    waivers: tuple[Waiver, ...]
    ignore_drift: tuple[DriftIgnore, ...]


_TOP = _Level(None, None, None, Lifecycle.ACTIVE, True, (), (), ())  # noqa: FBT003 - a tuple's field


def build_organization(declared: Declared, context: Context, findings: Findings) -> Organization:
    """One manifest, resolved, all rules applied. With errors among the findings the result must not be used."""
    model = declared.model
    source = Source(declared.document.file, declared.document.line(()))
    _register_organization(model.organization, source, context, findings)
    apply_organization_rules(declared, context, findings)
    build = _Builder(declared, context, findings)
    level = build.level(model, (), _TOP)
    domains: list[Domain] = []
    services: list[Service] = []
    for service in declared.services:
        inner = build.level(service.model, service.loc, level)
        services.append(build.service(service, inner))
        built = (build.domain(each, service, inner) for each in service.domains)
        domains += [domain for domain in built if domain is not None]
    contacts = tuple(model.escalation_contacts)
    return Organization(
        model.organization, model.region, model.multi_region, contacts, tuple(services), tuple(domains), source
    )


def _register_organization(name: str, source: Source, context: Context, findings: Findings) -> None:
    if findings.is_refused(("organization",)):
        return
    first = context.organizations.setdefault(name.casefold(), source)
    if first is not source:
        summary = f"the organization {shown(name)} is declared in {first.file}:{first.line} already"
        findings.error("duplicate-organization", summary, "Merge the two files, or rename one.", ("organization",))


class _Builder:
    """Builds the domains of one organization."""

    def __init__(self, declared: Declared, context: Context, findings: Findings) -> None:
        self.organization: OrganizationManifest = declared.model
        self.document = declared.document
        self.context = context
        self.findings = findings
        self.override = self._override()

    def _override(self) -> MxHostOverride | None:
        declared = self.organization.mx_host
        if declared is None:
            return None
        host = build_name("mx-host", declared.value, ("mx_host", "value"), self.findings)
        return None if host is None else MxHostOverride(host, declared.reason)

    def level(self, model: OrganizationManifest | ServiceManifest | DomainManifest, loc: Loc, outer: _Level) -> _Level:
        """What holds below `outer`, with what the model says closer."""
        attestations, waivers, ignored = outer.attestations, outer.waivers, outer.ignore_drift
        if model.attestations:
            apply_attestation_rules(model.attestations, loc, self.context, self.findings)
            attestations = (*self._attestations(model, loc), *attestations)
        if model.waivers:
            apply_waiver_rules(model.waivers, loc, self.context, self.findings)
            waivers = (*self._waivers(model, loc), *waivers)
        if model.ignore_drift:
            apply_ignore_rules(model.ignore_drift, loc, self.context, self.findings)
            ignored = (*self._ignore_rules(model, loc), *ignored)
        return _Level(
            provider=outer.provider if model.provider is None else model.provider,
            ttl=outer.ttl if model.ttl is None else model.ttl,
            switch_ttl=outer.switch_ttl if model.switch_ttl is None else model.switch_ttl,
            lifecycle=outer.lifecycle if model.lifecycle is None else Lifecycle(model.lifecycle),
            mx_exclusive=outer.mx_exclusive if model.mx is None else model.mx.exclusive,
            attestations=attestations,
            waivers=waivers,
            ignore_drift=ignored,
        )

    def _source(self, loc: Loc) -> Source:
        return Source(self.document.file, self.document.line(loc))

    def _attestations(
        self, model: OrganizationManifest | ServiceManifest | DomainManifest, loc: Loc
    ) -> list[Attestation]:
        return [self._attestation(a, (*loc, "attestations", i)) for i, a in enumerate(model.attestations)]

    def _attestation(self, a: AttestationManifest, loc: Loc) -> Attestation:
        hosts = [
            build_name("next-hop-name", h, (*loc, "next_hops", i), self.findings) for i, h in enumerate(a.next_hops)
        ]
        next_hops = tuple(sorted(h for h in hosts if h is not None)) or None
        return Attestation(a.what, a.by, a.on, a.expires, a.region, a.multi_region, self._source(loc), next_hops)

    def _waivers(self, model: OrganizationManifest | ServiceManifest | DomainManifest, loc: Loc) -> list[Waiver]:
        return [
            Waiver(w.gate, w.owner, w.reason, w.expires, self._source((*loc, "waivers", i)))
            for i, w in enumerate(model.waivers)
        ]

    def _ignore_rules(
        self, model: OrganizationManifest | ServiceManifest | DomainManifest, loc: Loc
    ) -> list[DriftIgnore]:
        return [
            DriftIgnore(r.finding, r.resource, r.owner, r.reason, r.expires, self._source((*loc, "ignore_drift", i)))
            for i, r in enumerate(model.ignore_drift)
        ]

    def service(self, declared: DeclaredService, level: _Level) -> Service:
        """The origin's side of one service."""
        return Service(
            organization=self.organization.organization,
            name=declared.model.name,
            kind=declared.model.kind,
            connection=declared.model.connection,
            region=self.organization.region,
            multi_region=self.organization.multi_region,
            allowlists=build_allowlists(declared, self._source, self.findings),
            spam_rule=build_spam_rule(declared, self._source, self.findings),
            attestations=level.attestations,
            waivers=level.waivers,
            source=self._source(declared.loc),
            ignore_drift=level.ignore_drift,
        )

    def domain(self, declared: DeclaredDomain, service: DeclaredService, outer: _Level) -> Domain | None:
        """One domain; None when it has no usable name."""
        model, loc = declared.model, declared.loc
        level = self.level(model, loc, outer)
        name = build_mail_domain(model.name, (*loc, "name"), self.context, self.findings)
        # a connection that the models refused may be any: what only the MX method needs is not missed then
        by_mx = service.model.connection == "mx" and not self.findings.is_refused((*service.loc, "connection"))
        next_hops = self._next_hops(model, loc, by_mx=by_mx)
        verification = self._verification(model, loc, by_mx=by_mx)
        if name is None or self.findings.is_refused((*loc, "name")):
            return None
        source = self._source(loc)
        self._register(name, model, loc, source)
        zone = None if model.zone is None else build_zone(model.zone, name, (*loc, "zone"), self.findings)
        return Domain(
            name=name,
            written=model.name,
            organization=self.organization.organization,
            service=service.model.name,
            kind=service.model.kind,
            connection=service.model.connection,
            region=self.organization.region,
            multi_region=self.organization.multi_region,
            next_hops=next_hops,
            verification=verification,
            zone=zone,
            mx_host=self.override,
            source=source,
            **level._asdict(),
        )

    def _register(self, name: Name, model: DomainManifest, loc: Loc, source: Source) -> None:
        first = self.context.domains.setdefault(name, source)
        if first is not source:
            summary = f"the domain {shown(model.name)} is declared in {first.file}:{first.line} already"
            detail = "A domain belongs to one service of one organization. Remove it here or there."
            self.findings.error("duplicate-domain", summary, detail, (*loc, "name"))

    def _register_token(self, value: str, domain: str, loc: Loc) -> None:
        first_domain, first = self.context.tokens.setdefault(value, (domain, self._source(loc)))
        if first_domain.casefold() != domain.casefold():
            summary = f"this verification value is declared for another domain in {first.file}:{first.line}, too"
            detail = "Each domain and region has a value of its own. Compare both with the vendor's console."
            self.findings.warning("token-reused", summary, detail, loc)

    def _shown(self, model: DomainManifest, loc: Loc) -> str:
        return "the domain" if self.findings.is_refused((*loc, "name")) else shown(model.name)

    def _next_hops(self, model: DomainManifest, loc: Loc, *, by_mx: bool) -> tuple[Name, ...]:
        own = (*loc, "next_hops")
        if by_mx and not model.next_hops:
            detail = (
                "The gateway has to know where clean mail goes. Add next_hops with the domain's own mail servers: what "
                "its MX pointed to before the gateway's."
            )
            self.findings.error("no-next-hop", f"{self._shown(model, loc)} has no next hop", detail, own)
        override = None if self.override is None else self.override.host
        found = (
            build_next_hop(written, (*own, i), self.context.catalog, override, self.findings)
            for i, written in enumerate(model.next_hops)
        )
        return tuple(host for host in found if host is not None)

    def _verification(self, model: DomainManifest, loc: Loc, *, by_mx: bool) -> Verification:
        values = model.verification
        primary, secondary = (None, None) if values is None else (values.primary, values.secondary)
        own = (*loc, "verification")
        if by_mx and primary is None:
            detail = "Copy the value for the organization's region from the vendor's console to verification.primary."
            self.findings.error(
                "no-primary-token", f"{self._shown(model, loc)} has no primary token", detail, (*own, "primary")
            )
        if by_mx and secondary is None and self.organization.multi_region:
            detail = "Copy the value for the secondary region from the vendor's console to verification.secondary."
            summary = f"{self._shown(model, loc)} has no secondary token, which multi-region needs"
            self.findings.error("no-secondary-token", summary, detail, (*own, "secondary"))
        for value in dict.fromkeys(v for v in (primary, secondary) if v is not None):
            self._register_token(value, model.name, own)
        if primary is not None and primary == secondary:
            detail = "Each region has a value of its own. Copy both from the vendor's console once more."
            self.findings.error("equal-tokens", "both tokens are the same", detail, (*own, "secondary"))
        return Verification(primary, secondary)
