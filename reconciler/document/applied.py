"""What an apply did, as a document: for whoever tells people about it. Readers ignore unknown fields."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from reconciler.document.models import DiagnosticDocument, DocumentModel, ResourceDocument
from reconciler.errors import ExitCode
from reconciler.plan import Phase

FORMAT_VERSION = "1.0"


class WrittenStepDocument(DocumentModel):
    """One step that was written. Values are RFC 1035 presentation text."""

    id: str
    phase: Phase
    resource: ResourceDocument
    before: list[str]
    after: list[str]


class DomainResultDocument(DocumentModel):
    """What became of one domain."""

    organization: str
    domain: str = Field(description="A-labels, without the last dot")
    became: Literal["applied", "already done", "stale", "failed"]
    steps: list[WrittenStepDocument] = Field(description="what was written; of a failed domain, what was tried")
    code: str = Field(
        description="of a stale or failed domain: what kind of reason, as base-moved, observed-changed, gate-closed, "
        "undeclared; empty of the others"
    )
    message: str = Field(description="of a stale or failed domain: the reason")
    is_seen: bool = Field(description="false where no authoritative server showed yet what was written")


class UndoDocument(DocumentModel):
    """The plan that undoes an apply."""

    file: str
    safe_until: AwareDatetime | None


class ApplyDocument(DocumentModel):
    """An apply: a saved plan, what was still held of reviewed plans, or everything that was ready."""

    format_version: Annotated[str, Field(pattern=r"^\d+\.\d+$")]
    kind: Literal["apply"]
    plan_id: str | None = Field(description="id of the saved plan that was applied; null where there was none")
    commit: str | None
    run: str = Field(description="who ran it")
    created_at: AwareDatetime
    exit_code: ExitCode = Field(
        description="the process's; 1 where it was interrupted, which a diagnostic with the code `interrupted` tells"
    )
    results: list[DomainResultDocument]
    waiting: int = Field(description="domains and services in which a step waits for a gate, a person or a look")
    undo: list[UndoDocument]
    diagnostics: list[DiagnosticDocument] = Field(
        description="errors, and what is about the run as a whole: why a plan was refused as a whole, which kept plans "
        "go on no more, what waits for a review. One with the code `unfinished`: the run was killed"
    )


def apply_schema() -> dict[str, Any]:
    """The JSON Schema of the apply document."""
    return ApplyDocument.model_json_schema(mode="serialization")
