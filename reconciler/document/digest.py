"""Digests of a plan: over what it means, and over that with its moment."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from reconciler.document.models import DomainDocument

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from reconciler.document.models import PlanHead, ServiceDocument, StepDocument

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def plan_digest(head: PlanHead, parts: Sequence[ServiceDocument | DomainDocument]) -> str:
    """What a plan means, as `sha256:`; two plans of the same world have the same."""
    meaning: dict[str, Any] = {
        "kind": "plan",
        "commit": head.commit,
        "manifests": head.manifests_digest,
        "catalog": head.catalog_digest,
        "steps": [_meaning(step) for part in parts for step in part.steps],
    }
    # a plan of an earlier version says nothing of these
    if head.settings_digest:
        meaning["settings"] = head.settings_digest
    declared = [[_name_of(part), part.declared] for part in parts if part.declared]
    if declared:
        meaning["declared"] = declared
    if head.shard is not None:
        meaning["shard"] = head.shard.model_dump(mode="json")
    if head.inverse_of is not None:
        meaning["inverse_of"] = head.inverse_of
        meaning["safe_until"] = head.safe_until.isoformat() if head.safe_until is not None else None
    return digest_of(meaning)


_WORDS: Mapping[str, Any] = {
    "gates": {"__all__": {"evidence", "advice"}},
    "reason": True,
    "source": True,
    "wanted": True,
}


def _meaning(step: StepDocument) -> dict[str, Any]:
    """What a step means as JSON data; of one that waits for nothing the data are the values themselves."""
    if step.gates or step.not_before is not None:
        return step.model_dump(mode="json", exclude=dict(_WORDS))
    resource = step.resource
    return {
        "id": step.id,
        "phase": step.phase,
        "action": step.action,
        "status": step.status,
        "resource": {"kind": resource.kind, "name": resource.name, "type": resource.type, "zone": resource.zone},
        "provider": step.provider,
        "before": step.before,
        "after": step.after,
        "untouched": step.untouched,
        "ttl_before": step.ttl_before,
        "ttl": step.ttl,
        "gates": [],
        "not_before": None,
    }


def _name_of(part: ServiceDocument | DomainDocument) -> str:
    return part.domain if isinstance(part, DomainDocument) else f"{part.organization}/{part.service}"


def plan_id(digest: str, created_at: datetime, expires_at: datetime) -> str:
    """A digest bound to its moment and its expiry: what an apply uses up."""
    return digest_of({"digest": digest, "created_at": created_at.isoformat(), "expires_at": expires_at.isoformat()})


def digest_of(data: object) -> str:
    """The digest of JSON data, as `sha256:`, whatever the order of its keys."""
    return f"sha256:{hashlib.sha256(_CANONICAL.encode(data).encode('ascii')).hexdigest()}"
