"""Words in messages: a value as it is shown, and what to write instead of a word that nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

INSTALL_EXTRAS = "in the checkout of this program: .venv/bin/pip install --require-hashes -r requirements-extras.lock"
"""Where and how extras are installed. Never by a name alone: of this program there is none at any index."""

_MAX_SHOWN = 60


def shown(value: object) -> str:
    """A value in a message, shortened."""
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    if isinstance(value, dict | list | tuple):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = str(value)
    if not text:
        return "an empty text"
    return f"`{text[:_MAX_SHOWN]}`..." if len(text) > _MAX_SHOWN else f"`{text}`"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that somebody who wrote `word` most likely meant."""
    if len(word) > _MAX_SHOWN:
        return None  # nothing known is as long, and comparing takes its time
    import difflib  # noqa: PLC0415 - for errors alone

    folded = {k.lower(): k for k in known}
    found = difflib.get_close_matches(word.lower().replace("-", "_"), folded, n=1, cutoff=0.6)
    found = found or difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def choice_detail(word: object, known: Iterable[str]) -> str:
    """What to do about a word that is none of the known ones."""
    words = tuple(known)
    meant = nearest(word, words) if isinstance(word, str) else None
    guess = f"Did you mean `{meant}`? " if meant else ""
    return f"{guess}Write one of: {', '.join(words)}."
