"""What the models of YAML files share: their base, kinds of fields, and pydantic's errors said for people.

Each error becomes one diagnostic at its place in the file. Models set a `title` (the noun of what they model) and, for
each field that is required, a `description`.
"""

from __future__ import annotations

from datetime import date
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import PydanticCustomError

from reconciler.errors import Diagnostic, RefusedValueError, SettingsError, Severity
from reconciler.moments import WRITTEN_DAY, parse_day
from reconciler.strict_yaml import MAX_DIAGNOSTICS
from reconciler.wording import choice_detail, nearest, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails, core_schema

    from reconciler.strict_yaml import Document, Loc

Model = TypeVar("Model", bound=BaseModel)

_MAPPING = "a mapping of keys to values"
_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
}
_BOUNDS = {"greater_than_equal": ("at least", "ge"), "less_than_equal": ("at most", "le")}
_DATE_DETAIL = "Write year, month and day, as in: 2026-11-01."


class YamlModel(BaseModel):
    """A mapping in a YAML file: types as written, no unknown keys, never changed."""

    # built when it is first used: most are used as parts of a larger one alone, and a run needs few of all
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", defer_build=True)


def _iso_date(value: object) -> date:
    if not isinstance(value, str) or not WRITTEN_DAY.fullmatch(value):
        raise RefusedValueError("date", f"{shown(value)} is no date", _DATE_DETAIL)
    try:
        return parse_day(value)
    except ValueError as exc:
        raise RefusedValueError("date", f"{shown(value)} is no day of the calendar", _DATE_DETAIL) from exc


def _given(value: object) -> object:
    if value is None:
        raise PydanticCustomError("no_value", "no value")
    return value


_T = TypeVar("_T")
IsoDate = Annotated[date, BeforeValidator(_iso_date)]
Optional = Annotated[_T | None, BeforeValidator(_given)]  # may be left out, and never be null
Listed = Annotated[tuple[_T, ...], Field(strict=False)]  # YAML has lists; what is frozen has tuples


def model_diagnostics(exc: ValidationError, model: type[BaseModel], document: Document) -> list[Diagnostic]:
    """The first hundred errors of one document, without those that only follow from an error of its YAML."""
    known = {(d.line, d.column) for d in document.diagnostics}
    found = []
    for problem in islice(exc.errors(include_url=False), MAX_DIAGNOSTICS):
        code, summary, detail = _said(problem, model)
        line, column = document.position(problem["loc"], at_key=problem["type"] == "extra_forbidden")
        if (line, column) not in known:
            found.append(Diagnostic(Severity.ERROR, code, summary, detail, document.file, line, column))
    return found


def _said(problem: ErrorDetails, root: type[BaseModel]) -> tuple[str, str, str]:
    """Code, summary and detail."""
    kind, loc, value, context = problem["type"], problem["loc"], problem["input"], problem.get("ctx", {})
    if isinstance(refused := context.get("error"), RefusedValueError):
        return refused.code, refused.summary, refused.detail
    if kind == "extra_forbidden":
        return _unknown_key(loc, root)
    if kind == "missing":
        return _missing_key(loc, root)
    if value is None and (kind in _EXPECTED or kind == "no_value"):
        return _no_value(loc, _EXPECTED.get(kind, "a value"), root)
    if kind in _EXPECTED:
        return _wrong_type(_field_name(loc), _EXPECTED[kind], value)
    return _wrong_value(problem, root)


def _wrong_value(problem: ErrorDetails, root: type[BaseModel]) -> tuple[str, str, str]:
    kind, loc, value = problem["type"], problem["loc"], problem["input"]
    name = _field_name(loc)
    if kind == "literal_error":
        annotation = _model_at(root, loc[:-1]).model_fields[str(loc[-1])].annotation
        return "wrong-value", f"{name} cannot be {shown(value)}", choice_detail(value, _choices(annotation))
    if kind in _BOUNDS:
        words, key = _BOUNDS[kind]
        limit = f"{words} {problem['ctx'][key]}"
        return "wrong-value", f"{name} is {shown(value)}, and must be {limit}", f"Write a number that is {limit}."
    return "wrong-value", f"{name}: {problem['msg']}", "Correct the value."


def _choices(annotation: Any) -> list[str]:  # noqa: ANN401 - any type form
    """The words of a literal, also of one that may be left out."""
    arguments = get_args(annotation)
    return [word for argument in arguments for word in (get_args(argument) or (argument,)) if isinstance(word, str)]


