"""The manifest's JSON Schema (draft 2020-12), for editors: hover texts, completion and errors while writing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema

from reconciler.manifest.models import OrganizationManifest
from reconciler.manifest.rules import KNOWN_GATES

if TYPE_CHECKING:
    from pydantic_core import core_schema

    from reconciler.catalog import Catalog


class EditorSchema(GenerateJsonSchema):
    """Without null and null defaults: what may be left out is left out, never written as null."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> dict[str, Any]:
        """The schema of what is written when it is not left out."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> dict[str, Any]:
        """A default is shown only when a person could write it."""
        if schema.get("default") is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def manifest_schema(catalog: Catalog | None = None) -> dict[str, Any]:
    """The schema of one manifest; with a catalog, regions are an enumeration of the catalog's."""
    schema = OrganizationManifest.model_json_schema(schema_generator=EditorSchema)
    definitions = schema["$defs"]
    definitions["WaiverManifest"]["properties"]["gate"]["enum"] = sorted(KNOWN_GATES)
    if catalog is not None:
        for holder in (schema, definitions["AttestationManifest"]):
            holder["properties"]["region"]["enum"] = list(catalog.regions)
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema, "title": "manifest"}
