"""The JSON Schemas that are published, by the names that the command line gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.document import plan_schema
from reconciler.document.applied import apply_schema
from reconciler.drift import drift_schema
from reconciler.manifest.schema import manifest_schema
from reconciler.settings import settings_schema

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "manifest": manifest_schema,
    "settings": settings_schema,
    "plan": plan_schema,
    "apply": apply_schema,
    "drift": drift_schema,
}


def load_schema(what: str) -> dict[str, Any]:
    """The JSON Schema of a manifest, of the settings, or of the plan, apply or drift document."""
    return SCHEMAS[what]()
