"""Markdown, as GitHub shows it."""

from __future__ import annotations

import re

from reconciler.escape.terminal import terminal_text

# on GitHub mentions, references and bare links form behind a backslash too: a zero-width non-joiner ends them
_MARKDOWN_SPECIAL = re.compile(r"www\.|GH-(?=\d)|:(?=//)|[\\`*_{}\[\]()#+.!|<>~&@:$-]", re.IGNORECASE)
_MARKDOWN_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "@": "\\@&zwnj;", "#": "\\#&zwnj;"}


def markdown_text(text: str) -> str:
    """For Markdown on GitHub, in running text: nothing in it is markup, a mention, a reference, a link or HTML."""
    return _MARKDOWN_SPECIAL.sub(_escaped_markdown, terminal_text(text))


def _escaped_markdown(match: re.Match[str]) -> str:
    found = match[0]
    if len(found) > 1:
        return f"{found[:-1]}\\{found[-1]}&zwnj;"
    if found == ":" and match.string.startswith("//", match.end()):
        return "\\:&zwnj;"
    return _MARKDOWN_ENTITIES.get(found, f"\\{found}")


def markdown_code(text: str) -> str:
    """For Markdown, as a code span: the fence is longer than any run of backticks inside (CommonMark 6.1).

    Not for the cells of a table: see `markdown_cell`.
    """
    safe = terminal_text(text)
    longest = max((len(run) for run in re.findall(r"`+", safe)), default=0)
    fence = "`" * (longest + 1)
    # one space at both ends is taken off again, so what begins and ends with one needs another
    is_spaced = safe.startswith(" ") and safe.endswith(" ") and not safe.isspace()
    pad = " " if safe.startswith("`") or safe.endswith("`") or is_spaced or not safe else ""
    return f"{fence}{pad}{safe}{pad}{fence}"


def markdown_cell(text: str) -> str:
    """For a cell of a Markdown table, as a code span: a bar ends a cell even there (GFM 4.10), unless it is escaped."""
    return markdown_code(text).replace("|", "\\|")


def markdown_fence(text: str) -> str:
    """The fence that no line of `text` closes (CommonMark 4.5)."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    return "`" * max(3, longest + 1)
