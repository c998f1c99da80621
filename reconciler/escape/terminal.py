"""A terminal."""

from __future__ import annotations

import unicodedata

# categories that move the cursor, hide, or reorder text: controls, formats (bidi), surrogates, line separators
_UNPRINTABLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def terminal_text(text: str) -> str:
    """For a terminal: one line; every control, formatting or unassigned character becomes its code point in braces."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if _is_printable(c) else f"\\u{{{ord(c):x}}}" for c in text)


def _is_printable(character: str) -> bool:
    return unicodedata.category(character) not in _UNPRINTABLE_CATEGORIES
