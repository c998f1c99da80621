"""CSV that a spreadsheet opens."""

from __future__ import annotations

from reconciler.escape.terminal import terminal_text

# a cell that begins with one of these is a formula; the wide forms are to some spreadsheets (OWASP, CSV injection)
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")


def csv_cell(text: str) -> str:
    """For a cell, before the `csv` module quotes it: no formula, and no character that a reader cannot see."""
    safe = terminal_text(text)
    return f"'{safe}" if safe.lstrip(" \"'").startswith(_FORMULA) else safe
