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

_NULL = "null"
_quoted = json.encoder.encode_basestring_ascii
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def plan_digest(head: PlanHead, parts: Sequence[ServiceDocument | DomainDocument]) -> str:
    """What a plan means, as `sha256:`; two plans of the same world have the same."""
    meaning: dict[str, Any] = {
        "kind": "plan",
        "commit": head.commit,
        "manifests": head.manifests_digest,
        "catalog": head.catalog_digest,
    }
    # a plan of an earlier version says nothing of these
    if head.settings_digest:
        meaning["settings"] = head.settings_digest
    declared = [[_name_of(part), part.declared] for part in parts if part.declared]
    if declared:
        meaning["declared"] = declared
    if head.inverse_of is not None:
        meaning["inverse_of"] = head.inverse_of
        meaning["safe_until"] = head.safe_until.isoformat() if head.safe_until is not None else None
    if head.shard is not None:
        meaning["shard"] = head.shard.model_dump(mode="json")
    hasher = hashlib.sha256()
    # `steps` is the last key in the order of keys; a fleet's steps are never all there as one text
    hasher.update(f'{canonical_text(meaning)[:-1]},"steps":['.encode("ascii"))
    separator = ""
    for step in (step for part in parts for step in part.steps):
        hasher.update(f"{separator}{_meaning(step)}".encode("ascii"))
        separator = ","
    hasher.update(b"]}")
    return f"sha256:{hasher.hexdigest()}"


_WORDS: Mapping[str, Any] = {
    "gates": {"__all__": {"evidence", "advice"}},
    "reason": True,
    "source": True,
    "wanted": True,
}


def _meaning(step: StepDocument) -> str:
    """What a step means as canonical text; of one that waits for nothing it is written directly."""
    if step.gates or step.not_before is not None:
        return canonical_text(step.model_dump(mode="json", exclude=dict(_WORDS)))
    resource = step.resource
    return (
        f'{{"action":{_quoted(step.action)},"after":{_list(step.after)},"before":{_list(step.before)},"gates":[],'
        f'"id":{_quoted(step.id)},"not_before":null,"phase":{_quoted(step.phase)},"provider":{_quoted(step.provider)},'
        f'"resource":{{"kind":{_quoted(resource.kind)},"name":{_quoted(resource.name)},"type":{_quoted(resource.type)},'
        f'"zone":{_NULL if resource.zone is None else _quoted(resource.zone)}}},"status":{_quoted(step.status)},'
        f'"ttl":{_number(step.ttl)},"ttl_before":{_number(step.ttl_before)},"untouched":{_list(step.untouched)}}}'
    )


def _list(values: Sequence[str]) -> str:
    return f"[{','.join(map(_quoted, values))}]" if values else "[]"


def _number(value: int | None) -> str:
    return _NULL if value is None else str(value)


def _name_of(part: ServiceDocument | DomainDocument) -> str:
    return part.domain if isinstance(part, DomainDocument) else f"{part.organization}/{part.service}"


def plan_id(digest: str, created_at: datetime, expires_at: datetime) -> str:
    """A digest bound to its moment and its expiry: what an apply uses up."""
    return digest_of({"digest": digest, "created_at": created_at.isoformat(), "expires_at": expires_at.isoformat()})


def digest_of(data: object) -> str:
    """The digest of JSON data, as `sha256:`, whatever the order of its keys."""
    return digest_of_text(canonical_text(data))


def canonical_text(data: object) -> str:
    """JSON data as the one text that a digest is over: ASCII, keys sorted, no spaces."""
    return _CANONICAL.encode(data)


def digest_of_text(text: str) -> str:
    """The digest of a canonical text, as `sha256:`."""
    return f"sha256:{hashlib.sha256(text.encode('ascii')).hexdigest()}"
