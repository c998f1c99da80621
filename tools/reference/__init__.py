"""The parts of the reference that are made from the code while the documentation is built; nothing of it is committed.

A page says where with a comment, as in `<!-- made from the code: command-line -->`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.schemas import SCHEMAS
from reference.codes import render_codes
from reference.command_line import render_command_line
from reference.pages import render_decisions, render_tasks
from reference.schemas import render_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MARK = re.compile(r"^<!-- made from the code: ([a-z-]+) -->$", re.MULTILINE)


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
    """A page with each mark replaced by the part that it names.

    Raises:
        KeyError: there is no part of that name.

    """
    return _MARK.sub(lambda mark: PARTS[mark[1]](), markdown)
