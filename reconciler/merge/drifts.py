"""The drifts of all shards of one run as one, with what the run as a whole holds. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.document import DiagnosticDocument, DocumentHead
from reconciler.drift import HeldFindingDocument, assemble_drift_document, worst_first
from reconciler.errors import sorted_diagnostics
from reconciler.limits.decide import Candidate, decide_limits
from reconciler.merge.parts import in_order, stops_of
from reconciler.merge.refusals import sides_of_a_freeze

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from reconciler.drift import (
        DriftDocument,
        DriftShardDocument,
        FindingDocument,
        OpenPartDocument,
    )
    from reconciler.limits.decide import Gates

_HELD_FIELDS = tuple(set(HeldFindingDocument.model_fields) - {"gates"})


def merge_drifts(documents: Sequence[DriftDocument]) -> DriftDocument:
    """The drift of the run of which these are all shards, each once.

    Raises:
        MergeError: a freeze begins or ends between the shards, and they do not say what then becomes of a finding.

    """
    shards: list[tuple[DriftShardDocument, DriftDocument]] = [(s, d) for d in documents if (s := d.shard) is not None]
    first = documents[0]
    created_at = min(d.created_at for d in documents)
    found = {s.index: list(d.findings) for s, d in shards}
    _hold(shards, found, created_at)
    told = [d.as_data() for document in documents for d in document.diagnostics]
    head = DocumentHead(
        commit=first.commit,
        manifests_digest=first.manifests_digest,
        catalog_digest=first.catalog_digest,
        created_at=created_at,
    )
    return assemble_drift_document(
        head,
        in_order((s.domains, d.domains) for s, d in shards),
        worst_first(finding for findings in found.values() for finding in findings),
        [DiagnosticDocument.model_validate(d, from_attributes=True) for d in sorted_diagnostics(told)],
    )


def _hold(
    shards: Sequence[tuple[DriftShardDocument, DriftDocument]],
    found: dict[int, list[FindingDocument]],
    now: datetime,
) -> None:
    """Put into `found`, by the shards' indices, what findings become that the run as a whole holds the steps of."""
    domains = _placed((s.index, part) for s, _ in shards for part in s.open_domains)
    services = _placed((s.index, part) for s, _ in shards for part in s.open_services)
    decision = decide_limits(
        [Candidate(part.organization, part.written, part.steps) for _, part in domains],
        [part.steps for _, part in services],
        stops_of(shards[0][0].stops),
        unhealthy=[name for s, _ in shards for name in s.unhealthy_names],  # how many they are decides, and no order
        count=sum(len(d.domains) for _, d in shards),
        now=now,
    )
    for (index, part), gates in zip([*domains, *services], [*decision.domains, *decision.services], strict=True):
        for step, held_by in zip(part.steps, gates, strict=True):
            if held_by:
                findings = found[index]
                findings[step.finding] = _held(findings[step.finding], step.held, held_by)


def _placed(parts: Iterable[tuple[int, OpenPartDocument]]) -> list[tuple[int, OpenPartDocument]]:
    return sorted(parts, key=lambda pair: pair[1].position)


def _held(finding: FindingDocument, ways: Sequence[HeldFindingDocument], gates: Gates) -> FindingDocument:
    by = [(gate.id, gate.advice) for gate in gates]
    way = next((way for way in ways if way.gates == by), None)
    if way is None:
        raise sides_of_a_freeze()
    return finding.model_copy(update={name: getattr(way, name) for name in _HELD_FIELDS})
