"""Strict YAML 1.2 (https://yaml.org/spec/1.2.2/): plain data from the events of libyaml's parser, or diagnostics.

What can be taken in one way only, nearly every manifest, is read without that parser (`plain_yaml.py`).

The core schema and no more: `no`, `on` and `yes` are strings, `012` is twelve, `0o14` is too, dates stay strings. Keys
are strings. Whatever makes a file mean something else than it seems to is refused: duplicate keys, anchors, aliases,
tags, several documents, another YAML version, invisible characters, deep nesting, great size.
"""

from __future__ import annotations

import importlib.machinery
import re
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import _ruamel_yaml
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from reconciler.core_schema import CONSTANTS, FIRST_OF_NUMBER, MAX_NUMBER_LENGTH, is_number, resolve_plain
from reconciler.errors import Diagnostic, Severity
from reconciler.plain_yaml import Node, Position, read_plain_yaml
from reconciler.yaml_places import Loc, Places, find_places, mark_position

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["MAX_DEPTH", "MAX_DIAGNOSTICS", "MAX_OCTETS", "Document", "Loc", "Node", "Position", "load_yaml"]

if not _ruamel_yaml.__file__.endswith(tuple(importlib.machinery.EXTENSION_SUFFIXES)):
    raise ImportError("the C parser of ruamel.yaml.clib is not in use; install ruamel.yaml.clib")

MAX_OCTETS, MAX_DEPTH = 1024 * 1024, 32
MAX_DIAGNOSTICS = 100  # whoever has more errors in a file is helped by the first hundred

# what section 5.1 forbids; U+0085, U+2028 and U+2029, line breaks to libyaml and none in YAML 1.2; and the controls
# that show a reviewer another order of characters than the one that is read (Unicode UAX 9)
_FORBIDDEN = "[^\t\n\r\x20-\x7e\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
_HARMLESS_OCTETS = bytes((9, 10, 13, *range(0x20, 0x7F)))

_SYNTAX_HINTS = {
    "mapping values are not allowed in this context": "Quote a text that holds a colon and a space; indent alike.",
    "found unexpected ':'": "Quote a text that holds a colon.",
    "found character that cannot start any token": "Indent with spaces; quote a text that begins with @, %, `.",
}
_EMPTY_HINT = "Fill it, or remove it. (`{}` is a document without any key.)"
_OTHER_SYNTAX_HINT = "Correct the syntax; most often it is the indentation, a missing colon, bracket or quotation mark."


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
        return (self._start(node) or self.position(loc))[0]

    def lines(self, loc: Loc, nodes: Sequence[Node]) -> list[int]:
        """The line of each of the `nodes` in the list at `loc`, as by `line`."""
        known = [self._start(node) for node in nodes]
        return [start[0] if start else self.position((*loc, i))[0] for i, start in enumerate(known)]

    def position(self, loc: Loc, *, at_key: bool = False) -> Position:
        """Line and column, from 1, of the value at `loc` (of its key, with `at_key`), as in `("services", 0, "name")`.

        Where there is nothing at `loc`, it is the place of the nearest thing around it. A mapping's place is known;
        the first call for anything else reads the file once more, so that files without errors pay nothing.
        """
        if self._index is None:
            if not at_key and (start := self._start(self.node(loc))) is not None:
                return start
            self._index = find_places(self._text)
        if loc in self._index:
            return self._index[loc][0 if at_key else 1]
        parents = (loc[:end] for end in range(len(loc) - 1, -1, -1))
        return next((self._index[p][0] for p in parents if p in self._index), (1, 1))

    def _start(self, node: Node) -> Position | None:
        return self._starts.get(id(node)) if type(node) is dict else None


class _StopError(Exception):
    """Nothing more can be said about this file."""


def load_yaml(text: bytes, file: str, *, by_events: bool = False) -> Document:
    """Read one file's octets; `file` is its name in the diagnostics, where whatever is wrong is found.

    With `by_events` the parser reads every text, also one that can be read in a shorter way to the same result.
    """
    reader = _Reader(file)
    try:
        decoded = reader.decoded(text)
        if not by_events and (plain := read_plain_yaml(decoded)) is not None:
            return Document(file, plain[0], tuple(reader.diagnostics), decoded, plain[1])
        data = reader.document(decoded)
    except _StopError:
        return Document(file, None, tuple(reader.diagnostics), "", {})
    return Document(file, data, tuple(reader.diagnostics), decoded, reader.starts)


