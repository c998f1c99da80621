"""What the models say of settings that are not plain, every error with its place; and their schema."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from reconciler.errors import Diagnostic, SettingsError, Severity
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
    try:
        return read_settings_model(SettingsModel, document, _contradictions)
    except SettingsError as exc:
        model = _salvaged(document)
        if model is None:
            raise
        also = [d for d in _contradictions(model, document) if d not in exc.diagnostics]
        refused = SettingsError([*exc.diagnostics, *also])
        if model.catalog is not None:
            refused.catalog = Path(document.file).parent / model.catalog
        raise refused from exc


def _salvaged(document: Document) -> SettingsModel | None:
    """The model without the keys that it refuses, and without what depends on them."""
    if not isinstance(document.data, dict):
        return None
    try:
        return SettingsModel.model_validate(document.data)
    except ValidationError as exc:
        refused = {problem["loc"][0] for problem in exc.errors(include_url=False)}
    if "providers" in refused:
        refused.add("default_provider")
    return SettingsModel.model_validate({key: value for key, value in document.data.items() if key not in refused})


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
