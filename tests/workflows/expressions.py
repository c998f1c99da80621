"""The part of the expression language of GitHub Actions that our workflows use; anything else is refused.

Source: https://docs.github.com/actions/reference/workflows-and-actions/expressions
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Value: TypeAlias = Any  # None, bool, float, str, or what a context holds

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w-]*)|(?P<sign>==|!=|&&|\|\||[!().,]))"
)
_INSIDE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_STATUS = re.compile(r"\b(always|success|failure|cancelled)\s*\(")
_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None}


class ExpressionError(Exception):
    """What stands there is no expression, or uses more of the language than this runner knows."""


@dataclass(frozen=True)
class Scope:
    """What an expression can see: contexts by name, and how things stand."""

    contexts: Mapping[str, Value]
    is_failed: bool = False
    is_cancelled: bool = False

    def status(self, function: str) -> bool:
        """What the status functions say."""
        return {
            "always": True,
            "success": not (self.is_failed or self.is_cancelled),
            "failure": self.is_failed,
            "cancelled": self.is_cancelled,
        }[function]


def is_met(condition: object, scope: Scope) -> bool:
    """An `if:`; without a status function in it, `success()` is meant as well."""
    if condition is None:
        return scope.status("success")
    text = as_text(condition)
    inside = _INSIDE.fullmatch(text.strip())
    expression = inside[1] if inside else text
    value = is_true(evaluate(expression, scope))
    return value if _STATUS.search(expression) else value and scope.status("success")


def filled(template: object, scope: Scope) -> str:
    """A text with each `${{ }}` in it replaced by its value."""
    return _INSIDE.sub(lambda m: as_text(evaluate(m[1], scope)), as_text(template))


def evaluate(expression: str, scope: Scope) -> Value:
    """The value of an expression, without `${{ }}` around it."""
    parser = _Parser(_tokens(expression), scope)
    value = parser.disjunction()
    parser.expect_end()
    return value


def is_true(value: Value) -> bool:
    """Null, false, 0, NaN and the empty text are not."""
    return not (value is None or value in {"", 0} or (isinstance(value, float) and math.isnan(value)))


def as_text(value: Value) -> str:
    """As the runner writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dict | list):
        message = f"a context is no text: {value!r}"
        raise ExpressionError(message)
    return str(value)


def _tokens(expression: str) -> list[str]:
    found, at, text = [], 0, expression.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            message = f"not known here: {text[at:]!r}"
            raise ExpressionError(message)
        found.append(match[0].strip())
        at = match.end()
    return found


class _Parser:
    """By recursive descent; everything is evaluated, because nothing here has an effect."""

    def __init__(self, tokens: list[str], scope: Scope) -> None:
        self.tokens, self.scope, self.at = tokens, scope, 0

    def disjunction(self) -> Value:
        value = self._conjunction()
        while self._taken("||"):
            other = self._conjunction()
            value = value if is_true(value) else other
        return value

    def expect_end(self) -> None:
        if self.at < len(self.tokens):
            message = f"too much: {' '.join(self.tokens[self.at :])}"
            raise ExpressionError(message)

    def _conjunction(self) -> Value:
        value = self._comparison()
        while self._taken("&&"):
            other = self._comparison()
            value = other if is_true(value) else value
        return value

    def _comparison(self) -> Value:
        value = self._negation()
        if self._taken("=="):
            return _is_equal(value, self._negation())
        if self._taken("!="):
            return not _is_equal(value, self._negation())
        return value

    def _negation(self) -> Value:
        return not is_true(self._negation()) if self._taken("!") else self._value()

    def _value(self) -> Value:
        token = self._next()
        if token == "(":  # noqa: S105 - a parenthesis
            value = self.disjunction()
            self._expect(")")
            return value
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if re.match(r"-?\d", token):
            return float(token)
        if token in _WORDS:
            return _WORDS[token]
        if self._taken("("):
            return self._called(token)
        return self._looked_up(token)

    def _called(self, function: str) -> Value:
        arguments: list[Value] = []
        while not self._taken(")"):
            arguments.append(self.disjunction())
            self._taken(",")
        if function in _FUNCTIONS:
            return _FUNCTIONS[function](*arguments)
        if not arguments and _STATUS.match(f"{function}("):
            return self.scope.status(function)
        message = f"not known here: {function}()"
        raise ExpressionError(message)

    def _looked_up(self, context: str) -> Value:
        if context not in self.scope.contexts:
            message = f"there is no context {context!r} here"
            raise ExpressionError(message)
        value = self.scope.contexts[context]
        while self._taken("."):
            name = self._next()
            # as at GitHub: what is not there is null, however deep
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def _taken(self, token: str) -> bool:
        is_there = self.at < len(self.tokens) and self.tokens[self.at] == token
        self.at += is_there
        return is_there

    def _expect(self, token: str) -> None:
        if not self._taken(token):
            message = f"{token!r} is missing"
            raise ExpressionError(message)

    def _next(self) -> str:
        if self.at >= len(self.tokens):
            message = "it ends too early"
            raise ExpressionError(message)
        self.at += 1
        return self.tokens[self.at - 1]


def _is_equal(left: Value, right: Value) -> bool:
    """Texts without regard to case; unlike types as numbers."""
    if isinstance(left, str) and isinstance(right, str):
        return left.casefold() == right.casefold()
    if left is None and right is None:
        return True
    return _number(left) == _number(right)


def _number(value: Value) -> float:
    if value is None or value == "":
        return 0.0
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _format(template: str, *values: Value) -> str:
    return re.sub(r"\{(\d+)\}", lambda m: as_text(values[int(m[1])]), template)


def _from_json(text: str) -> Value:
    """Numbers are floats, as everywhere in the language."""
    try:
        return json.loads(text, parse_int=float)
    except ValueError as exc:
        message = f"fromJSON: {exc}"
        raise ExpressionError(message) from exc


_FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "format": _format,
    "fromJSON": _from_json,
    "startsWith": lambda text, start: as_text(text).casefold().startswith(as_text(start).casefold()),
}
