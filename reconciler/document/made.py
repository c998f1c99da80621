"""Parts of documents that the program makes itself, by the ten thousand."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from reconciler.document.models import DocumentModel

_Model = TypeVar("_Model", bound="DocumentModel")


def made(kind: type[_Model], values: dict[str, object]) -> _Model:
    """A part of a document, of all of its fields in their order.

    They are the core's own, and right by their types: what is read from a file is validated, and what is made here
    would be for nothing, twenty thousand times a fleet. Every part has the same set of fields that are set.
    """
    part = kind.__new__(kind)
    object.__setattr__(part, "__dict__", values)
    object.__setattr__(part, "__pydantic_fields_set__", _fields_of(kind))
    object.__setattr__(part, "__pydantic_extra__", None)
    object.__setattr__(part, "__pydantic_private__", None)
    return part


@cache
def _fields_of(kind: type[DocumentModel]) -> set[str]:
    return set(kind.model_fields)
