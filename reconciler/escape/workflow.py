"""A build's log, and the workflow commands of GitHub's runner in it."""

from __future__ import annotations

import re

from reconciler.escape.terminal import terminal_text

# GitHub's runner takes `::name::` at the beginning of a line, and `##[name]` anywhere in it, for a command
_WORKFLOW_COMMAND = re.compile(r"^(?P<indent>[^\S\n]*):(?=:)|#(?=#\[)", re.MULTILINE)
# as the runner's own toolkit does; line ends are no part of a text any more
_DATA = str.maketrans({"%": "%25"})
_PROPERTY = str.maketrans({"%": "%25", ":": "%3A", ",": "%2C"})


def log_text(text: str) -> str:
    """For lines that may end up in a build's log: none of them is a workflow command. Line ends stay."""
    return _WORKFLOW_COMMAND.sub(lambda m: "\\u{23}" if m["indent"] is None else f"{m['indent']}\\u{{3a}}", text)


def workflow_data(text: str) -> str:
    """For the message of a workflow command, after the second `::`; lines of a longer message are joined by `%0A`."""
    return terminal_text(text).translate(_DATA)


def workflow_property(text: str) -> str:
    """For the value of a workflow command's property, as `file=`."""
    return terminal_text(text).translate(_PROPERTY)
