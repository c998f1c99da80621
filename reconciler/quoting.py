"""Making values safe inside code that is emitted: a value becomes one literal of the language, or it is refused.

All that comes out is printable ASCII. Other characters are refused and not replaced: Windows PowerShell 5.1 reads a
script without a byte order mark in the ANSI code page, and its tokenizer takes typographic quotes for quotes, so that
hardly a character beyond ASCII is only data (about_Quoting_Rules, about_Character_Encoding).
"""

from __future__ import annotations

import json
import re
import shlex
from xml.sax.saxutils import escape as xml_escape

from reconciler.escape import terminal_text

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
_PRINTABLE = re.compile(r"[ -~]*")
_COMMENT_ENDS = ("#>", "*/", "-->")
_XML_ENTITIES = {'"': "&quot;", "'": "&apos;"}
_MAX_SHOWN = 80  # characters of a refused value in a message
_MAX_NUMBER = 1 << 64  # no format takes a number beyond 64 bits


class RefusedValueError(ValueError):
    """A value that cannot be printed safely; the text says which and why."""


def word(value: object) -> str:
    """A bare word: ASCII letters, digits, `.`, `_` and `-`, the first a letter or a digit, so that it is no option."""
    text = _text(value)
    if not _WORD.fullmatch(text):
        raise _refusal(value, "it is no word: letters, digits, `.`, `_` and `-`, the first a letter or a digit")
    return text


def comment(value: object) -> str:
    """The text of a comment on its line, after a mark such as `# `; it ends no comment of any format.

    A backslash at the end would join the next line to it in some formats.
    """
    text = _printable(value)
    if any(end in text for end in _COMMENT_ENDS) or text.endswith("\\"):
        raise _refusal(value, f"it could end a comment: {' '.join(_COMMENT_ENDS)} or a backslash at its end")
    return text


def powershell_comment(value: object) -> str:
    """As `comment`; `#` is refused as well, because `#Requires` and `# SIG #` are no comments to PowerShell."""
    text = comment(value)
    if "#" in text:
        raise _refusal(value, "a comment in PowerShell must not hold another #")
    return text


def xml_comment(value: object) -> str:
    """As `comment`; without `--` and a `-` at its end (XML 1.0 section 2.5)."""
    text = comment(value)
    if "--" in text or text.endswith("-"):
        raise _refusal(value, "a comment in XML must not hold -- nor end with -")
    return text


def number(value: object) -> str:
    """A whole number, in decimal digits."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= _MAX_NUMBER:
        raise _refusal(value, "it is no whole number of at most 64 bits")
    return str(int(value))


def json_literal(value: object) -> str:
    """A JSON value (RFC 8259) in ASCII, on one line."""
    try:
        text = json.dumps(value, ensure_ascii=True, allow_nan=False).replace("\x7f", "\\u007f")
    except (TypeError, ValueError, RecursionError) as exc:
        raise _refusal(value, f"it is no JSON value: {exc}") from exc
    return text


def xml_text(value: object) -> str:
    """Character data or the value of an attribute between quotes of either kind (XML 1.0 section 2.4)."""
    return xml_escape(_printable(value), _XML_ENTITIES)


def shell_word(value: object) -> str:
    """One word for a POSIX shell (section 2.2.2); an option's value is best written `--name=` before it."""
    return shlex.quote(_printable(value))


def nft_string(value: object) -> str:
    """A string of nft(8), which knows no escapes: quotes and backslashes are refused."""
    text = _printable(value)
    if '"' in text or "\\" in text:
        raise _refusal(value, 'a string of nft cannot hold " or a backslash')
    return f'"{text}"'


def powershell_literal(value: object) -> str:
    """A single-quoted literal of PowerShell, in which nothing is expanded and only `'` is doubled."""
    return "'" + _printable(value).replace("'", "''") + "'"


def sieve_string(value: object) -> str:
    """A quoted string of Sieve (RFC 5228 section 2.4.2), where `"` and the backslash are escaped.

    `${` would be a variable where a script requires them (RFC 5229 section 3), and is refused.
    """
    text = _printable(value)
    if "${" in text:
        raise _refusal(value, "${ could begin a variable in Sieve")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def shown_value(value: object) -> str:
    """A value for a message: short, one line, nothing in it moves a cursor."""
    text = terminal_text(value[: _MAX_SHOWN + 1] if isinstance(value, str) else f"a {type(value).__name__}")
    return f"{text[:_MAX_SHOWN]}..." if len(text) > _MAX_SHOWN else text


def _printable(value: object) -> str:
    text = _text(value)
    if not _PRINTABLE.fullmatch(text):
        raise _refusal(value, "only printable ASCII on one line can be written into code")
    return text


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _refusal(value, "it is no text")
    return str(value)


def _refusal(value: object, reason: str) -> RefusedValueError:
    return RefusedValueError(f"the value {shown_value(value)!r} is refused: {reason}")
