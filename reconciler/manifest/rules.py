"""Rules for an organization, its services, attestations and waivers. Each looks at one thing; none reads the world.

What they say goes to `Findings`; the codes are stable. Rules for names are in `hosts.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import Diagnostic, Severity
from reconciler.wording import choice_detail, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.manifest.declared import Declared, DeclaredService
    from reconciler.manifest.findings import Context, Findings
    from reconciler.manifest.models import AttestationManifest, DriftIgnoreManifest, WaiverManifest
    from reconciler.strict_yaml import Loc

RESIDENCY = "residency"
KNOWN_GATES = frozenset(
    {
        RESIDENCY,
        "token-visible",
        "console",
        "verified",
        "multi-region",
        "allowlist",
        "mx-target",
        "loop",
        "next-hop",
        "tls",
        "mta-sts",
        "mx-certificate",
        "spf-mx",
        "ttl",
        "switch-observed",
        "early-removal",
        "origin-open",
        "restrict",
    }
)
KNOWN_FINDINGS = frozenset(
    {
        # classes
        "out-of-band",
        "unapplied",
        "catalog",
        "pending",
        "unknown",
        "orphaned",
        # what differs
        "token-missing",
        "token-surplus",
        "mx-not-gateway",
        "mx-other-gateway",
        "mx-not-switched",
        "mx-not-returned",
        "ttl",
        "not-observed",
        "not-visible-everywhere",
        "allowlist-address-missing",
        "allowlist-stale",
        "not-restricted",
        "not-loosened",
        "spam-rule",
        # hazards
        "bypass-mx",
        "bypass-origin",
        "cname-apex",
        "cname-token",
        "dane",
        "delegated",
        "dnssec",
        "dnssec-broken",
        "limits",
        "loop",
        "mx-target",
        "next-hops-changed",
        "no-such-zone",
        "null-mx",
        "origin-spf",
        "retired-value-unnamed",
        "size",
        "spf-records",
        "token-removed",
        "token-suffix",
        "verified",
        "wildcard-domain",
        "wildcard-mx",
    }
)
"""What an ignore rule may name: the codes and the classes of drift findings."""
_STATES = frozenset({"console", "verified", "multi-region", "allowlist"})
_SHOWN_DOMAINS = 3


def apply_organization_rules(declared: Declared, context: Context, findings: Findings) -> None:
    """Every rule that looks at the organization and its services."""
    require_known_region(declared.model.region, ("region",), context, findings)
    require_contact(declared, findings)
    require_residency(declared, context, findings)
    names: set[str] = set()
    for service in declared.services:
        require_service_name(service, names, findings)
        require_connection(service, declared, context, findings)
    add_advisories(declared, context, findings)


def require_known_region(region: str, loc: Loc, context: Context, findings: Findings) -> None:
    """The catalog has the region."""
    if region not in context.catalog.regions:
        detail = choice_detail(region, context.catalog.regions)
        findings.error("region", f"the gateway has no region {shown(region)}", detail, loc)


def require_known_provider(provider: str, loc: Loc, context: Context, findings: Findings) -> None:
    """The settings have the provider."""
    if context.providers is not None and provider not in context.providers:
        detail = (
            f"{choice_detail(provider, sorted(context.providers))} Or add its octoDNS block under `providers:` there."
        )
        findings.error("unknown-provider", f"the settings have no provider {shown(provider)}", detail, loc)


def require_contact(declared: Declared, findings: Findings) -> None:
    """An organization has at least one escalation contact."""
    if not declared.model.escalation_contacts:
        detail = "The vendor needs at least one e-mail address to write to. Add one."
        findings.error("no-contact", "there is no escalation contact", detail, ("escalation_contacts",))


def require_residency(declared: Declared, context: Context, findings: Findings) -> None:
    """Multi-region leaves the region's jurisdiction: each domain needs a waiver in force, at whatever level."""
    model = declared.model
    if not model.multi_region or model.region not in context.catalog.residency_conflict:
        return
    if _is_waived((), model.waivers, context, findings):
        return
    exposed = list(_exposed_domains(declared, context, findings))
    if not exposed and any(s.domains for s in declared.services):
        return
    names = ", ".join(exposed[:_SHOWN_DOMAINS]) + ("" if len(exposed) <= _SHOWN_DOMAINS else ", ...")
    where = f" ({len(exposed)} without a waiver: {names})" if exposed else ""
    detail = (
        "The secondary region lies outside the region's jurisdiction; the vendor says that this does not meet the "
        f"GDPR. Switch multi_region off, or add a waiver with gate: {RESIDENCY}, owner, reason and expires."
    )
    findings.error(
        RESIDENCY, f"multi-region in the region {model.region} needs a waiver{where}", detail, ("multi_region",)
    )


def _exposed_domains(declared: Declared, context: Context, findings: Findings) -> Iterator[str]:
    for service in declared.services:
        if not _is_waived(service.loc, service.model.waivers, context, findings):
            for domain in service.domains:
                if not _is_waived(domain.loc, domain.model.waivers, context, findings):
                    yield domain.model.name


