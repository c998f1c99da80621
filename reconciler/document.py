"""The plan as a document: versioned JSON that is reviewed, saved, and applied as reviewed.

`digest` is over what the plan means (what is written where, over which observed values, for which manifests, catalog
and commit); two plans of the same world have the same digest. `id` binds the digest to the moment and the expiry, and
is what an apply uses up. Readers ignore unknown fields and refuse another major version. A plan shows names and values
of zones: treat it as sensitive.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from reconciler.diff import Change
from reconciler.errors import Diagnostic, PlanFileError, Severity
from reconciler.gates import Verdict
from reconciler.manifest.fleet import MANUAL_PROVIDER
from reconciler.names import Name
from reconciler.plan import Action, Phase, Stage, Status
from reconciler.state import Key, Rdata

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from reconciler.plan import DomainPlan, Step
    from reconciler.service_plan import ServicePlan

FORMAT_VERSION = "1.0"
_MAX_PLAN_OCTETS = 512 * 1024 * 1024


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=False)


class ResourceDocument(_Model):
    """What a step is about."""

    kind: Literal["rrset", "allowlist", "mail-rule"]
    name: str = Field(description="owner name, absolute, lower case, A-labels")
    type: str = Field(description="rrset type, as MX")
    zone: str | None = Field(description="apex of the zone that holds it; null while unknown")


class GateDocument(_Model):
    """One gate's result."""

    id: str
    verdict: Verdict
    evidence: str
    advice: str = ""
    is_waived: bool = False


class SourceDocument(_Model):
    """Where the domain is declared."""

    file: str
    line: int


class StepDocument(_Model):
    """One step. Values are RFC 1035 presentation text, TTLs seconds."""

    id: str
    phase: Phase
    action: Action
    status: Status
    resource: ResourceDocument
    provider: str
    before: list[str] = Field(description="values in our ownership that were observed")
    after: list[str] = Field(description="values in our ownership afterwards")
    untouched: list[str] = Field(description="foreign values observed beside them; they stay byte for byte")
    ttl_before: int | None
    ttl: int | None
    gates: list[GateDocument]
    not_before: AwareDatetime | None = None
    reason: str = ""
    source: SourceDocument

    def change(self) -> Change | None:
        """The change that the step stands for; None when its observed state is unknown."""
        if self.resource.zone is None or self.ttl is None:
            return None
        return Change(
            Key(Name(self.resource.name), self.resource.type),
            Name(self.resource.zone),
            tuple(Rdata(v) for v in self.before),
            tuple(Rdata(v) for v in self.after),
            tuple(Rdata(v) for v in self.untouched),
            self.ttl_before,
            self.ttl,
        )


class DomainDocument(_Model):
    """One mail domain."""

    organization: str
    domain: str = Field(description="A-labels, without the last dot")
    written: str = Field(description="as the manifest spells it")
    stage: Stage
    steps: list[StepDocument]


class ServiceDocument(_Model):
    """The origin's side of one service: its allowlists and its spam rule."""

    organization: str
    service: str
    kind: str
    steps: list[StepDocument]


class DiagnosticDocument(_Model):
    """One error, warning or advisory."""

    severity: Severity
    code: str
    summary: str
    detail: str
    file: str = ""
    line: int = 0
    column: int = 0
    domain: str = ""


class SummaryDocument(_Model):
    """Counts of steps: `create`, `update` and `delete` are ready to be written."""

    create: int
    update: int
    delete: int
    held: int
    manual: int
    unknown: int
    done: int


class PlanDocument(_Model):
    """A plan."""

    format_version: Annotated[str, Field(pattern=r"^\d+\.\d+$")]
    kind: Literal["plan"]
    id: str
    digest: str
    commit: str | None
    manifests_digest: str
    catalog_digest: str
    created_at: AwareDatetime
    expires_at: AwareDatetime
    has_changes: bool
    summary: SummaryDocument
    services: list[ServiceDocument] = []
    domains: list[DomainDocument]
    diagnostics: list[DiagnosticDocument]

    @property
    def parts(self) -> list[ServiceDocument | DomainDocument]:
        """The services, then the domains: everything that has steps."""
        return [*self.services, *self.domains]

    @property
    def unfinished(self) -> list[ServiceDocument | DomainDocument]:
        """The services and domains in which something waits for a gate, a person or an observation."""
        waiting = {Status.HELD, Status.MANUAL, Status.UNKNOWN}
        return [part for part in self.parts if any(s.status in waiting for s in part.steps)]

    def diagnostics_as_data(self) -> list[Diagnostic]:
        """The diagnostics in the core's form."""
        return [Diagnostic(**d.model_dump()) for d in self.diagnostics]


class PlanHead(_Model):
    """What a plan is bound to, beside its domains."""

    commit: str | None
    manifests_digest: str
    catalog_digest: str
    created_at: datetime
    expires_at: datetime


