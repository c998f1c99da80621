"""Where a page has what is made from the code: `<!-- made from the code: NAME -->`, that, and the mark that ends it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_END = "<!-- /made from the code -->"
_PART = re.compile(rf"^(<!-- made from the code: ([a-z-]+) -->)\n.*?^{re.escape(_END)}$", re.MULTILINE | re.DOTALL)


def replaced(markdown: str, made: Callable[[str], str]) -> str:
    """A page with what `made` gives for the name of each part; everything around them stays."""
    return _PART.sub(lambda part: f"{part[1]}\n\n{made(part[2])}\n\n{_END}", markdown)


def written_by_people(markdown: str) -> str:
    """A page without what is made from the code."""
    return _PART.sub("", markdown)