def _unknown_key(loc: Loc, root: type[BaseModel]) -> tuple[str, str, str]:
    key, model = str(loc[-1]), _model_at(root, loc[:-1])
    own = tuple(_fields(model))
    meant = nearest(key, own)
    elsewhere = [_title(m) for m in _models(root) if key in _fields(m)]
    if elsewhere:
        advice = f"It belongs to: {', '.join(elsewhere)}. Move it there, or remove it."
    elif meant:
        advice = f"Did you mean `{meant}`? Write that, or remove the key."
    else:
        advice = f"Remove it, or use one of: {', '.join(own)}."
    return "unknown-key", f"`{key}` is not a known key of: {_title(model)}", advice


def _missing_key(loc: Loc, root: type[BaseModel]) -> tuple[str, str, str]:
    model = _model_at(root, loc[:-1])
    description = _fields(model)[str(loc[-1])].description
    return "missing-key", f"`{loc[-1]}` is missing in: {_title(model)}", f"{description} Add the key `{loc[-1]}`."


def _no_value(loc: Loc, expected: str, root: type[BaseModel]) -> tuple[str, str, str]:
    """A key, or an item of a list, with nothing behind it; what may be left out can be removed."""
    field = _field_at(root, loc)
    said = f"{field.description} " if field is not None and field.description else ""
    also = "" if field is not None and field.is_required() else ", or remove the key where none is needed"
    return "wrong-type", f"{_field_name(loc)} has no value", f"{said}Write {expected}{also}."


def _field_at(root: type[BaseModel], loc: Loc) -> FieldInfo | None:
    """The field of a key; None where it is an item of a list, or a key of the user's own."""
    names = tuple(p for p in loc if isinstance(p, str))
    if not loc or not isinstance(loc[-1], str):
        return None
    model = _model_at(root, names[:-1])
    is_own = len(names) > 1 and model is _model_at(root, names[:-2])
    return None if is_own else _fields(model).get(names[-1])


def _wrong_type(name: str, expected: str, value: object) -> tuple[str, str, str]:
    if expected == "a text" and isinstance(value, bool | int | float):
        advice = f'Put it in quotes: "{shown(value).strip("`")}".'
    elif expected == "true or false" and isinstance(value, str):
        advice = "Write true or false, without quotes; in YAML 1.2 yes, no, on and off are texts."
    elif expected == "a list" and isinstance(value, str):
        advice = f"Write a list: [{shown(value).strip('`')}]."
    else:
        advice = f"Write {expected}."
    # what stands in the place of a whole block may be a secret out of it
    given = "a single value" if expected == _MAPPING and not isinstance(value, list) else shown(value)
    return "wrong-type", f"{name} must be {expected}, and is {given}", advice


def _field_name(loc: Loc) -> str:
    if not loc:
        return "the file"
    names = [p for p in loc if isinstance(p, str)]
    return f"`{names[-1]}`" if isinstance(loc[-1], str) else f"an item of `{names[-1]}`"


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The model's fields by the keys that people write: a word that Python keeps for itself has an alias."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _title(model: type[BaseModel]) -> str:
    return str(model.model_config["title"])


def _model_at(model: type[BaseModel], loc: Loc) -> type[BaseModel]:
    for key in loc:
        if isinstance(key, str) and key in model.model_fields:
            model = next(_models_in(model.model_fields[key].annotation), model)
    return model


def _models(root: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The model and all within it, each once."""
    seen: dict[type[BaseModel], None] = {root: None}
    waiting = [root]
    while waiting:
        for field in waiting.pop().model_fields.values():
            fresh = [m for m in _models_in(field.annotation) if m not in seen]
            seen.update(dict.fromkeys(fresh))
            waiting.extend(fresh)
    return iter(seen)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401 - any type form
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


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


def read_settings_model(
    model_class: type[Model], document: Document, check: Callable[[Model, Document], Iterable[Diagnostic]]
) -> Model:
    """The model of a document that is no manifest, after a further check of what fields cannot say.

    Raises:
        SettingsError: it is no YAML, the model refuses it, or the check finds something; every error, with its place.

    """
    if document.data is None:
        raise SettingsError(document.diagnostics)
    try:
        model = model_class.model_validate(document.data)
    except ValidationError as exc:
        raise SettingsError([*document.diagnostics, *model_diagnostics(exc, model_class, document)]) from exc
    found = [*document.diagnostics, *check(model, document)]
    if found:
        raise SettingsError(found)
    return model
