"""Messages of SARIF."""

from __future__ import annotations

from reconciler.escape.terminal import terminal_text

_SARIF_SPECIAL = str.maketrans({"{": "{{", "}": "}}", "[": "\\[", "]": "\\]", "\\": "\\\\"})


def sarif_text(text: str) -> str:
    """For a plain text message of SARIF 2.1.0: no placeholder (section 3.11.5), and no embedded link (3.11.6)."""
    return terminal_text(text).translate(_SARIF_SPECIAL)