def build_document(
    head: PlanHead,
    plans: Iterable[DomainPlan],
    diagnostics: Iterable[Diagnostic],
    service_plans: Iterable[ServicePlan] = (),
) -> PlanDocument:
    """The document of a plan."""
    domains = [_domain_document(plan) for plan in plans]
    services = [_service_document(plan) for plan in service_plans if plan.steps]
    steps = [*(s for service in services for s in service.steps), *(s for domain in domains for s in domain.steps)]
    ready = [s for s in steps if s.status is Status.READY]
    summary = SummaryDocument(
        **{action.value: sum(s.action is action for s in ready) for action in Action if action is not Action.NO_OP},
        **{
            status.value: sum(s.status is status for s in steps)
            for status in (Status.HELD, Status.MANUAL, Status.UNKNOWN, Status.DONE)
        },
    )
    digest = _digest(head, steps)
    return PlanDocument(
        format_version=FORMAT_VERSION,
        kind="plan",
        id=_plan_id(digest, head.created_at, head.expires_at),
        digest=digest,
        **head.model_dump(),
        has_changes=any(s.action is not Action.NO_OP for s in steps),
        summary=summary,
        services=services,
        domains=domains,
        diagnostics=[DiagnosticDocument.model_validate(d, from_attributes=True) for d in diagnostics],
    )


def _domain_document(plan: DomainPlan) -> DomainDocument:
    return DomainDocument(
        organization=plan.domain.organization,
        domain=plan.domain.name.removesuffix("."),
        written=plan.domain.written,
        stage=plan.stage,
        steps=[_step_document(step, plan.zone) for step in plan.steps],
    )


def _step_document(step: Step, zone: Name | None) -> StepDocument:
    change = step.change
    return StepDocument(
        id=step.id,
        phase=step.phase,
        action=step.action,
        status=step.status,
        resource=ResourceDocument(
            kind="rrset", name=step.key.name, type=step.key.type, zone=change.zone if change else zone
        ),
        provider=step.provider,
        before=list(change.before) if change else [],
        after=list(change.after) if change else [],
        untouched=list(change.foreign) if change else [],
        ttl_before=change.ttl_before if change else None,
        ttl=change.ttl if change else None,
        gates=[GateDocument.model_validate(g, from_attributes=True) for g in step.gates],
        reason=step.reason,
        source=SourceDocument(file=step.source.file, line=step.source.line),
    )


def _service_document(plan: ServicePlan) -> ServiceDocument:
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
            gates=[GateDocument.model_validate(g, from_attributes=True) for g in step.gates],
            reason=step.reason,
            source=SourceDocument(file=step.source.file, line=step.source.line),
        )
        for step in plan.steps
    ]
    return ServiceDocument(organization=service.organization, service=service.name, kind=service.kind, steps=steps)


def _digest(head: PlanHead, steps: Iterable[StepDocument]) -> str:
    meaning: dict[str, Any] = {
        "kind": "plan",
        "commit": head.commit,
        "manifests": head.manifests_digest,
        "catalog": head.catalog_digest,
        "steps": [
            step.model_dump(
                mode="json", exclude={"gates": {"__all__": {"evidence", "advice"}}, "reason": True, "source": True}
            )
            for step in steps
        ],
    }
    return _sha256(meaning)


def _plan_id(digest: str, created_at: datetime, expires_at: datetime) -> str:
    return _sha256({"digest": digest, "created_at": created_at.isoformat(), "expires_at": expires_at.isoformat()})


def _sha256(data: object) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"sha256:{hashlib.sha256(text.encode('ascii')).hexdigest()}"


def render_document(document: PlanDocument) -> str:
    """The JSON text of a plan: ASCII, so that whatever stands in it is obeyed by no terminal that shows it."""
    return document.model_dump_json(indent=2, ensure_ascii=True) + "\n"


def plan_schema() -> dict[str, Any]:
    """The JSON Schema of the plan document."""
    return PlanDocument.model_json_schema(mode="serialization")


def load_document(path: Path) -> PlanDocument:
    """Read a saved plan and check that nothing in it was altered.

    Raises:
        PlanFileError: unreadable, truncated, too large, no plan, of another major version, or altered.

    """
    try:
        with path.open("rb") as file:
            octets = file.read(_MAX_PLAN_OCTETS + 1)
    except OSError as exc:
        raise _unusable(path, f"the plan cannot be read: {exc.strerror}", "Give the path of a saved plan.") from exc
    if len(octets) > _MAX_PLAN_OCTETS:
        raise _unusable(path, "the plan is too large", "Plan fewer domains at once.")
    again = "Make a new one with `reconciler plan --out FILE`."
    try:
        data = json.loads(octets)
    except (ValueError, RecursionError) as exc:
        raise _unusable(path, f"the plan is no complete JSON document: {exc}", again) from exc
    version = data.get("format_version") if isinstance(data, dict) else None
    major = FORMAT_VERSION.split(".", maxsplit=1)[0]
    if not isinstance(version, str) or version.split(".", maxsplit=1)[0] != major:
        raise _unusable(path, f"the plan's format_version is {version!r}; this program reads {major}.x", again)
    try:
        document = PlanDocument.model_validate(data)
    except ValidationError as exc:
        first = exc.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _unusable(path, f"the plan is not as it was written: {place}: {first['msg']}", again) from exc
    head = PlanHead.model_validate(document.model_dump(include=set(PlanHead.model_fields)))
    digest = _digest(head, [step for part in document.parts for step in part.steps])
    if document.digest != digest or document.id != _plan_id(digest, document.created_at, document.expires_at):
        raise _unusable(path, "the plan was altered after it was made: its digest does not fit", again)
    return document


def _unusable(path: Path, summary: str, detail: str) -> PlanFileError:
    return PlanFileError([Diagnostic(Severity.ERROR, "plan-file", summary, detail, str(path))])
