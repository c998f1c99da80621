"""Where each key and value of a YAML file stands: its events walked once more, for files with errors alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from ruamel.yaml.events import (
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from reconciler.c_parser import CParser, mark_position

if TYPE_CHECKING:
    from reconciler.plain_yaml import Loc, Position

Places: TypeAlias = "dict[Loc, tuple[Position, Position]]"


def find_places(text: str) -> Places:
    """Of a text that parses: the places of each value's key (or of itself, where it has none) and of the value."""
    return _Index(text).places


class _Index:
    """The places of every key and value of a file that parses, found by walking its events once more."""

    def __init__(self, text: str) -> None:
        self.places: Places = {}
        self._next = CParser(text).get_event
        if text:
            self._next()  # the stream's start
            self._next()  # the document's
            self._walk(self._next(), (), None)

    def _walk(self, event: Any, loc: Loc | None, key: Position | None) -> None:  # noqa: ANN401 - events have no common type
        """Note `event`'s place as that of `loc`; with None, of something that the reader did not keep, walk on only."""
        if loc is not None:
            place = mark_position(event.start_mark)
            self.places[loc] = (key or place, place)
        if type(event) is SequenceStartEvent:
            count = 0
            while type(item := self._next()) is not SequenceEndEvent:
                self._walk(item, None if loc is None else (*loc, count), None)
                count += 1
        elif type(event) is MappingStartEvent:
            while type(name := self._next()) is not MappingEndEvent:
                self._walk(name, None, None)
                own = None if loc is None or type(name) is not ScalarEvent else (*loc, name.value)
                self._walk(self._next(), None if own in self.places else own, mark_position(name.start_mark))
