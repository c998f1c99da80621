"""Making hostile text safe, one function per place that it is shown in."""

from __future__ import annotations

import re
import unicodedata

# categories that move the cursor, hide, or reorder text: controls, formats (bidi), surrogates, line separators
_UNPRINTABLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKDOWN_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+.!|<>~&@:-])")


def terminal_text(text: str) -> str:
    """For a terminal: one line; every control, formatting or unassigned character becomes its code point in braces."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if _is_printable(c) else f"\\u{{{ord(c):x}}}" for c in text)


def _is_printable(character: str) -> bool:
    return unicodedata.category(character) not in _UNPRINTABLE_CATEGORIES


def markdown_text(text: str) -> str:
    """For Markdown on GitHub, in running text: nothing in it is markup, a mention, a link or HTML."""
    escaped = _MARKDOWN_SPECIAL.sub(r"\\\1", terminal_text(text))
    # a mention or a link forms even behind a backslash on GitHub: a zero-width non-joiner ends it
    return escaped.replace("\\@", "\\@&zwnj;").replace("\\<", "&lt;").replace("\\>", "&gt;").replace("\\&", "&amp;")


def markdown_code(text: str) -> str:
    """For Markdown, as a code span: the fence is longer than any run of backticks inside (CommonMark 6.1)."""
    safe = terminal_text(text).replace("|", "\\|")
    longest = max((len(run) for run in re.findall(r"`+", safe)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if safe.startswith("`") or safe.endswith("`") or not safe else ""
    return f"{fence}{pad}{safe}{pad}{fence}"


def markdown_fence(text: str) -> str:
    """The fence that no line of `text` closes (CommonMark 4.5)."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    return "`" * max(3, longest + 1)