def _is_waived(loc: Loc, waivers: Sequence[WaiverManifest], context: Context, findings: Findings) -> bool:
    """Whether one is in force, or may be: waivers that the models refused are reported already."""
    in_force = any(w.gate == RESIDENCY and w.expires >= context.today for w in waivers)
    return in_force or findings.is_refused((*loc, "waivers"))


def require_service_name(service: DeclaredService, names: set[str], findings: Findings) -> None:
    """A service's name is used once in its organization; `names` are those seen, and grows."""
    folded = service.model.name.casefold()
    if folded in names:
        detail = "Merge the two services, or rename one."
        summary = f"the service {shown(service.model.name)} stands twice in the organization"
        findings.error("duplicate-service", summary, detail, (*service.loc, "name"))
    if not findings.is_refused((*service.loc, "name")):
        names.add(folded)


def require_connection(service: DeclaredService, declared: Declared, context: Context, findings: Findings) -> None:
    """Connections other than MX are Microsoft 365's, and have no multi-region."""
    connection, kind = service.model.connection, service.model.kind
    loc = (*service.loc, "connection")
    if connection != "mx" and kind != "microsoft-365" and not findings.is_refused((*service.loc, "kind")):
        detail = "Write connection: mx, or leave it out."
        findings.error("connection", f"the connection {connection} does not exist for {kind}", detail, loc)
    if declared.model.multi_region and connection in context.catalog.excluded_connections:
        detail = "Write connection: mx, or switch multi_region off, or move the service to an organization of its own."
        summary = f"multi-region does not apply to the connection {connection}"
        findings.error("multi-region-connection", summary, detail, loc)


def apply_waiver_rules(waivers: Sequence[WaiverManifest], loc: Loc, context: Context, findings: Findings) -> None:
    """A waiver names a known gate and has not expired; `loc` is the place of their list."""
    for i, waiver in enumerate(waivers):
        own = (*loc, i)
        if waiver.gate not in context.known_gates:
            detail = choice_detail(waiver.gate, sorted(context.known_gates))
            findings.error("unknown-gate", f"there is no gate {shown(waiver.gate)}", detail, (*own, "gate"))
        if waiver.expires < context.today:
            summary = f"the waiver of {shown(waiver.gate)} expired on {waiver.expires}"
            detail = f"Ask {waiver.owner} for a new end and write it, or remove the waiver."
            findings.error("waiver-expired", summary, detail, (*own, "expires"))


def apply_ignore_rules(rules: Sequence[DriftIgnoreManifest], loc: Loc, context: Context, findings: Findings) -> None:
    """An ignore rule names a known code or class and has not expired; `loc` is the place of their list."""
    for i, rule in enumerate(rules):
        own = (*loc, i)
        if rule.finding not in KNOWN_FINDINGS:
            detail = choice_detail(rule.finding, sorted(KNOWN_FINDINGS))
            findings.error("unknown-finding", f"there is no finding {shown(rule.finding)}", detail, (*own, "finding"))
        if rule.expires < context.today:
            summary = f"the ignore rule for {shown(rule.finding)} expired on {rule.expires}"
            detail = f"Ask {rule.owner} for a new end and write it, or remove the rule."
            findings.error("ignore-expired", summary, detail, (*own, "expires"))


def apply_attestation_rules(
    attestations: Sequence[AttestationManifest], loc: Loc, context: Context, findings: Findings
) -> None:
    """An attestation speaks of the past, may have expired, and names a state only where there is one to be named."""
    for i, attestation in enumerate(attestations):
        own = (*loc, i)
        if attestation.on > context.today:
            summary = f"the attestation is dated {attestation.on}, which is after today, {context.today}"
            findings.error("attestation-future", summary, "Write the day on which it was seen.", (*own, "on"))
        if attestation.expires is not None and attestation.expires < context.today:
            summary = f"the attestation of {attestation.what} expired on {attestation.expires} and no longer counts"
            detail = f"Ask {attestation.by} to look again; write the new day and end, or remove the attestation."
            findings.warning("attestation-expired", summary, detail, (*own, "expires"))
        if attestation.next_hops and attestation.what != "console":
            summary = f"`next_hops` means nothing in an attestation of {attestation.what}"
            findings.error("attestation-state", summary, "Remove it: it is for console alone.", (*own, "next_hops"))
        if attestation.what in _STATES:
            if attestation.region is not None:
                require_known_region(attestation.region, (*own, "region"), context, findings)
        elif attestation.region is not None or attestation.multi_region is not None:
            key = "region" if attestation.region is not None else "multi_region"
            summary = f"`{key}` means nothing in an attestation of {attestation.what}"
            findings.error(
                "attestation-state", summary, f"Remove it: it is for {', '.join(sorted(_STATES))}.", (*own, key)
            )


def add_advisories(declared: Declared, context: Context, findings: Findings) -> None:
    """What the catalog has to say about the organization's region, unless its MX host is overridden."""
    model, document = declared.model, declared.document
    if model.mx_host is None and not findings.is_refused(("mx_host",)):
        findings.diagnostics += [
            Diagnostic(Severity.ADVISORY, a.code, a.summary, a.detail, document.file, document.line(()))
            for a in context.catalog.advisories
            if (a.region, a.multi_region) == (model.region, model.multi_region)
        ]
