"""Frozen dataclasses and named tuples by the ten thousand: made at the price of open ones, and as frozen as any.

The constructor of a frozen dataclass sets each field through `object.__setattr__`
(https://docs.python.org/3/library/dataclasses.html#frozen-instances), which takes four times as long as an assignment.
That of a named tuple is looked up as its class's `__new__`, and called from C, for half of the time that one takes.
"""

from __future__ import annotations

from dataclasses import field, fields, make_dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

_P = ParamSpec("_P")
_T = TypeVar("_T")


def row_of(kind: Callable[_P, _T]) -> Callable[_P, _T]:
    """What makes instances of a named tuple from all of its values, in their order: nothing has its default here."""
    new: Any = tuple.__new__

    def make(*values: object) -> object:
        return new(kind, values)

    return cast("Callable[_P, _T]", make)


def draft_of(kind: Callable[_P, _T]) -> Callable[_P, _T]:
    """What makes instances of a frozen and slotted dataclass without a `__post_init__`, from its own arguments.

    They begin as those of an open class with the same slots, and are handed out as `kind`'s: an object may take another
    class that has the same layout (https://docs.python.org/3/reference/datamodel.html#special-attributes).
    """

    def become(self: Any) -> None:  # noqa: ANN401 - an instance of the class that is made here
        self.__class__ = kind

    frozen = cast("Any", kind)
    own = [(f.name, f.type, field(default=f.default, default_factory=f.default_factory)) for f in fields(frozen)]
    draft = make_dataclass(frozen.__name__, own, slots=True, namespace={"__post_init__": become})
    return cast("Callable[_P, _T]", draft)
