"""The documents that people are told of: an apply or a drift, told apart by their `kind`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from reconciler.document.applied import ApplyDocument
from reconciler.drift import DriftDocument
from reconciler.errors import ReconcilerError, error

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.errors import Diagnostic

NewsDocument = ApplyDocument | DriftDocument

_MAX_OCTETS = 512 * 1024 * 1024
_MAJOR = "1"
_MODELS: dict[object, type[NewsDocument]] = {"apply": ApplyDocument, "drift": DriftDocument}
_AGAIN = "Make a new one with `reconciler drift --json-into FILE` or `reconciler apply ... --json-into FILE`."


class DocumentError(ReconcilerError):
    """A document of an apply or a drift cannot be read."""


def load_documents(paths: list[Path]) -> list[NewsDocument]:
    """Read them.

    Raises:
        DocumentError: one or more cannot be read, are neither of the two, or of another major version; all of them.

    """
    found = [_load(path) for path in paths]
    problems = [f for f in found if not isinstance(f, NewsDocument)]
    if problems:
        raise DocumentError(problems)
    return [f for f in found if isinstance(f, NewsDocument)]


def _load(path: Path) -> NewsDocument | Diagnostic:
    try:
        with path.open("rb") as file:
            octets = file.read(_MAX_OCTETS + 1)
    except OSError as exc:
        return _unusable(path, f"the document cannot be read: {exc.strerror}", "Give the path of a document.")
    if len(octets) > _MAX_OCTETS:
        return _unusable(path, "the document is too large", "Look at fewer domains at once.")
    try:
        return _parsed(path, json.loads(octets))
    except (ValueError, RecursionError):
        return _unusable(path, "the document is no complete JSON", _AGAIN)


def _parsed(path: Path, data: Any) -> NewsDocument | Diagnostic:  # noqa: ANN401 - any JSON
    kind = data.get("kind") if isinstance(data, dict) else None
    model = _MODELS.get(kind if isinstance(kind, str) else None)
    if model is None:
        return _unusable(path, "this is neither an apply document nor a drift document", _AGAIN)
    if str(data.get("format_version")).split(".", maxsplit=1)[0] != _MAJOR:
        return _unusable(path, f"the document's format_version is not {_MAJOR}.x, which this program reads", _AGAIN)
    try:
        return model.model_validate(data)
    except ValidationError as exc:
        first = exc.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return _unusable(path, f"the document is not as it was written: {place}: {first['msg']}", _AGAIN)


def _unusable(path: Path, summary: str, detail: str) -> Diagnostic:
    return error("document-file", summary, detail, file=str(path))
