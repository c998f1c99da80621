"""From what was declared to what the core reads: names in universal form, and each level's word for every domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.manifest.domains import DomainBuilder
from reconciler.manifest.fleet import MxHostOverride, Organization, Service, Source
from reconciler.manifest.hosts import build_name
from reconciler.manifest.levels import TOP, LevelBuilder
from reconciler.manifest.origin import build_allowlists, build_spam_rule
from reconciler.manifest.rules import apply_organization_rules
from reconciler.wording import shown

if TYPE_CHECKING:
    from reconciler.manifest.declared import Declared, DeclaredService
    from reconciler.manifest.findings import Context, Findings
    from reconciler.manifest.fleet import Domain
    from reconciler.manifest.levels import Level
    from reconciler.manifest.models import OrganizationManifest
    from reconciler.strict_yaml import Loc


def build_organization(declared: Declared, context: Context, findings: Findings) -> Organization:
    """One manifest, resolved, all rules applied. With errors among the findings the result must not be used."""
    model, document = declared.model, declared.document
    source = Source(document.file, document.line(()))
    _register_organization(model.organization, source, context, findings)
    apply_organization_rules(declared, context, findings)
    levels = LevelBuilder(context, findings)
    build = DomainBuilder(model, _override(model, findings), levels, context, findings)
    level = levels.build(model, (), document.node(()), TOP)
    domains: list[Domain] = []
    services: list[Service] = []
    for service in declared.services:
        inner = levels.build(service.model, service.loc, service.node, level)
        services.append(_service(service, model, inner, findings))
        domains += build.build(service, inner)
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


def _override(organization: OrganizationManifest, findings: Findings) -> MxHostOverride | None:
    declared = organization.mx_host
    if declared is None:
        return None
    host = build_name("mx-host", declared.value, ("mx_host", "value"), findings)
    return None if host is None else MxHostOverride(host, declared.reason)


def _service(
    declared: DeclaredService, organization: OrganizationManifest, level: Level, findings: Findings
) -> Service:
    """The origin's side of one service."""

    def source(loc: Loc) -> Source:
        return Source(findings.document.file, findings.document.line(loc))

    return Service(
        organization=organization.organization,
        name=declared.model.name,
        kind=declared.model.kind,
        connection=declared.model.connection,
        region=organization.region,
        multi_region=organization.multi_region,
        allowlists=build_allowlists(declared, source, findings),
        spam_rule=build_spam_rule(declared, source, findings),
        attestations=level.attestations,
        waivers=level.waivers,
        source=source(declared.loc),
        ignore_drift=level.ignore_drift,
    )
