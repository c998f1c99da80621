"""The plans of all shards of one run as one, limited as one. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.document import PlanHead, assemble_document, held_step
from reconciler.errors import sorted_diagnostics
from reconciler.limits.decide import Candidate, decide_limits, time_of
from reconciler.merge.parts import in_order, stops_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeVar

    from reconciler.document import DomainDocument, PlanDocument, ServiceDocument, ShardDocument, StepDocument
    from reconciler.limits.decide import Gates

    Part = TypeVar("Part", DomainDocument, ServiceDocument)


def merge_plans(documents: Sequence[PlanDocument]) -> PlanDocument:
    """The plan of the run of which these are all shards, each once."""
    shards: list[tuple[ShardDocument, PlanDocument]] = [(s, d) for d in documents if (s := d.shard) is not None]
    domains = in_order((s.domains, d.domains) for s, d in shards)
    services = in_order((s.services, d.services) for s, d in shards)
    unhealthy = sorted(at for s, _ in shards for at in s.unhealthy)
    first = documents[0]
    created_at = min(d.created_at for d in documents)
    decision = decide_limits(
        [Candidate(d.organization, d.written, d.steps) for d in domains],
        [s.steps for s in services],
        stops_of(shards[0][0].stops),
        unhealthy=[domains[at].written for at in unhealthy],
        count=len(domains),
        now=created_at,
    )
    head = PlanHead(
        commit=first.commit,
        manifests_digest=first.manifests_digest,
        catalog_digest=first.catalog_digest,
        settings_digest=first.settings_digest,
        created_at=created_at,
        expires_at=min(d.expires_at for d in documents),
        left_out=first.left_out,
    )
    told = [d for document in documents for d in document.diagnostics_as_data()]
    return assemble_document(
        head,
        [_held(d, found) for d, found in zip(domains, decision.domains, strict=True)],
        [_held(s, found) for s, found in zip(services, decision.services, strict=True)],
        sorted_diagnostics([*told, *decision.diagnostics]),
    )


def _held(part: Part, found: Sequence[Gates]) -> Part:
    """A domain or a service, with the steps held that these gates hold."""
    if not any(found):
        return part
    steps = [_step_held(step, gates) for step, gates in zip(part.steps, found, strict=True)]
    return part.model_copy(update={"steps": steps})


def _step_held(step: StepDocument, gates: Gates) -> StepDocument:
    return held_step(step, gates, time_of(step.not_before, gates)) if gates else step
