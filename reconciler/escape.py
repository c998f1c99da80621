"""Making hostile text safe, one function per place that it is shown in."""

from __future__ import annotations

import re
import unicodedata

# categories that move the cursor, hide, or reorder text: controls, formats (bidi), surrogates, line separators
_UNPRINTABLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# on GitHub mentions, references and bare links form behind a backslash too: a zero-width non-joiner ends them
_MARKDOWN_SPECIAL = re.compile(r"www\.|GH-(?=\d)|:(?=//)|[\\`*_{}\[\]()#+.!|<>~&@:$-]", re.IGNORECASE)
_MARKDOWN_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "@": "\\@&zwnj;", "#": "\\#&zwnj;"}
# GitHub's runner takes `::name::` at the beginning of a line, and `##[name]` anywhere in it, for a command
_WORKFLOW_COMMAND = re.compile(r"^(?P<indent>[^\S\n]*):(?=:)|#(?=#\[)", re.MULTILINE)

_XML_SPECIAL = str.maketrans({"<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;", "'": "&apos;"})
_SARIF_SPECIAL = str.maketrans({"{": "{{", "}": "}}", "[": "\\[", "]": "\\]", "\\": "\\\\"})


def terminal_text(text: str) -> str:
    """For a terminal: one line; every control, formatting or unassigned character becomes its code point in braces."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if _is_printable(c) else f"\\u{{{ord(c):x}}}" for c in text)


def _is_printable(character: str) -> bool:
    return unicodedata.category(character) not in _UNPRINTABLE_CATEGORIES


def log_text(text: str) -> str:
    """For lines that may end up in a build's log: none of them is a workflow command. Line ends stay."""
    return _WORKFLOW_COMMAND.sub(lambda m: "\\u{23}" if m["indent"] is None else f"{m['indent']}\\u{{3a}}", text)


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


def xml_text(text: str) -> str:
    """For XML 1.0, in text and in quoted attributes: nothing in it is markup or a character that XML has not."""
    return terminal_text(text).translate(_XML_SPECIAL)


def sarif_text(text: str) -> str:
    """For a plain text message of SARIF 2.1.0: no placeholder (section 3.11.5), and no embedded link (3.11.6)."""
    return terminal_text(text).translate(_SARIF_SPECIAL)
