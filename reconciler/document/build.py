"""From the core's plans to the document."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from reconciler.document.digest import plan_digest, plan_id
from reconciler.document.made import made
from reconciler.document.models import (
    FORMAT_VERSION,
    DiagnosticDocument,
    DomainDocument,
    GateDocument,
    PlanDocument,
    PlanHead,
    ResourceDocument,
    ServiceDocument,
    SourceDocument,
    StepDocument,
    SummaryDocument,
)
from reconciler.manifest.fleet import MANUAL_PROVIDER
from reconciler.plan import Action, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.errors import Diagnostic
    from reconciler.gates import GateResult
    from reconciler.manifest.fleet import Domain
    from reconciler.names import Name
    from reconciler.plan import DomainPlan, Step
    from reconciler.service_plan import ServicePlan


def build_document(
    head: PlanHead,
    plans: Iterable[DomainPlan],
    diagnostics: Iterable[Diagnostic],
    service_plans: Iterable[ServicePlan] = (),
    flows: Mapping[Name, Sequence[str]] = MappingProxyType({}),
    declared: Mapping[str, str] = MappingProxyType({}),
    *,
    is_reviewable: bool = True,
) -> PlanDocument:
    """The document of a plan; `flows` are the proved flows of mail, by mail domain.

    `declared` are the digests of what the manifests declare, by mail domain, and by `organization/service`. A plan that
    nobody will review has neither digest nor id.
    """
    names = [(plan, plan.domain.name) for plan in plans]
    domains = [domain_document(plan, flows.get(name, ()), declared.get(name, "")) for plan, name in names]
    services = service_documents(service_plans, declared)
    return assemble_document(head, domains, services, diagnostics, is_reviewable=is_reviewable)


def assemble_document(
    head: PlanHead,
    domains: list[DomainDocument],
    services: list[ServiceDocument],
    diagnostics: Iterable[Diagnostic],
    *,
    is_reviewable: bool = True,
) -> PlanDocument:
    """The document of parts that are documents already, counted and, where it is to be reviewed, sealed."""
    steps = [*(s for service in services for s in service.steps), *(s for domain in domains for s in domain.steps)]
    ready = [s for s in steps if s.status is Status.READY]
    summary = SummaryDocument(
        **{action.value: sum(s.action is action for s in ready) for action in Action if action is not Action.NO_OP},
        **{
            status.value: sum(s.status is status for s in steps)
            for status in (Status.HELD, Status.MANUAL, Status.UNKNOWN, Status.DONE)
        },
    )
    digest = plan_digest(head, [*services, *domains]) if is_reviewable else ""
    return PlanDocument(
        format_version=FORMAT_VERSION,
        kind="plan",
        id=plan_id(digest, head.created_at, head.expires_at) if is_reviewable else "",
        digest=digest,
        **head.model_dump(),
        has_changes=any(s.action is not Action.NO_OP for s in steps),
        summary=summary,
        services=services,
        domains=domains,
        diagnostics=[_diagnostic_document(d) for d in diagnostics],
    )


def domain_document(plan: DomainPlan, flow: Sequence[str], declared: str) -> DomainDocument:
    """The part of one mail domain; `declared` is the digest of what the manifests declare for it, or empty."""
    domain = plan.domain
    source = made(SourceDocument, {"file": domain.source.file, "line": domain.source.line})
    return made(
        DomainDocument,
        {
            "organization": domain.organization,
            "domain": shown_domain(domain),
            "written": domain.written,
            "stage": plan.stage,
            "declared": declared,
            "steps": [_step_document(step, plan.zone, source) for step in plan.steps],
            "flow": list(flow),
        },
    )


def shown_domain(domain: Domain) -> str:
    """The name as documents have it: A-labels, without the last dot; mostly the text that the manifest has already."""
    name = domain.name.removesuffix(".")
    return domain.written if domain.written == name else name


def _step_document(step: Step, zone: Name | None, source: SourceDocument) -> StepDocument:
    """`source` is the domain's, which all of its steps have."""
    change, key = step.change, step.key
    zone = change.zone if change else zone
    return made(
        StepDocument,
        {
            "id": step.id,
            "phase": step.phase,
            "action": step.action,
            "status": step.status,
            "resource": made(ResourceDocument, {"kind": "rrset", "name": key.name, "type": key.type, "zone": zone}),
            "provider": step.provider,
            "before": list(change.before) if change else [],
            "after": list(change.after) if change else [],
            "untouched": list(change.foreign) if change else [],
            "ttl_before": change.ttl_before if change else None,
            "ttl": change.ttl if change else None,
            "gates": [_gate_document(gate) for gate in step.gates],
            "not_before": step.not_before,
            "reason": step.reason,
            "wanted": list(step.wanted),
            "source": source,
        },
    )


def _gate_document(gate: GateResult) -> GateDocument:
    return made(
        GateDocument,
        {
            "id": gate.id,
            "verdict": gate.verdict,
            "evidence": gate.evidence,
            "advice": gate.advice,
            "is_waived": gate.is_waived,
        },
    )


def _diagnostic_document(diagnostic: Diagnostic) -> DiagnosticDocument:
    return made(DiagnosticDocument, {name: getattr(diagnostic, name) for name in DiagnosticDocument.model_fields})


def service_documents(plans: Iterable[ServicePlan], declared: Mapping[str, str]) -> list[ServiceDocument]:
    """The parts of services that have steps; `declared` as in `build_document`."""
    return [_service_document(plan, declared) for plan in plans if plan.steps]


def _service_document(plan: ServicePlan, declared: Mapping[str, str]) -> ServiceDocument:
    service = plan.service
    name = f"{service.organization}/{service.name}"
    steps = [
        StepDocument(
            id=step.id,
            phase=step.phase,
            action=step.action,
            status=step.status,
            resource=ResourceDocument(kind=step.kind, name=name, type=step.target, zone=None),
            provider=MANUAL_PROVIDER,
            before=list(step.before),
            after=list(step.after),
            untouched=list(step.untouched),
            ttl_before=None,
            ttl=None,
            gates=[_gate_document(gate) for gate in step.gates],
            not_before=step.not_before,
            reason=step.reason,
            source=SourceDocument(file=step.source.file, line=step.source.line),
        )
        for step in plan.steps
    ]
    return ServiceDocument(
        organization=service.organization,
        service=service.name,
        kind=service.kind,
        declared=declared.get(name, ""),
        steps=steps,
    )
