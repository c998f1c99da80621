"""Digests of a plan: over what it means, and over that with its moment."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from reconciler.document.models import PlanHead, StepDocument


def plan_digest(head: PlanHead, steps: Iterable[StepDocument]) -> str:
    """What a plan means, as `sha256:`; two plans of the same world have the same."""
    meaning: dict[str, Any] = {
        "kind": "plan",
        "commit": head.commit,
        "manifests": head.manifests_digest,
        "catalog": head.catalog_digest,
        "steps": [
            step.model_dump(
                mode="json", exclude={"gates": {"__all__": {"evidence", "advice"}}, "reason": True, "source": True}
            )
            for step in steps
        ],
    }
    if head.inverse_of is not None:
        meaning["inverse_of"] = head.inverse_of
        meaning["safe_until"] = head.safe_until.isoformat() if head.safe_until is not None else None
    return digest_of(meaning)


def plan_id(digest: str, created_at: datetime, expires_at: datetime) -> str:
    """A digest bound to its moment and its expiry: what an apply uses up."""
    return digest_of({"digest": digest, "created_at": created_at.isoformat(), "expires_at": expires_at.isoformat()})


def digest_of(data: object) -> str:
    """The digest of JSON data, as `sha256:`, whatever the order of its keys."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"sha256:{hashlib.sha256(text.encode('ascii')).hexdigest()}"
