"""The models of a plan document. Their descriptions are what the published schema says."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from reconciler.diff import Change
from reconciler.errors import Diagnostic, Severity
from reconciler.gates import Verdict
from reconciler.names import Name
from reconciler.plan import Action, Phase, Stage, Status
from reconciler.selection import MOST_SHARDS
from reconciler.state import Key, Rdata

FORMAT_VERSION = "1.0"


def _is_left_out(value: object) -> bool:
    return not value


class DocumentModel(BaseModel):
    """What every part of a document is: frozen, and of unknown fields forgiving."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=False)


class ResourceDocument(DocumentModel):
    """What a step is about."""

    kind: Literal["rrset", "allowlist", "mail-rule"]
    name: str = Field(description="owner name, absolute, lower case, A-labels")
    type: str = Field(description="rrset type, as MX")
    zone: str | None = Field(description="apex of the zone that holds it; null while unknown")


class GateDocument(DocumentModel):
    """One gate's result."""

    id: str
    verdict: Verdict
    evidence: str
    advice: str = ""
    is_waived: bool = False


class SourceDocument(DocumentModel):
    """Where the domain is declared."""

    file: str
    line: int


class StepDocument(DocumentModel):
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
    wanted: list[str] = Field(
        default=[],
        exclude_if=_is_left_out,
        description="the declared values, only where what is there is unknown; not part of the digest",
    )
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


class DomainDocument(DocumentModel):
    """One mail domain."""

    organization: str
    domain: str = Field(description="A-labels, without the last dot")
    written: str = Field(description="as the manifest spells it")
    stage: Stage
    declared: str = Field(default="", description="digest of all that the manifests declare for it")
    steps: list[StepDocument]
    flow: list[str] = Field(default=[], description="where its mail goes after each phase, a line a phase")


class ServiceDocument(DocumentModel):
    """The origin's side of one service: its allowlists and its spam rule."""

    organization: str
    service: str
    kind: str
    declared: str = Field(default="", description="digest of what the manifests declare for it and its organization")
    steps: list[StepDocument]


class DiagnosticDocument(DocumentModel):
    """One error, warning or advisory."""

    severity: Severity
    code: str
    summary: str
    detail: str
    file: str = ""
    line: int = 0
    column: int = 0
    domain: str = ""

    def as_data(self) -> Diagnostic:
        """The diagnostic in the core's form."""
        return Diagnostic(**self.model_dump())


class SummaryDocument(DocumentModel):
    """Counts of steps: `create`, `update` and `delete` are ready to be written."""

    create: int
    update: int
    delete: int
    held: int
    manual: int
    unknown: int
    done: int


class LeftOutDocument(DocumentModel):
    """What `--changed-since` left out of a plan."""

    since: str = Field(description="the commit that the working tree was compared with, in full")
    domains: int = Field(description="how many of the chosen domains are not in the plan, because nothing touches them")
    reason: str = Field(description="one sentence for people: what was left out, or why nothing was")


class FreezeDocument(DocumentModel):
    """A time in which nothing is written."""

    start: AwareDatetime
    end: AwareDatetime
    reason: str


class StopsDocument(DocumentModel):
    """What the settings say of when steps are held, whatever their gates say."""

    switches_per_run: int
    switches_per_organization: int
    unhealthy_share: float = Field(ge=0, le=1, allow_inf_nan=False)
    unhealthy_domains: int | None
    freeze: list[FreezeDocument]
    kill_switch: str | None


class ShardDocument(DocumentModel):
    """Which part of a fleet a document is about: one that `merge` puts together with the others.

    Limits are for a whole run, so a shard's document is not limited, and is not to be applied. Positions count from 0.
    """

    index: int = Field(description="which one of `count` it is, from 1", ge=1)
    count: int = Field(description="how many shards there are", ge=1, le=MOST_SHARDS)
    chosen: str = Field(description="digest of the names of all domains that were chosen, of which this is a part")
    is_everything: bool = Field(description="whether nothing that is declared was left out when they were chosen")
    journal: str = Field(description="which journal was read, and how often it had been written to; empty for none")
    domains: list[int] = Field(description="the position of each of its domains among all that were chosen")
    services: list[int] = Field(description="the position of each of its services among all that are declared")
    unhealthy: list[int] = Field(description="the positions of its domains that count as unhealthy")
    stops: StopsDocument


class PlanDocument(DocumentModel):
    """A plan."""

    format_version: Annotated[str, Field(pattern=r"^\d+\.\d+$")]
    kind: Literal["plan"]
    id: str
    digest: str
    commit: str | None
    manifests_digest: str
    catalog_digest: str
    settings_digest: str = Field(default="", description="of what the settings say of how is planned")
    created_at: AwareDatetime
    expires_at: AwareDatetime
    has_changes: bool
    summary: SummaryDocument
    services: list[ServiceDocument] = []
    domains: list[DomainDocument]
    diagnostics: list[DiagnosticDocument]
    inverse_of: str | None = Field(
        default=None,
        exclude_if=_is_left_out,
        description="id of the plan that this one undoes; only in an inverse plan, as the next two",
    )
    safe_until: AwareDatetime | None = Field(
        default=None, exclude_if=_is_left_out, description="until when it may be applied; left out where at any time"
    )
    safe_note: str = Field(default="", exclude_if=_is_left_out, description="why until then")
    left_out: LeftOutDocument | None = Field(
        default=None,
        exclude_if=_is_left_out,
        description="only in a plan of what changed since a commit; not part of the digest",
    )
    shard: ShardDocument | None = Field(
        default=None,
        exclude_if=_is_left_out,
        description="only in the plan of a part of the fleet, which `merge` puts together with the others",
    )

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
        return [d.as_data() for d in self.diagnostics]


class DocumentHead(DocumentModel):
    """What a document was made from, and when."""

    commit: str | None
    manifests_digest: str
    catalog_digest: str
    created_at: datetime


class PlanHead(DocumentHead):
    """What a plan is bound to, beside its domains."""

    settings_digest: str = ""
    expires_at: datetime
    inverse_of: str | None = None
    safe_until: datetime | None = None
    safe_note: str = ""
    left_out: LeftOutDocument | None = None
    shard: ShardDocument | None = None


def plan_schema() -> dict[str, Any]:
    """The JSON Schema of the plan document."""
    return PlanDocument.model_json_schema(mode="serialization")
