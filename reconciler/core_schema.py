"""What plain scalars stand for: the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/, section 10.3.2)."""

from __future__ import annotations

import re
from functools import lru_cache

CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]++|0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]++(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", re.ASCII
)
FIRST_OF_NUMBER = frozenset("+-.0123456789")
"""A plain scalar that begins with anything else and is none of the constants is a string."""
LAST_OF_NUMBER = frozenset(".0123456789ABCDEFNabcdefn")
"""So is one that ends with anything else."""
MAX_NUMBER_LENGTH = 40


def is_number(text: str) -> bool:
    """Whether it is an integer or a float, of whatever length."""
    return _INTEGER.fullmatch(text) is not None or _FLOAT.fullmatch(text) is not None


@lru_cache(maxsize=1024)  # days, numbers and keys come again and again
def resolve_plain(text: str) -> bool | int | float | str | None:
    """The value of a plain scalar."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if _FLOAT.fullmatch(text):
        return float(text.replace(".", "", 1) if text[-1] in "fFnN" else text)
    return text
