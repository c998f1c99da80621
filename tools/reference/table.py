"""Tables and texts in Markdown, for texts out of our own code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# what would be markup in running text; a code span stays one
_SPECIAL = re.compile(r"(`[^`]*`)|([\\*_\[\]<>|])")
_ENTITIES = {"<": "&lt;", ">": "&gt;"}


def text_of(words: str) -> str:
    """Words of a message or a description, in running text or in a cell; what stands in backticks is code."""
    return _SPECIAL.sub(lambda m: code_of(m[1][1:-1]) if m[1] else _ENTITIES.get(m[2], f"\\{m[2]}"), words)


def code_of(words: str) -> str:
    """A code span, in running text or in a cell."""
    return f"`{words}`".replace("|", "\\|")


def table_of(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
