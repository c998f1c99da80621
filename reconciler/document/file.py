"""A plan as a file: JSON text, and back with everything checked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from reconciler.document.digest import plan_digest, plan_id
from reconciler.document.models import FORMAT_VERSION, PlanDocument, PlanHead
from reconciler.errors import Diagnostic, PlanFileError, Severity

if TYPE_CHECKING:
    from pathlib import Path

_MAX_PLAN_OCTETS = 512 * 1024 * 1024
_AGAIN = "Make a new one with `reconciler plan --out FILE`."


def render_document(document: PlanDocument) -> str:
    """The JSON text of a plan: ASCII, so that whatever stands in it is obeyed by no terminal that shows it."""
    return document.model_dump_json(indent=2, ensure_ascii=True) + "\n"


def load_document(path: Path) -> PlanDocument:
    """Read a saved plan and check that nothing in it was altered.

    Raises:
        PlanFileError: unreadable, truncated, too large, no plan, of another major version, or altered.

    """
    try:
        with path.open("rb") as file:
            octets = file.read(_MAX_PLAN_OCTETS + 1)
    except OSError as exc:
        raise _unusable(path, f"the plan cannot be read: {exc.strerror}", "Give the path of a saved plan.") from exc
    if len(octets) > _MAX_PLAN_OCTETS:
        raise _unusable(path, "the plan is too large", "Plan fewer domains at once.")
    return read_document(octets, path)


def read_document(text: str | bytes, path: Path) -> PlanDocument:
    """The plan that a JSON text is, checked that nothing in it was altered; `path` is what errors name.

    Raises:
        PlanFileError: truncated, no plan, of another major version, or altered.

    """
    try:
        data = read_json(text)
    except (ValueError, RecursionError) as exc:
        raise _unusable(path, f"the plan is no complete JSON document: {exc}", _AGAIN) from exc
    return checked_document(data, path)


def read_json(text: str | bytes) -> Any:  # noqa: ANN401 - as json's
    """JSON data, without the half characters that JSON can write and nothing can show (RFC 8259 section 8.2).

    Raises:
        ValueError: no JSON, or with such a half.
        RecursionError: too deep.

    """
    characters = text if isinstance(text, str) else text.decode("utf-8-sig")
    data = json.loads(characters)
    if "\\ud" in characters.lower():
        json.dumps(data, ensure_ascii=False).encode()  # a half has no octets
    return data


def checked_document(data: object, path: Path) -> PlanDocument:
    """The plan that JSON data are, checked as by `read_document`.

    Raises:
        PlanFileError: no plan, of another major version, or altered.

    """
    version = data.get("format_version") if isinstance(data, dict) else None
    major = FORMAT_VERSION.split(".", maxsplit=1)[0]
    if not isinstance(version, str) or version.split(".", maxsplit=1)[0] != major:
        raise _unusable(path, f"the plan's format_version is {version!r}; this program reads {major}.x", _AGAIN)
    try:
        document = PlanDocument.model_validate(data)
    except ValidationError as exc:
        first = exc.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _unusable(path, f"the plan is not as it was written: {place}: {first['msg']}", _AGAIN) from exc
    head = PlanHead.model_validate(document.model_dump(include=set(PlanHead.model_fields)))
    digest = plan_digest(head, document.parts)
    if document.digest != digest or document.id != plan_id(digest, document.created_at, document.expires_at):
        raise _unusable(path, "the plan was altered after it was made: its digest does not fit", _AGAIN)
    return document


def _unusable(path: Path, summary: str, detail: str) -> PlanFileError:
    return PlanFileError([Diagnostic(Severity.ERROR, "plan-file", summary, detail, str(path))])
