"""Plan documents of one mail domain, and the world as observations, for tests of inverse plans."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from builders import MX_KEY, NOW, TXT_KEY, observation

from reconciler.document import (
    DomainDocument,
    PlanDocument,
    PlanHead,
    ServiceDocument,
    StepDocument,
    assemble_document,
)
from reconciler.document.models import ResourceDocument, SourceDocument
from reconciler.plan import Action, Phase, Stage, Status
from reconciler.state import Absent, Key, Observation, Observed, Present, Rdata, build_rrset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

World = dict[Key, tuple[frozenset[str], int | None]]


def step(
    name: str,
    key: Key,
    phase: Phase,
    before: Sequence[str],
    after: Sequence[str],
    **changes: Any,  # noqa: ANN401
) -> StepDocument:
    """A step of acme.example that is ready, or done where it changes nothing."""
    untouched = changes.pop("untouched", [])
    is_noop = list(before) == list(after) and "ttl" not in changes
    given = {
        "id": f"acme.example/{name}",
        "phase": phase,
        "action": Action.NO_OP if is_noop else action_of(before, after, untouched),
        "status": Status.DONE if is_noop else Status.READY,
        "resource": ResourceDocument(kind="rrset", name=key.name, type=key.type, zone="acme.example."),
        "provider": "bind",
        "before": list(before),
        "after": list(after),
        "untouched": list(untouched),
        "ttl_before": 3600 if before or untouched else None,
        "ttl": 3600,
        "gates": [],
        "source": SourceDocument(file="manifests/acme.yaml", line=7),
    }
    return StepDocument(**(given | changes))


def action_of(before: Sequence[str], after: Sequence[str], untouched: Sequence[str]) -> Action:
    """What a change is to its rrset as a whole."""
    if not before and not untouched:
        return Action.CREATE
    return Action.UPDATE if after or untouched else Action.DELETE


def txt(before: Sequence[str], after: Sequence[str], phase: Phase = Phase.EXPAND, **changes: Any) -> StepDocument:  # noqa: ANN401
    """A step of the verification rrset."""
    name = "verification/retired" if phase is Phase.CONTRACT else "verification"
    return step(name, TXT_KEY, phase, before, after, **changes)


def mx(before: Sequence[str], after: Sequence[str], phase: Phase = Phase.SWITCH, **changes: Any) -> StepDocument:  # noqa: ANN401
    """A step of the MX."""
    return step("mx", MX_KEY, phase, before, after, **changes)


def document(
    *steps: StepDocument, stage: Stage = Stage.VERIFYING, services: Sequence[ServiceDocument] = ()
) -> PlanDocument:
    """The plan of acme.example with these steps."""
    head = PlanHead(
        commit="0" * 40,
        manifests_digest="sha256:m",
        catalog_digest="sha256:c",
        created_at=NOW,
        expires_at=NOW + timedelta(hours=24),
    )
    domain = DomainDocument(
        organization="acme", domain="acme.example", written="acme.example", stage=stage, steps=list(steps)
    )
    return assemble_document(head, [domain], list(services), [])


def service_step(phase: Phase, **changes: Any) -> StepDocument:  # noqa: ANN401
    """A step at the origin that somebody has to do once it is time."""
    resource = ResourceDocument(kind="allowlist", name="acme/hq", type="postfix-access", zone=None)
    given = {"resource": resource, "status": Status.HELD, "ttl": None, "ttl_before": None, "provider": "manual"}
    return step("hq", TXT_KEY, phase, ["a"], changes.pop("after", ["b"]), **(given | changes))


def service(*steps: StepDocument, organization: str = "acme") -> ServiceDocument:
    """The origin's side of one service."""
    return ServiceDocument(organization=organization, service="hq", kind="postfix", steps=list(steps))


def world_before(*steps: StepDocument) -> World:
    """What the steps' plan saw."""
    return {_key(s): (frozenset((*s.before, *s.untouched)), s.ttl_before) for s in steps}


def applied_to(world: World, *steps: StepDocument) -> World:
    """The world after the steps."""
    after = dict(world)
    for s in steps:
        values = frozenset((*s.after, *s.untouched))
        after[_key(s)] = (values, s.ttl if values else None)
    return after


def seen(world: World) -> Mapping[Key, Observation]:
    """The world as two servers show it."""
    return {key: observation(key, *[_observed(key, *content)] * 2) for key, content in world.items()}


def _observed(key: Key, values: frozenset[str], ttl: int | None) -> Observed:
    if ttl is None:
        return Absent()
    return Present(build_rrset(key, ttl, frozenset(Rdata(v) for v in values)))


def _key(given: StepDocument) -> Key:
    return Key(MX_KEY.name if given.resource.type == "MX" else TXT_KEY.name, given.resource.type)
