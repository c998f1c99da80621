"""Plain data taken by tables: what each key of a mapping may hold, where models would take longer to import than a run.

A table takes what is surely good, and makes of it what has the attributes of the table's model, defaults included. It
has no errors of its own: whatever it does not take is for the models, which have the last word. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Take: TypeAlias = "Callable[[Any], Any]"


class NotPlainError(Exception):
    """This is for the models."""


def text(value: object) -> str:
    """Any text."""
    if type(value) is str:
        return value
    raise NotPlainError


def flag(value: object) -> bool:
    """True or false."""
    if type(value) is bool:
        return value
    raise NotPlainError


def of_form(is_good: Callable[[str], bool]) -> Take:
    """A text of some form."""

    def take(value: object) -> object:
        if type(value) is str and is_good(value):
            return value
        raise NotPlainError

    return take


def one_of(words: object) -> Take:
    """One of the words of a literal type."""
    return of_form(frozenset(get_args(words)).__contains__)


def whole(least: int, most: int) -> Take:
    """A whole number, bounds included."""

    def take(value: object) -> object:
        if type(value) is int and least <= value <= most:
            return value
        raise NotPlainError

    return take


def number(least: float, most: float) -> Take:
    """A number, whole or not, bounds included."""

    def take(value: Any) -> object:  # noqa: ANN401 - any data
        if type(value) in {int, float} and least <= value <= most:
            return float(value)
        raise NotPlainError

    return take


def list_of(take: Take) -> Take:
    """A list, as a tuple."""

    def take_all(value: object) -> tuple[object, ...]:
        if type(value) is list:
            return tuple([take(item) for item in value])
        raise NotPlainError

    return take_all


class Table:
    """A mapping: what takes the value of each key, and what is there without it (None, unless it is given here)."""

    def __init__(self, required: Mapping[str, Take], optional: Mapping[str, Take], **defaults: object) -> None:
        """Of keys that there must be, and of keys that there may be."""
        self.required = required.keys()
        self.defaults = {**dict.fromkeys(optional), **defaults}
        self.takes = {**required, **optional}
        self._kind = type("Plain", (), self.defaults)

    def __call__(self, node: object) -> Any:  # noqa: ANN401 - what has the attributes of the model
        """What stands in for the model; what is left out is an attribute of its class.

        Raises:
            NotPlainError: it is not surely good.

        """
        if type(node) is not dict or not node.keys() >= self.required:
            raise NotPlainError
        made = self._kind()
        values, takes = made.__dict__, self.takes
        for key, value in node.items():
            take = takes.get(key)
            if take is None:
                raise NotPlainError
            values[key] = take(value)
        return made
