"""XML."""

from __future__ import annotations

from reconciler.escape.terminal import terminal_text

_XML_SPECIAL = str.maketrans({"<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;", "'": "&apos;"})


def xml_text(text: str) -> str:
    """For XML 1.0, in text and in quoted attributes: nothing in it is markup or a character that XML has not."""
    return terminal_text(text).translate(_XML_SPECIAL)
