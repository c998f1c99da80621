"""The models of a drift document. Their descriptions are what the published schema says."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from reconciler.document import (
    DiagnosticDocument,
    DocumentHead,
    DocumentModel,
    ResourceDocument,
    ShardDocument,
    SourceDocument,
)
from reconciler.drift.finding import DriftClass, DriftSeverity
from reconciler.manifest.fleet import Lifecycle
from reconciler.plan import Phase, Stage, Status

FORMAT_VERSION = "1.0"


def _is_left_out(value: object) -> bool:
    return value is None


class DriftDomainDocument(DocumentModel):
    """One mail domain that was looked at."""

    organization: str
    domain: str = Field(description="A-labels, without the last dot")
    stage: Stage


class AuthorDocument(DocumentModel):
    """Who changed a line of a manifest last, as git says."""

    author: str = Field(description="name and e-mail address")
    commit: str
    at: AwareDatetime


class IgnoreDocument(DocumentModel):
    """The ignore rule that lets a finding be."""

    owner: str
    reason: str
    expires: date = Field(description="the last day on which it counts")
    source: SourceDocument


class FindingDocument(DocumentModel):
    """One finding. Values are RFC 1035 presentation text; of a TTL, `TTL` and its seconds."""

    fingerprint: str = Field(
        description="hexadecimal SHA-256 over organization, domain, resource and code: the same while the finding lasts"
    )
    code: str
    drift_class: DriftClass = Field(alias="class")
    is_certain: bool = Field(description="false where the journal does not show the class, and it is the likeliest one")
    severity: DriftSeverity
    organization: str
    domain: str = Field(description="A-labels, without the last dot; empty for what is a whole service's")
    resource: ResourceDocument | None
    expected: list[str]
    observed: list[str]
    first_seen: AwareDatetime
    age_hours: int
    summary: str
    cause: str = Field(description="what the journal shows, or that it does not; empty where the class says it all")
    repair: str
    held_by: list[str] = Field(description="gates that the repair waits for")
    not_before: AwareDatetime | None = Field(description="when it goes on by itself; null where it does not")
    source: SourceDocument | None = Field(description="the line that declares it; null where nothing does")
    changed_by: AuthorDocument | None = Field(description="who changed that line last; null where it is not known")
    is_ignored: bool
    ignored_by: IgnoreDocument | None


class HeldFindingDocument(DocumentModel):
    """What becomes of a finding where the run as a whole holds its step: what is otherwise than in the finding."""

    gates: list[tuple[str, str]] = Field(description="ids and advice of the gates that hold the step")
    drift_class: DriftClass = Field(alias="class")
    is_certain: bool
    severity: DriftSeverity
    cause: str
    repair: str
    held_by: list[str]
    not_before: AwareDatetime | None
    is_ignored: bool
    ignored_by: IgnoreDocument | None


class OpenStepDocument(DocumentModel):
    """A step that the run as a whole may hold, and the finding that it is."""

    phase: Phase
    status: Status
    finding: int = Field(description="the position of its finding, from 0")
    held: list[HeldFindingDocument] = Field(
        description="what the finding becomes, for each way in which it may be held"
    )


class OpenPartDocument(DocumentModel):
    """A mail domain, or a service, with steps that the run as a whole may hold."""

    position: int = Field(description="as in `domains` or `services` of the shard")
    organization: str
    written: str = Field(description="a domain as the manifest spells it, a service by its name")
    steps: list[OpenStepDocument]


class ShownDocument(DocumentModel):
    """One MX rrset that servers show: presentation text and seconds; no value and null where there is none."""

    values: list[str]
    ttl: int | None


class LookDocument(DocumentModel):
    """What the journal keeps of a look at one mail domain, where the look is recorded."""

    domain: str = Field(description="absolute A-labels")
    organization: str
    shown: list[ShownDocument]
    is_complete: bool = Field(description="whether every server answered")
    open_steps: list[str]
    tokens_visible: bool | None
    next_hops: list[str]
    is_switched: bool
    is_gone: bool
    lifecycle: Lifecycle


class DriftShardDocument(ShardDocument):
    """As of a plan; beside it how findings change by what the run as a whole holds, and what there is to record."""

    unhealthy_names: list[str] = Field(description="the names of `unhealthy`, as the manifests spell them")
    open_domains: list[OpenPartDocument]
    open_services: list[OpenPartDocument]
    looks: list[LookDocument]


class DriftSummaryDocument(DocumentModel):
    """Counts; an ignored finding is in `ignored` and in no other."""

    severities: dict[DriftSeverity, int]
    classes: dict[DriftClass, int]
    ignored: int
    domains: int
    in_sync: int = Field(description="domains without any finding that is not ignored")


class DriftDocument(DocumentHead):
    """What is not as declared, or not as it was last applied; the worst finding first."""

    format_version: Annotated[str, Field(pattern=r"^\d+\.\d+$")]
    kind: Literal["drift"]
    digest: str = Field(description="over what the findings mean, whatever the time: equal digests, equal drift")
    created_at: AwareDatetime
    summary: DriftSummaryDocument
    domains: list[DriftDomainDocument]
    findings: list[FindingDocument]
    diagnostics: list[DiagnosticDocument]
    shard: DriftShardDocument | None = Field(
        default=None,
        exclude_if=_is_left_out,
        description="only in the drift of a part of the fleet, which `merge` puts together with the others; its "
        "findings are in no order, and no limit of the run is seen in them",
    )

    @property
    def counting(self) -> list[FindingDocument]:
        """The findings that nobody lets be."""
        return [f for f in self.findings if not f.is_ignored]


def drift_schema() -> dict[str, Any]:
    """The JSON Schema of the drift document."""
    return DriftDocument.model_json_schema(mode="serialization")
