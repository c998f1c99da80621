"""What the models say of settings that are not plain, every error with its place; and their schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.errors import Diagnostic, Severity
from reconciler.settings.contradictions import contradictions
from reconciler.settings.file import SettingsModel
from reconciler.yaml_models import EditorSchema, read_settings_model

if TYPE_CHECKING:
    from reconciler.strict_yaml import Document


def read_modelled(document: Document) -> SettingsModel:
    """The model of a settings file's document.

    Raises:
        SettingsError: it has errors; every error, with its place.

    """
    return read_settings_model(SettingsModel, document, _contradictions)


def _contradictions(model: SettingsModel, document: Document) -> list[Diagnostic]:
    found = []
    for code, summary, detail, loc in contradictions(model):
        place = document.position(loc, at_key=True)
        found.append(Diagnostic(Severity.ERROR, code, summary, detail, document.file, *place))
    return found


def build_schema() -> dict[str, Any]:
    """The JSON Schema of the settings file, for editors."""
    schema = SettingsModel.model_json_schema(schema_generator=EditorSchema)
    places = (
        (schema["$defs"]["ObserveModel"]["properties"]["zonefiles"], "The directory of the master files."),
        (schema["properties"]["journal"], "An SQLAlchemy URL."),
    )
    for place, description in places:
        place["anyOf"] = [{"type": "string", "description": description}, {"$ref": place.pop("$ref")}]
    return {"$schema": EditorSchema.schema_dialect, **schema}
