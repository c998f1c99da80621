"""The parts of the documentation that are made from the code, and from other pages.

They are committed, so that whoever reads the repository reads all of it, and a test holds them to the code: with
RECONCILER_UPDATE_GOLDEN=1 it writes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.schemas import SCHEMAS
from reference.codes import render_codes
from reference.command_line import render_command_line
from reference.marks import replaced
from reference.pages import render_decisions, render_tasks
from reference.schemas import render_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# what people write; the rest is what the program writes
WRITTEN = ("manifest", "settings")


def _schema(kind: str) -> Callable[[], str]:
    return lambda: render_schema(kind)


PARTS: Mapping[str, Callable[[], str]] = {
    "command-line": render_command_line,
    "codes": render_codes,
    "decisions": render_decisions,
    "tasks": render_tasks,
    **{f"{kind}-{'keys' if kind in WRITTEN else 'document'}": _schema(kind) for kind in SCHEMAS},
}


def fill_in(markdown: str) -> str:
    """A page with each part as the code has it now.

    Raises:
        KeyError: there is no part of that name.

    """
    return replaced(markdown, lambda name: PARTS[name]())
