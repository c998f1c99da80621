"""Plain data from the events of libyaml's parser, or diagnostics: what `strict_yaml.py` reads in no shorter way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

from reconciler.c_parser import CParser, mark_position
from reconciler.core_schema import CONSTANTS, FIRST_OF_NUMBER, MAX_NUMBER_LENGTH, is_number, resolve_plain
from reconciler.yaml_reports import StopError

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.plain_yaml import Node, Position, Starts
    from reconciler.yaml_reports import Reports

MAX_DEPTH = 32

_SYNTAX_HINTS = {
    "mapping values are not allowed in this context": "Quote a text that holds a colon and a space; indent alike.",
    "found unexpected ':'": "Quote a text that holds a colon.",
    "found character that cannot start any token": "Indent with spaces; quote a text that begins with @, %, `.",
}
_NO_COLON = "could not find expected ':'"
_COLON_HINT = (
    "Write a colon and a space between the key and its value, as in `ttl: 3600`; quote a text of several lines."
)
_TAB_HINT = "Write spaces in the place of the tab: YAML takes no tabs there."
_EMPTY_HINT = "Fill it, or remove it. (`{}` is a document without any key.)"
_OTHER_SYNTAX_HINT = "Correct the syntax; most often it is the indentation, a missing colon, bracket or quotation mark."


def read_events(text: str, reports: Reports) -> tuple[Node, Starts]:
    """What a text without forbidden characters is, and the place of each mapping by its id.

    Raises:
        StopError: nothing can be read; the reports say why.

    """
    reader = _Reader(reports)
    return reader.document(text), reader.starts


def _said(exc: YAMLError, text: str) -> tuple[str, str, Position]:
    """In words, what to do, and the place: of what the parser cannot read."""
    problem, mark = getattr(exc, "problem", str(exc)), getattr(exc, "problem_mark", None)
    if problem == _NO_COLON:
        # it is missed where the next key begins, or after the file's end: a person looks for it where this one does
        mark = getattr(exc, "context_mark", None) or mark
        return "a key without a colon and a space after it", _COLON_HINT, mark_position(mark)
    if mark is None:
        return problem, _OTHER_SYNTAX_HINT, (1, 1)
    place = mark_position(mark)
    line = "".join(text.split("\n")[mark.line : mark.line + 1])
    if line[mark.column : mark.column + 1] == "\t":
        return "a tab stands where a line is indented, or a value begins", _TAB_HINT, place
    return problem, _SYNTAX_HINTS.get(problem, _OTHER_SYNTAX_HINT), place


class _Reader:
    """Constructs data from events; recursion is bounded by `MAX_DEPTH`."""

    def __init__(self, reports: Reports) -> None:
        self.reports = reports
        self.report = reports.report
        self.starts: Starts = {}
        self._next: Callable[[], Any]

    def document(self, text: str) -> Node:
        self._next = CParser(text).get_event
        try:
            return self._only_document()
        except YAMLError as exc:
            problem, detail, place = _said(exc, text)
            self.report("syntax", f"this is no YAML: {problem}", detail, place)
            raise StopError from exc

    def _only_document(self) -> Node:
        self._next()  # the stream's start
        event = self._next()
        if type(event) is StreamEndEvent:
            self.report("empty", "the file is empty", _EMPTY_HINT, (1, 1))
            raise StopError
        if event.version not in {None, (1, 2)} or event.tags:
            detail = "Remove the lines that begin with %: every file is read as YAML 1.2."
            self.report("directive", "only the directive %YAML 1.2 is allowed", detail, mark_position(event.start_mark))
        data = self._node(self._next(), 1)
        self._next()  # the document's end
        if data is None and not self.reports.diagnostics:
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
            raise StopError
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
