"""The mail domains of an organization: names in universal form, with the rules that each must keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.manifest.drafts import draft_of, row_of
from reconciler.manifest.fleet import Domain, Source, Verification
from reconciler.manifest.hosts import build_mail_domain, build_next_hop, build_zone
from reconciler.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.manifest.declared import DeclaredDomain, DeclaredService, Mapping
    from reconciler.manifest.findings import Context, Findings
    from reconciler.manifest.fleet import MxHostOverride
    from reconciler.manifest.levels import Level, LevelBuilder
    from reconciler.manifest.models import DomainManifest, OrganizationManifest
    from reconciler.names import Name
    from reconciler.strict_yaml import Loc

make_domain, make_source, make_verification = draft_of(Domain), row_of(Source), row_of(Verification)


class DomainBuilder:
    """Builds the domains of one organization; `override` is its own MX host at the gateway."""

    def __init__(
        self,
        organization: OrganizationManifest,
        override: MxHostOverride | None,
        levels: LevelBuilder,
        context: Context,
        findings: Findings,
    ) -> None:
        """For the manifest of these findings."""
        self._organization = organization
        self._override = override
        self._levels = levels
        self._context = context
        self._findings = findings
        self._document = findings.document
        self._next_hops: dict[tuple[str, ...], tuple[Name, ...]] = {}  # good ones, as written: many have the same

    def build(self, service: DeclaredService, outer: Level) -> Iterator[Domain]:
        """The domains of a service that have a usable name."""
        # a connection that the models refused may be any: what only the MX method needs is not missed then
        by_mx = service.model.connection == "mx" and not self._findings.is_refused((*service.loc, "connection"))
        for declared in service.domains:
            domain = self._domain(declared, service, outer, by_mx=by_mx)
            if domain is not None:
                yield domain

    def _domain(
        self, declared: DeclaredDomain, service: DeclaredService, outer: Level, *, by_mx: bool
    ) -> Domain | None:
        """One domain; None when it has no usable name."""
        loc, model, node = declared
        level = self._levels.build(model, loc, node, outer)
        name = build_mail_domain(model.name, (*loc, "name"), self._context, self._findings)
        next_hops = self._built_next_hops(model, loc, by_mx=by_mx)
        verification = self._verification(model, loc, node, by_mx=by_mx)
        if name is None or self._findings.is_refused((*loc, "name")):
            return None
        source = make_source(self._document.file, self._document.line(loc, node))
        self._register(name, model, loc, source)
        zone = None if model.zone is None else build_zone(model.zone, name, (*loc, "zone"), self._findings)
        provider, ttl, switch_ttl, lifecycle, mx_exclusive, attestations, waivers, ignore_drift = level
        # by their places: to look up so many names for each domain takes longer than all else here
        return make_domain(
            name,
            model.name,
            self._organization.organization,
            service.model.name,
            service.model.kind,
            service.model.connection,
            self._organization.region,
            self._organization.multi_region,
            next_hops,
            verification,
            zone,
            provider,
            mx_exclusive,
            self._override,
            ttl,
            attestations,
            waivers,
            source,
            switch_ttl,
            lifecycle,
            ignore_drift,
        )

    def _register(self, name: Name, model: DomainManifest, loc: Loc, source: Source) -> None:
        first = self._context.domains.setdefault(name, source)
        if first is not source:
            summary = f"the domain {shown(model.name)} is declared in {first.file}:{first.line} already"
            detail = "A domain belongs to one service of one organization. Remove it here or there."
            self._findings.error("duplicate-domain", summary, detail, (*loc, "name"))

    def _shown(self, model: DomainManifest, loc: Loc) -> str:
        return "the domain" if self._findings.is_refused((*loc, "name")) else shown(model.name)

    def _built_next_hops(self, model: DomainManifest, loc: Loc, *, by_mx: bool) -> tuple[Name, ...]:
        """In universal form, without those that break a rule; one tuple for all domains that have the same."""
        known = self._next_hops.get(model.next_hops)
        if known is not None:
            return known
        own = (*loc, "next_hops")
        if by_mx and not model.next_hops:
            detail = (
                "The gateway has to know where clean mail goes. Add next_hops with the domain's own mail servers: what "
                "its MX pointed to before the gateway's."
            )
            self._findings.error("no-next-hop", f"{self._shown(model, loc)} has no next hop", detail, own)
        catalog, override = self._context.catalog, None if self._override is None else self._override.host
        found = [
            build_next_hop(written, (*own, i), catalog, override, self._findings)
            for i, written in enumerate(model.next_hops)
        ]
        hosts = tuple(host for host in found if host is not None)
        if hosts and len(hosts) == len(found):
            self._next_hops[model.next_hops] = hosts
        return hosts

    def _verification(self, model: DomainManifest, loc: Loc, node: Mapping, *, by_mx: bool) -> Verification:
        values = model.verification
        primary, secondary = (None, None) if values is None else (values.primary, values.secondary)
        own = (*loc, "verification")
        if by_mx and primary is None:
            detail = "Copy the value for the organization's region from the vendor's console to verification.primary."
            self._findings.error(
                "no-primary-token", f"{self._shown(model, loc)} has no primary token", detail, (*own, "primary")
            )
        if by_mx and secondary is None and self._organization.multi_region:
            detail = "Copy the value for the secondary region from the vendor's console to verification.secondary."
            summary = f"{self._shown(model, loc)} has no secondary token, which multi-region needs"
            self._findings.error("no-secondary-token", summary, detail, (*own, "secondary"))
        if primary is not None and primary == secondary:
            detail = "Each region has a value of its own. Copy both from the vendor's console once more."
            self._findings.error("equal-tokens", "both tokens are the same", detail, (*own, "secondary"))
        if values is not None:
            self._register_tokens(dict.fromkeys((primary, secondary)), model.name, own, node["verification"])
        return make_verification(primary, secondary)

    def _register_tokens(self, tokens: Iterable[str | None], domain: str, loc: Loc, node: Mapping) -> None:
        """`loc` is the place of a domain's verification values, which are written as `node`."""
        own = (domain, self._document.file, self._document.line(loc, node))
        for token in tokens:
            first = own if token is None else self._context.tokens.setdefault(token, own)
            if first is not own and first[0] != domain and first[0].casefold() != domain.casefold():
                summary = f"this verification value is declared for another domain in {first[1]}:{first[2]}, too"
                detail = "Each domain and region has a value of its own. Compare both with the vendor's console."
                self._findings.warning("token-reused", summary, detail, loc)
