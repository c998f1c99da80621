"""From what was declared to what the core reads: names in universal form, and each level's word for every domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

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
    from collections.abc import Iterator, Sequence

    from reconciler.manifest.declared import Declared, DeclaredDomain, DeclaredService
    from reconciler.manifest.findings import Context, Findings
    from reconciler.manifest.models import (
        AttestationManifest,
        DomainManifest,
        OrganizationManifest,
        ServiceManifest,
    )
    from reconciler.names import Name
    from reconciler.strict_yaml import Loc, Node


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


_M = TypeVar("_M")
_Mapping: TypeAlias = "dict[str, Any]"

_TOP = _Level(None, None, None, Lifecycle.ACTIVE, True, (), (), ())  # noqa: FBT003 - a tuple's field


_INHERITED = frozenset({"provider", "ttl", "switch_ttl", "lifecycle", "mx", "attestations", "waivers", "ignore_drift"})


def build_organization(declared: Declared, context: Context, findings: Findings) -> Organization:
    """One manifest, resolved, all rules applied. With errors among the findings the result must not be used."""
    model = declared.model
    source = Source(declared.document.file, declared.document.line(()))
    _register_organization(model.organization, source, context, findings)
    apply_organization_rules(declared, context, findings)
    build = _Builder(declared, context, findings)
    level = build.level(model, (), declared.document.node(()), _TOP)
    domains: list[Domain] = []
    services: list[Service] = []
    for service in declared.services:
        node = declared.document.node(service.loc)
        inner = build.level(service.model, service.loc, node, level)
        services.append(build.service(service, inner))
        built = (build.domain(each, service, node["domains"][each.loc[-1]], inner) for each in service.domains)
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
        self.next_hops: dict[str, Name] = {}  # good ones, as written: many domains have the same

    def _override(self) -> MxHostOverride | None:
        declared = self.organization.mx_host
        if declared is None:
            return None
        host = build_name("mx-host", declared.value, ("mx_host", "value"), self.findings)
        return None if host is None else MxHostOverride(host, declared.reason)

    def level(
        self, model: OrganizationManifest | ServiceManifest | DomainManifest, loc: Loc, node: _Mapping, outer: _Level
    ) -> _Level:
        """What holds below `outer`, with what the model says closer; `node` is what is written at `loc`."""
        if model.model_fields_set.isdisjoint(_INHERITED):
            return outer
        attestations, waivers, ignored = outer.attestations, outer.waivers, outer.ignore_drift
        if model.attestations:
            apply_attestation_rules(model.attestations, loc, self.context, self.findings)
            sourced = self._sourced(model.attestations, loc, "attestations", node)
            attestations = (*(self._attestation(*each) for each in sourced), *attestations)
        if model.waivers:
            apply_waiver_rules(model.waivers, loc, self.context, self.findings)
            sourced_waivers = self._sourced(model.waivers, loc, "waivers", node)
            waivers = (*(Waiver(w.gate, w.owner, w.reason, w.expires, s) for w, _, s in sourced_waivers), *waivers)
        if model.ignore_drift:
            apply_ignore_rules(model.ignore_drift, loc, self.context, self.findings)
            rules = self._sourced(model.ignore_drift, loc, "ignore_drift", node)
            own = (DriftIgnore(r.finding, r.resource, r.owner, r.reason, r.expires, s) for r, _, s in rules)
            ignored = (*own, *ignored)
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

    def _source(self, loc: Loc, node: Node = None) -> Source:
        return Source(self.document.file, self.document.line(loc, node))

    def _sourced(self, models: Sequence[_M], loc: Loc, key: str, node: _Mapping) -> Iterator[tuple[_M, Loc, Source]]:
        """The models of the list at `key` in the mapping `node`, which is at `loc`, each with its place."""
        written = node[key]
        for i, model in enumerate(models):
            own = (*loc, key, i)
            yield model, own, self._source(own, written[i])

    def _attestation(self, a: AttestationManifest, loc: Loc, source: Source) -> Attestation:
        next_hops = self._attested_next_hops(a, loc) if a.next_hops else None
        return Attestation(a.what, a.by, a.on, a.expires, a.region, a.multi_region, source, next_hops)

    def _attested_next_hops(self, a: AttestationManifest, loc: Loc) -> tuple[Name, ...] | None:
        hosts = [
            build_name("next-hop-name", h, (*loc, "next_hops", i), self.findings) for i, h in enumerate(a.next_hops)
        ]
        return tuple(sorted(h for h in hosts if h is not None)) or None

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

    def domain(
        self, declared: DeclaredDomain, service: DeclaredService, node: _Mapping, outer: _Level
    ) -> Domain | None:
        """One domain, which is written as `node`; None when it has no usable name."""
        model, loc = declared.model, declared.loc
        level = self.level(model, loc, node, outer)
        name = build_mail_domain(model.name, (*loc, "name"), self.context, self.findings)
        # a connection that the models refused may be any: what only the MX method needs is not missed then
        by_mx = service.model.connection == "mx" and not self.findings.is_refused((*service.loc, "connection"))
        next_hops = self._next_hops(model, loc, by_mx=by_mx)
        verification = self._verification(model, loc, node, by_mx=by_mx)
        if name is None or self.findings.is_refused((*loc, "name")):
            return None
        source = self._source(loc, node)
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
            provider=level.provider,
            mx_exclusive=level.mx_exclusive,
            ttl=level.ttl,
            attestations=level.attestations,
            waivers=level.waivers,
            source=source,
            switch_ttl=level.switch_ttl,
            lifecycle=level.lifecycle,
            ignore_drift=level.ignore_drift,
        )

    def _register(self, name: Name, model: DomainManifest, loc: Loc, source: Source) -> None:
        first = self.context.domains.setdefault(name, source)
        if first is not source:
            summary = f"the domain {shown(model.name)} is declared in {first.file}:{first.line} already"
            detail = "A domain belongs to one service of one organization. Remove it here or there."
            self.findings.error("duplicate-domain", summary, detail, (*loc, "name"))

    def _register_token(self, value: str, domain: str, loc: Loc, line: int) -> None:
        first = self.context.tokens.setdefault(value, (domain, self.document.file, line))
        if first[0] != domain and first[0].casefold() != domain.casefold():
            summary = f"this verification value is declared for another domain in {first[1]}:{first[2]}, too"
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
        found = (self._next_hop(written, (*own, i)) for i, written in enumerate(model.next_hops))
        return tuple(host for host in found if host is not None)

    def _next_hop(self, written: str, loc: Loc) -> Name | None:
        host = self.next_hops.get(written)
        if host is None:
            override = None if self.override is None else self.override.host
            host = build_next_hop(written, loc, self.context.catalog, override, self.findings)
            if host is not None:
                self.next_hops[written] = host
        return host

    def _verification(self, model: DomainManifest, loc: Loc, node: _Mapping, *, by_mx: bool) -> Verification:
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
        given = dict.fromkeys(v for v in (primary, secondary) if v is not None)
        line = self.document.line(own, node["verification"]) if given else 0
        for value in given:
            self._register_token(value, model.name, own, line)
        if primary is not None and primary == secondary:
            detail = "Each region has a value of its own. Copy both from the vendor's console once more."
            self.findings.error("equal-tokens", "both tokens are the same", detail, (*own, "secondary"))
        return Verification(primary, secondary)
