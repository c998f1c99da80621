"""The keys of manifests, settings and documents, from their JSON Schemas: a table for each kind of mapping."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

from reconciler.schemas import load_schema
from reference.table import code_of, table_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

Schema: TypeAlias = dict[str, Any]
_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
}
_TYPES = {"boolean": "true or false", "string": "text", "null": "nothing", "object": "mapping"}


def render_schema(kind: str) -> str:
    """The root's keys first, then those of what it is made of; words that are one of a few values have no table."""
    schema = load_schema(kind)
    parts = [text_of(schema.get("description", "")), _keys(schema, kind)]
    for definition in schema.get("$defs", {}).values():
        if "properties" in definition:
            says = text_of(definition.get("description", "").partition("\n\n")[0])
            parts += [f"### {_title(definition, kind)}", says, _keys(definition, kind, schema)]
    return "\n\n".join(part for part in parts if part)


def _title(definition: Schema, kind: str) -> str:
    """A heading that is one of its kind on the page: documents are beside each other on one."""
    title = str(definition["title"]).removesuffix("Document")
    return f"{kind}: {title[0].lower()}{title[1:]}"


def _anchor(definition: Schema, kind: str) -> str:
    return _title(definition, kind).lower().replace(": ", "-").replace(" ", "-")


def _keys(definition: Schema, kind: str, root: Schema | None = None) -> str:
    root = definition if root is None else root
    needed = definition.get("required", [])
    rows = []
    for name, key in definition["properties"].items():
        default = "required" if name in needed else _default(key)
        says = text_of(" ".join(str(key.get("description", "")).split()))
        rows.append((code_of(name), _type(key, root, kind), default, says))
    return table_of(("key", "type", "default", ""), rows)


def _default(key: Schema) -> str:
    return code_of(json.dumps(key["default"])) if key.get("default") is not None else ""


def _type(key: Schema, root: Schema, kind: str) -> str:
    return "; ".join([_alternatives(key, root, kind), *_bounds(key)])


def _bounds(key: Schema) -> Iterator[str]:
    for bound, words in _BOUNDS.items():
        if bound in key:
            yield words.format(key[bound])


def _alternatives(key: Schema, root: Schema, kind: str) -> str:
    if "anyOf" in key:
        return " or ".join(dict.fromkeys(_type(choice, root, kind) for choice in key["anyOf"]))
    if "$ref" in key:
        return _referred(root["$defs"][key["$ref"].rpartition("/")[2]], root, kind)
    if "const" in key:
        return code_of(str(key["const"]))
    if "enum" in key:
        return ", ".join(code_of(str(value)) for value in key["enum"])
    types = key.get("type", "any")
    return " or ".join(_plain(one, key, root, kind) for one in ([types] if isinstance(types, str) else types))


def _referred(definition: Schema, root: Schema, kind: str) -> str:
    if "properties" not in definition:
        return _type(definition, root, kind)
    return f"[{definition['title']}](#{_anchor(definition, kind)})"


def _plain(one: str, key: Schema, root: Schema, kind: str) -> str:
    if one == "array":
        return f"list of: {_type(key.get('items', {}), root, kind)}"
    values = key.get("additionalProperties")
    if one == "object" and isinstance(values, dict):
        return f"mapping of names to: {_type(values, root, kind)}"
    return _TYPES.get(one, one)