class _Reader:
    """Constructs data from events; recursion is bounded by `MAX_DEPTH`."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.diagnostics: list[Diagnostic] = []
        self.starts: dict[int, Position] = {}
        self._next: Callable[[], Any]

    def report(self, code: str, summary: str, detail: str, position: Position) -> None:
        self.diagnostics.append(Diagnostic(Severity.ERROR, f"yaml-{code}", summary, detail, self.file, *position))
        if len(self.diagnostics) >= MAX_DIAGNOSTICS:
            raise _StopError

    def decoded(self, octets: bytes) -> str:
        if len(octets) > MAX_OCTETS:
            self.report("size", f"the file is longer than {MAX_OCTETS} octets", "Split it into several files.", (1, 1))
            raise _StopError
        try:
            text = octets.decode()
        except UnicodeDecodeError as exc:
            place = _place(octets[: exc.start].decode())
            self.report("encoding", "the file is not UTF-8", "Save it in the encoding UTF-8.", place)
            raise _StopError from exc
        if text.startswith("\ufeff"):
            detail = "Save the file as UTF-8 without a byte order mark (BOM)."
            self.report("character", "the file begins with a byte order mark", detail, (1, 1))
            text = text[1:]
        if not octets.translate(None, _HARMLESS_OCTETS):
            return text
        forbidden = [(m[0], m.start()) for m in islice(re.finditer(_FORBIDDEN, text), MAX_DIAGNOSTICS)]
        for character, start in forbidden:
            detail = 'Remove it, or write it as an escape in a double-quoted string ("\\u0085").'
            self.report("character", f"U+{ord(character):04X} is not allowed here", detail, _place(text[:start]))
        if forbidden:
            raise _StopError
        return text

    def document(self, text: str) -> Node:
        self._next = _ruamel_yaml.CParser(text).get_event
        try:
            return self._only_document()
        except YAMLError as exc:
            problem, mark = getattr(exc, "problem", str(exc)), getattr(exc, "problem_mark", None)
            detail = _SYNTAX_HINTS.get(problem, _OTHER_SYNTAX_HINT)
            self.report("syntax", f"this is no YAML: {problem}", detail, mark_position(mark) if mark else (1, 1))
            raise _StopError from exc

    def _only_document(self) -> Node:
        self._next()  # the stream's start
        event = self._next()
        if type(event) is StreamEndEvent:
            self.report("empty", "the file is empty", _EMPTY_HINT, (1, 1))
            raise _StopError
        if event.version not in {None, (1, 2)} or event.tags:
            detail = "Remove the lines that begin with %: every file is read as YAML 1.2."
            self.report("directive", "only the directive %YAML 1.2 is allowed", detail, mark_position(event.start_mark))
        data = self._node(self._next(), 1)
        self._next()  # the document's end
        if data is None and not self.diagnostics:
            self.report("empty", "the file is empty", _EMPTY_HINT, (1, 1))
        following = self._next()
        if type(following) is DocumentStartEvent:
            detail = "Remove the line `---`, and put the second document into a file of its own."
            self.report("documents", "the file has a second document", detail, mark_position(following.start_mark))
        return data

    def _node(self, event: Any, depth: int) -> Node:  # noqa: ANN401 - the parser's events have no common type
        kind = type(event)
        if kind is ScalarEvent:
            return self._scalar(event)
        if kind is AliasEvent:
            detail = "Write the value out: aliases are not allowed."
            self.report("alias", f"`*{event.anchor}` is an alias", detail, mark_position(event.start_mark))
            return None
        if event.ctag is not None or event.anchor is not None:
            self._report_properties(event)
        if depth > MAX_DEPTH:
            summary, detail = f"the file is nested more than {MAX_DEPTH} levels deep", "Remove the needless levels."
            self.report("depth", summary, detail, mark_position(event.start_mark))
            raise _StopError
        return self._mapping(event, depth) if kind is MappingStartEvent else self._sequence(depth)

    def _sequence(self, depth: int) -> list[Node]:
        result: list[Node] = []
        while (kind := type(event := self._next())) is not SequenceEndEvent:
            result.append(self._scalar(event) if kind is ScalarEvent else self._node(event, depth + 1))
        return result

    def _mapping(self, start: MappingStartEvent, depth: int) -> dict[str, Node]:
        result: dict[str, Node] = {}
        next_event = self._next
        self.starts[id(result)] = mark_position(start.start_mark)
        while (kind := type(event := next_event())) is not MappingEndEvent:
            # a plain text is what it is, and nearly all events come by here: the rest is for `_node`
            key = event.value if kind is ScalarEvent else None
            if key is None or key[:1] in FIRST_OF_NUMBER or key in CONSTANTS or event.ctag or event.anchor:
                key = self._node(event, depth + 1)
            following = next_event()
            value = following.value if type(following) is ScalarEvent else None
            if (
                value is None
                or value[:1] in FIRST_OF_NUMBER
                or value in CONSTANTS
                or following.ctag
                or following.anchor
            ):
                value = self._node(following, depth + 1)
            if type(key) is str and key not in result:
                result[key] = value
            else:
                self._report_key(key, event)
        return result

    def _report_key(self, key: Node, event: Any) -> None:  # noqa: ANN401 - see _node
        if type(key) is str:
            summary = f"the key `{key}` stands twice in the same mapping"
            detail = "Keep one of the two, or merge what they hold."
            self.report("duplicate-key", summary, detail, mark_position(event.start_mark))
        elif type(event) is not AliasEvent:  # that is reported as what it is
            summary = (
                f"the key `{event.value}` is not a string" if type(event) is ScalarEvent else "a key is not a string"
            )
            self.report("key", summary, "Put it in quotes, or correct it.", mark_position(event.start_mark))

    def _scalar(self, event: ScalarEvent) -> Node:
        if event.ctag is not None or event.anchor is not None:
            self._report_properties(event)
        text: str = event.value
        if event.style or (text[:1] not in FIRST_OF_NUMBER and text not in CONSTANTS):
            return text
        if len(text) > MAX_NUMBER_LENGTH and is_number(text):
            detail = "Put it in quotes when it is a text, or shorten it."
            self.report("number", "the number is too long", detail, mark_position(event.start_mark))
            return None
        return resolve_plain(text)

    def _report_properties(self, event: Any) -> None:  # noqa: ANN401 - see _node
        if event.ctag is not None:
            detail = "Remove it: the types of values are known. Put a text that begins with ! in quotes."
            self.report("tag", f"`{event.ctag}` is a tag", detail, mark_position(event.start_mark))
        if event.anchor is not None:
            detail = "Remove it, and write the value out wherever it is needed."
            self.report("anchor", f"`&{event.anchor}` is an anchor", detail, mark_position(event.start_mark))


def _place(before: str) -> Position:
    return before.count("\n") + 1, len(before) - before.rfind("\n")
