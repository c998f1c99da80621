"""A document of ours, whichever it is: a plan, an apply or a drift."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from reconciler.document import read_document
from reconciler.document.applied import FORMAT_VERSION as APPLY_VERSION
from reconciler.document.applied import ApplyDocument
from reconciler.drift import DriftDocument
from reconciler.drift.models import FORMAT_VERSION as DRIFT_VERSION
from reconciler.errors import Diagnostic, ReconcilerError, Severity

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.document import PlanDocument

MAX_OCTETS = 512 * 1024 * 1024


class DocumentFileError(ReconcilerError):
    """A file is no document that can be shown."""


def load_any(path: Path) -> PlanDocument | ApplyDocument | DriftDocument:
    """Read a document by its `kind`.

    Raises:
        DocumentFileError: unreadable, too large, of another kind or major version, or not as it was written.
        PlanFileError: the same of a plan, which was altered also.

    """
    octets = _octets(path)
    data = _json(octets, path)
    kind = data.get("kind")
    try:
        if kind == "plan":
            return read_document(octets, path)
        if kind == "apply":
            return ApplyDocument.model_validate(_of_version(data, APPLY_VERSION, path))
        if kind == "drift":
            return DriftDocument.model_validate(_of_version(data, DRIFT_VERSION, path))
    except ValidationError as exc:
        first = exc.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _unusable(path, f"it is not as it was written: {place}: {first['msg']}") from exc
    raise _unusable(path, "it is no plan, no apply and no drift document")


def _of_version(data: dict[str, Any], known: str, path: Path) -> dict[str, Any]:
    version, major = data.get("format_version"), known.split(".", maxsplit=1)[0]
    if not isinstance(version, str) or version.split(".", maxsplit=1)[0] != major:
        raise _unusable(path, f"its format_version is {version!r}; this program reads {major}.x")
    return data


def _octets(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            octets = file.read(MAX_OCTETS + 1)
    except OSError as exc:
        raise _unusable(path, f"it cannot be read: {exc.strerror}") from exc
    if len(octets) > MAX_OCTETS:
        raise _unusable(path, "it is too large")
    return octets


def _json(octets: bytes, path: Path) -> dict[str, Any]:
    try:
        data = json.loads(octets)
    except (ValueError, RecursionError) as exc:
        raise _unusable(path, "it is no complete JSON document") from exc
    return data if isinstance(data, dict) else {}


def _unusable(path: Path, summary: str) -> DocumentFileError:
    detail = "Give the file that `plan --out`, or `apply` or `drift` with `--json-into`, wrote."
    return DocumentFileError([Diagnostic(Severity.ERROR, "document-file", summary, detail, str(path))])
