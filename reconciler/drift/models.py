"""The models of a drift document. Their descriptions are what the published schema says."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from reconciler.document import (
    DiagnosticDocument,
    DocumentHead,
    DocumentModel,
    ResourceDocument,
    SourceDocument,
)
from reconciler.drift.finding import DriftClass, DriftSeverity
from reconciler.plan import Stage

FORMAT_VERSION = "1.0"


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

    @property
    def counting(self) -> list[FindingDocument]:
        """The findings that nobody lets be."""
        return [f for f in self.findings if not f.is_ignored]


def drift_schema() -> dict[str, Any]:
    """The JSON Schema of the drift document."""
    return DriftDocument.model_json_schema(mode="serialization")
