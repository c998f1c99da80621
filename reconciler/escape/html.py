"""HTML. Markup itself is escaped by the templates' own escaping; here is what that leaves."""

from __future__ import annotations

from reconciler.escape.terminal import terminal_text

# in a script element nothing is unescaped, and `<!--` and `</script` end or change it (HTML 13.2.6.4)
_SCRIPT_SPECIAL = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


def html_text(text: str) -> str:
    """For a template that escapes markup: what a reader cannot see becomes its code point."""
    return terminal_text(text)


def html_data(data: object) -> str:
    """JSON for a `script` element of type `application/json`: texts as `html_text`; nothing ends the element."""
    import json  # noqa: PLC0415 - for pages alone, and every verb imports this package

    return json.dumps(_visible(data), ensure_ascii=False, separators=(",", ":")).translate(_SCRIPT_SPECIAL)


def _visible(data: object) -> object:
    if isinstance(data, str):
        return html_text(data)
    if isinstance(data, dict):
        return {html_text(str(key)): _visible(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_visible(item) for item in data]
    return data
