"""Documents as files, told apart by their `kind`: plans, applies and drifts, each reader naming those that it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from pydantic import ValidationError

from reconciler.document import PlanDocument, checked_document, read_json
from reconciler.document.applied import FORMAT_VERSION as APPLY_VERSION
from reconciler.document.applied import ApplyDocument
from reconciler.document.models import FORMAT_VERSION as PLAN_VERSION
from reconciler.document.models import DocumentModel
from reconciler.drift import DriftDocument
from reconciler.drift.models import FORMAT_VERSION as DRIFT_VERSION
from reconciler.errors import Diagnostic, PlanFileError, ReconcilerError, error

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

NewsDocument = ApplyDocument | DriftDocument
"""What people are told of."""
AnyDocument = PlanDocument | NewsDocument

NEWS: Final[tuple[type[NewsDocument], ...]] = (ApplyDocument, DriftDocument)
EVERY: Final[tuple[type[AnyDocument], ...]] = (PlanDocument, ApplyDocument, DriftDocument)

_MAX_OCTETS = 512 * 1024 * 1024
_Wanted = TypeVar("_Wanted", bound=DocumentModel)


class _Kind(NamedTuple):
    name: str
    format_version: str
    written_by: str


_KINDS: Final[dict[type[DocumentModel], _Kind]] = {
    PlanDocument: _Kind("plan", PLAN_VERSION, "`plan --out FILE`"),
    ApplyDocument: _Kind("apply", APPLY_VERSION, "`apply ... --json-into FILE`"),
    DriftDocument: _Kind("drift", DRIFT_VERSION, "`drift --json-into FILE`"),
}


class DocumentFileError(ReconcilerError):
    """Files are no documents of the wanted kinds."""


def load_documents(paths: Iterable[Path], wanted: tuple[type[_Wanted], ...]) -> list[_Wanted]:
    """Read documents of the `wanted` kinds, in the order of their files.

    Raises:
        DocumentFileError: unreadable, too large, of another kind or major version, not as it was written, or an altered
            plan; all files that are.

    """
    found: list[DocumentModel] = []
    problems: list[Diagnostic] = []
    for path in paths:
        try:
            found.append(_load(path, wanted))
        except (DocumentFileError, PlanFileError) as exc:
            problems.extend(exc.diagnostics)
    if problems:
        raise DocumentFileError(problems)
    return [document for document in found if isinstance(document, wanted)]


def _load(path: Path, wanted: Sequence[type[DocumentModel]]) -> DocumentModel:
    kinds = [_KINDS[model] for model in wanted]
    again = f"Give a file that {_either([k.written_by for k in kinds], 'or')} wrote."
    octets = _octets(path, again)
    data = _json(octets, path, again)
    model = next((m for m in wanted if _KINDS[m].name == data.get("kind")), None)
    if model is None:
        names = _either([f"no {k.name}" for k in kinds], "and")
        raise _unusable(path, f"it is {names} document", again)
    if model is PlanDocument:
        return checked_document(data, path)
    version, major = data.get("format_version"), _KINDS[model].format_version.split(".", maxsplit=1)[0]
    if not isinstance(version, str) or version.split(".", maxsplit=1)[0] != major:
        raise _unusable(path, f"its format_version is {version!r}; this program reads {major}.x", again)
    try:
        return model.model_validate(data)
    except ValidationError as exc:
        first = exc.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _unusable(path, f"it is not as it was written: {place}: {first['msg']}", again) from exc


def _octets(path: Path, again: str) -> bytes:
    try:
        with path.open("rb") as file:
            octets = file.read(_MAX_OCTETS + 1)
    except OSError as exc:
        raise _unusable(path, f"it cannot be read: {exc.strerror}", again) from exc
    if len(octets) > _MAX_OCTETS:
        raise _unusable(path, "it is too large", again)
    return octets


def _json(octets: bytes, path: Path, again: str) -> dict[str, Any]:
    try:
        data = read_json(octets)
    except (ValueError, RecursionError) as exc:
        raise _unusable(path, "it is no complete JSON document", again) from exc
    return data if isinstance(data, dict) else {}


def _either(words: Sequence[str], last: str) -> str:
    *before, final = words
    return f"{', '.join(before)} {last} {final}" if before else final


def _unusable(path: Path, summary: str, detail: str) -> DocumentFileError:
    return DocumentFileError([error("document-file", summary, detail, file=str(path))])
