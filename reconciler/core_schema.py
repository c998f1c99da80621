"""What plain scalars stand for: the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/, section 10.3.2)."""

from __future__ import annotations

import re
from functools import lru_cache

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", re.ASCII
)
FIRST_OF_TYPED = frozenset(("", *"~nNtTfF+-.0123456789"))  # of an empty text, no character
"""A plain scalar that begins with anything else is a string. An empty one has no first character."""


def is_number(text: str) -> bool:
    """Whether it is an integer or a float, of whatever length."""
    return _INTEGER.fullmatch(text) is not None or _FLOAT.fullmatch(text) is not None


@lru_cache(maxsize=1024)  # days, numbers and keys come again and again
def resolve_plain(text: str) -> bool | int | float | str | None:
    """The value of a plain scalar."""
    if not text or text in _CONSTANTS:
        return _CONSTANTS[text or "~"]
    if _INTEGER.fullmatch(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if _FLOAT.fullmatch(text):
        return float(text.replace(".", "", 1) if text[-1] in "fFnN" else text)
    return text
