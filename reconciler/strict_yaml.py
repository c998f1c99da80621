"""Strict YAML 1.2 (https://yaml.org/spec/1.2.2/): plain data from the events of libyaml's parser, or diagnostics.

What can be taken in one way only, nearly every manifest, is read without that parser (`plain_yaml.py`).

The core schema and no more: `no`, `on` and `yes` are strings, `012` is twelve, `0o14` is too, dates stay strings. Keys
are strings. Whatever makes a file mean something else than it seems to is refused: duplicate keys, anchors, aliases,
tags, several documents, another YAML version, invisible characters, deep nesting, great size.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from reconciler.plain_yaml import Loc, Node, Position, read_plain_yaml
from reconciler.yaml_reports import MAX_DIAGNOSTICS, Reports, StopError

if TYPE_CHECKING:
    from reconciler.errors import Diagnostic
    from reconciler.yaml_places import Places

__all__ = ["MAX_DIAGNOSTICS", "MAX_OCTETS", "Document", "Loc", "Node", "Position", "load_yaml"]

MAX_OCTETS = 1024 * 1024

# what section 5.1 forbids; U+0085, U+2028 and U+2029, line breaks to libyaml and none in YAML 1.2; a carriage return
# alone, which is one, and none to git; and the controls that show a reviewer another order of characters than the one
# that is read (Unicode UAX 9)
_FORBIDDEN = (
    "\r(?!\n)|[^\t\n\r\x20-\x7e\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_HARMLESS_OCTETS = bytes((9, 10, *range(0x20, 0x7F)))


@dataclass(slots=True)
class Document:
    """One file's document; `data` is None where nothing could be read, and with diagnostics only good to find more."""

    file: str
    data: Node
    diagnostics: tuple[Diagnostic, ...]
    _text: str = field(repr=False)
    _starts: dict[int, Position] = field(repr=False)  # where each mapping begins, by its id
    _index: Places | None = field(default=None, repr=False)

    def node(self, loc: Loc) -> Any:  # noqa: ANN401 - as far as is known here
        """The value at `loc`; None where there is none, too."""
        node: Any = self.data
        try:
            for key in loc:
                node = node[key]
        except (LookupError, TypeError):
            return None
        return node

    def line(self, loc: Loc, node: Node = None) -> int:
        """The line, from 1, on which the value at `loc` begins; quicker for who has that value, `node`, in hand."""
        start = self._starts.get(id(node)) if type(node) is dict else None
        return (start or self.position(loc))[0]

    def position(self, loc: Loc, *, at_key: bool = False) -> Position:
        """Line and column, from 1, of the value at `loc` (of its key, with `at_key`), as in `("services", 0, "name")`.

        Where there is nothing at `loc`, it is the place of the nearest thing around it. A mapping's place is known;
        the first call for anything else reads the file once more, so that files without errors pay nothing.
        """
        if self._index is None:
            if not at_key and (start := self._start(self.node(loc))) is not None:
                return start
            from reconciler.yaml_places import find_places  # noqa: PLC0415 - as in `load_yaml`

            self._index = find_places(self._text)
        if loc in self._index:
            return self._index[loc][0 if at_key else 1]
        parents = (loc[:end] for end in range(len(loc) - 1, -1, -1))
        return next((self._index[p][0] for p in parents if p in self._index), (1, 1))

    def _start(self, node: Node) -> Position | None:
        return self._starts.get(id(node)) if type(node) is dict else None


def load_yaml(text: bytes, file: str, *, by_events: bool = False) -> Document:
    """Read one file's octets; `file` is its name in the diagnostics, where whatever is wrong is found.

    With `by_events` the parser reads every text, also one that can be read in a shorter way to the same result.
    """
    reports = Reports(file)
    try:
        decoded = _decoded(text, reports)
        if not by_events and (plain := read_plain_yaml(decoded)) is not None:
            return Document(file, plain[0], tuple(reports.diagnostics), decoded, plain[1])
        from reconciler.yaml_events import read_events  # noqa: PLC0415 - few files need ruamel.yaml

        data, starts = read_events(decoded, reports)
    except StopError:
        return Document(file, None, tuple(reports.diagnostics), "", {})
    return Document(file, data, tuple(reports.diagnostics), decoded, starts)


def _decoded(octets: bytes, reports: Reports) -> str:
    if len(octets) > MAX_OCTETS:
        reports.report("size", f"the file is longer than {MAX_OCTETS} octets", "Split it into several files.", (1, 1))
        raise StopError
    try:
        text = octets.decode()
    except UnicodeDecodeError as exc:
        place = _place(octets[: exc.start].decode())
        reports.report("encoding", "the file is not UTF-8", "Save it in the encoding UTF-8.", place)
        raise StopError from exc
    if text.startswith("\ufeff"):
        detail = "Save the file as UTF-8 without a byte order mark (BOM)."
        reports.report("character", "the file begins with a byte order mark", detail, (1, 1))
        text = text[1:]
    if not octets.translate(None, _HARMLESS_OCTETS):
        return text
    forbidden = [(m[0], m.start()) for m in islice(re.finditer(_FORBIDDEN, text), MAX_DIAGNOSTICS)]
    for character, start in forbidden:
        detail = 'Remove it, or write it as an escape in a double-quoted string ("\\u0085").'
        reports.report("character", f"U+{ord(character):04X} is not allowed here", detail, _place(text[:start]))
    if forbidden:
        raise StopError
    return text


def _place(before: str) -> Position:
    return before.count("\n") + 1, len(before) - before.rfind("\n")
