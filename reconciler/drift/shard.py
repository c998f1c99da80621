"""What the drift of a shard says for whoever merges it: what findings become when the run holds their steps. Pure.

A finding depends on whether its step is held, and limits hold steps of a whole run. So each step that may be held is
told with every finding that it may become; the findings are made by the code that makes them in one process.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

from reconciler.document import DomainDocument, held_step
from reconciler.drift.build import finding_document
from reconciler.drift.find import find_in_parts
from reconciler.drift.models import HeldFindingDocument, OpenPartDocument, OpenStepDocument
from reconciler.limits.decide import possible_holds, time_of
from reconciler.plan import Phase, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeVar

    from reconciler.document import ServiceDocument, ShardDocument, StepDocument
    from reconciler.drift.find import FoundInParts, Looked
    from reconciler.drift.finding import Finding
    from reconciler.limits import Stops
    from reconciler.limits.decide import Gates

    Part = TypeVar("Part", DomainDocument, ServiceDocument)
    Holds = Mapping[Phase, Gates]

_POSSIBLE = (Status.READY, Status.MANUAL)


def open_parts(
    looked: Looked, found: FoundInParts, positions: Sequence[int], shard: ShardDocument, stops: Stops
) -> tuple[list[OpenPartDocument], list[OpenPartDocument]]:
    """The domains and the services that have steps which the run as a whole may hold, and what their findings become.

    `looked` is at a plan that is not limited, and `found` is what was found in it; `positions` are those of the plan's
    domains among all that were chosen.
    """
    plan = looked.document
    at_domains = [at for at, d in enumerate(plan.domains) if _is_open(d)]
    at_services = [at for at, s in enumerate(plan.services) if _is_open(s)]
    if not at_domains and not at_services:
        return [], []
    ways = _ways(stops, looked)
    otherwise = [(holds, find_in_parts(_held(looked, holds, at_domains, at_services))) for holds in ways]
    firsts = list(accumulate(map(len, (*found.domains, *found.services)), initial=0))
    domains = [(plan.domains[at], positions[at], firsts[at]) for at in at_domains]
    services = [(plan.services[at], shard.services[at], firsts[len(plan.domains) + at]) for at in at_services]
    return (
        _parts(domains, [(holds, other.domains) for holds, other in otherwise], looked),
        _parts(services, [(holds, other.services) for holds, other in otherwise], looked),
    )


def _ways(stops: Stops, looked: Looked) -> list[Holds]:
    """The n-th way in which steps of each phase may be held, for each n that any phase has."""
    possible = {phase: possible_holds(phase, stops, looked.document.created_at) for phase in Phase}
    return [
        {phase: ways[n] for phase, ways in possible.items() if n < len(ways)}
        for n in range(max(map(len, possible.values())))
    ]


def _held(looked: Looked, holds: Holds, at_domains: Sequence[int], at_services: Sequence[int]) -> Looked:
    """The same look where these steps alone are there, and are held."""
    plan = looked.document
    changes = {
        "domains": [_part_held(plan.domains[at], holds) for at in at_domains],
        "services": [_part_held(plan.services[at], holds) for at in at_services],
    }
    return replace(looked, document=plan.model_copy(update=changes))


def _part_held(part: Part, holds: Holds) -> Part:
    return part.model_copy(update={"steps": [_step_held(step, holds.get(step.phase, ())) for step in part.steps]})


def _step_held(step: StepDocument, gates: Gates) -> StepDocument:
    if not gates or step.status not in _POSSIBLE:
        return step
    return held_step(step, gates, time_of(step.not_before, gates))


def _parts(
    places: Sequence[tuple[DomainDocument | ServiceDocument, int, int]],
    otherwise: Sequence[tuple[Holds, list[list[Finding]]]],
    looked: Looked,
) -> list[OpenPartDocument]:
    """Each part with its position in the fleet and that of its first finding in the document."""
    parts = []
    for n, (part, position, first) in enumerate(places):
        unfinished = [step for step in part.steps if step.status is not Status.DONE]
        steps = [
            OpenStepDocument(
                phase=step.phase,
                status=step.status,
                finding=first + at,
                held=[
                    _held_finding(other[n][at], holds[step.phase], looked)
                    for holds, other in otherwise
                    if step.phase in holds
                ],
            )
            for at, step in enumerate(unfinished)
            if step.status in _POSSIBLE
        ]
        written = part.written if isinstance(part, DomainDocument) else part.service
        parts.append(OpenPartDocument(position=position, organization=part.organization, written=written, steps=steps))
    return parts


def _held_finding(finding: Finding, gates: Gates, looked: Looked) -> HeldFindingDocument:
    document = finding_document(finding, looked.document.created_at, {})
    fields = document.model_dump(include=set(HeldFindingDocument.model_fields) - {"gates"}, by_alias=True)
    return HeldFindingDocument.model_validate({**fields, "gates": [(g.id, g.advice) for g in gates]})


def _is_open(part: DomainDocument | ServiceDocument) -> bool:
    return any(step.status in _POSSIBLE for step in part.steps)
