"""Settings that YAML 1.1 and 1.2 surely read alike, seen at a glance: the reader of YAML 1.1 takes 20 ms to import.

What is seen here is a part of YAML in which no line can be taken in two ways: comments, keys, and scalars that are
words, a decimal number, an IPv4 address, a file's ending, or quoted without escapes; in a block, or in flow collections
that end on their line. All else, and each word that one of the two takes for a truth value, is left to `yaml_dialects`.
"""

from __future__ import annotations

import re

_DEPTH = 8  # of flow collections in each other

_IN_WORD = r"[\w./@+-]"
_OVER = rf"(?!{_IN_WORD}|:)"
# what PyYAML takes for true or false, and YAML 1.2 for a text
_FIRST = rf"(?!(?:[yY][eE][sS]|[nN][oO]|[oO][nN]|[oO][fF][fF])(?!{_IN_WORD}))[A-Za-z/]"
_NUMBER = rf"(?:0|[1-9]\d*)(?:\.\d+)?{_OVER}"
_ADDRESS = rf"\d+\.\d+\.\d+\.\d+{_OVER}"
_ENDING = rf"\.(?!inf|Inf|INF|nan|NaN|NAN)[A-Za-z]+{_OVER}"
_QUOTED = r""""[^"\\\n]*"|'[^'\n]*'"""
_SCALAR = rf"{_QUOTED}|{_NUMBER}|{_ADDRESS}|{_ENDING}"
_KEY = rf"{_FIRST}[\w.-]{{0,99}}:"

_ENTRY = rf" *(?:{_KEY} +)?(?:{_FIRST}{_IN_WORD}*|{_SCALAR}) *"
_FLOW = re.compile(rf"[\[{{](?:{_ENTRY}(?:,|(?=[\]}}])))* *[\]}}]", re.ASCII)

_VALUE = rf"(?:{_FIRST}{_IN_WORD}*(?:[: ]{_IN_WORD}+)*|{_SCALAR})"
# nothing that was taken is given back: lines that can be taken in several ways, tried together, have no end
_LINE = rf" *+(?:- )*+(?:{_KEY}(?=[ \n]) *+)?+{_VALUE}?+ *+(?:(?<![^ \n])#[ -~]*+)?+\n"
_LINES = re.compile(rf"(?>{_LINE})*+", re.ASCII)


def are_surely_alike(octets: bytes) -> bool:
    """Whether both read the same in a file, or give up at the same place; False where that takes a closer look."""
    if not octets.isascii():
        return False
    text = f"{octets.decode('ascii')}\n"
    for _ in range(_DEPTH):
        # a collection is as plain as what is in it; two quoted scalars side by side, as one in quotes leaves, are not
        text, count = _FLOW.subn('""', text)
        if not count:
            break
    return _LINES.fullmatch(text) is not None
