"""How rules are named where a language has no names: by the comment before them. Pure.

`# rule:[Name]` is what Roundcube and others write in Sieve; it serves every language with `#` comments here. A rule
that is commented out below such a line is there and disabled.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MARKER = re.compile(r"rule:\[(.+)\]")


def rule_name(comment: str) -> str:
    """The name that a comment gives to the rule after it: what is in `rule:[...]`, else the comment itself."""
    text = comment.strip().lstrip("#").strip()
    marker = _MARKER.fullmatch(text)
    return marker[1] if marker else text


def has_marker(line: str) -> bool:
    """Whether a line is a `# rule:[Name]`."""
    text = line.strip()
    return text.startswith("#") and _MARKER.fullmatch(text.lstrip("#").strip()) is not None


def commented_rules(content: str) -> Iterator[str]:
    """The rules that are commented out below a `# rule:[Name]`, as text without the `#`, their name's line first."""
    block: list[str] = []
    for line in (*content.split("\n"), ""):
        if block and line.lstrip().startswith("#") and not has_marker(line):
            block.append(line.lstrip()[1:])
            continue
        if len(block) > 1:
            yield "\n".join(block) + "\n"
        block = [line] if has_marker(line) else []
