"""The manifest's JSON Schema (draft 2020-12), for editors: hover texts, completion and errors while writing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.manifest.models import OrganizationManifest
from reconciler.manifest.rules import KNOWN_GATES
from reconciler.yaml_models import EditorSchema

if TYPE_CHECKING:
    from reconciler.catalog import Catalog


def manifest_schema(catalog: Catalog | None = None) -> dict[str, Any]:
    """The schema of one manifest; with a catalog, regions are an enumeration of the catalog's."""
    schema = OrganizationManifest.model_json_schema(schema_generator=EditorSchema)
    definitions = schema["$defs"]
    definitions["WaiverManifest"]["properties"]["gate"]["enum"] = sorted(KNOWN_GATES)
    if catalog is not None:
        for holder in (schema, definitions["AttestationManifest"]):
            holder["properties"]["region"]["enum"] = list(catalog.regions)
    return {"$schema": EditorSchema.schema_dialect, **schema, "title": "manifest"}
