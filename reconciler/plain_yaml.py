"""The YAML that nearly every manifest is written in, read line by line; all else is left to the parser's events.

A Python object for every event of libyaml takes five times as long as the parsing. What is read here is a part of YAML
in which a line cannot be taken in two ways: block mappings and sequences, with a quoted scalar, a plain one without
colon and hash, or a flow collection that ends on the line where it begins, and comments. Whatever else a text holds, an
error above all, makes it one for the parser, which then says what is wrong. So this refuses nothing, and never reads
anything differently: `tests/property/test_plain_yaml_laws.py` and the fuzzer of YAML hold both beside each other.
"""

from __future__ import annotations

import re
from itertools import compress, count
from typing import TypeAlias

from reconciler.core_schema import (
    CONSTANTS,
    FIRST_OF_NUMBER,
    LAST_OF_NUMBER,
    MAX_NUMBER_LENGTH,
    is_number,
    resolve_plain,
)

Node: TypeAlias = "dict[str, Node] | list[Node] | str | int | float | bool | None"
Position: TypeAlias = "tuple[int, int]"
Loc: TypeAlias = "tuple[str | int, ...]"
Starts: TypeAlias = "dict[int, Position]"
# what a line says by itself: its indent, whether it has a dash, its key, the scalar that ends it; else what is left of
# it, which is a flow collection and what follows it, or nothing where the value is the block below
_Line: TypeAlias = "tuple[int, bool, str | None, Node, str | None]"

_MAX_DEPTH = 16  # of collections in each other; below what the strict loader takes
_MAX_LINES = 50_000  # a file of the greatest size has half as many, unless they are empty
_MAX_KNOWN, _MAX_KNOWN_LENGTH = 2048, 200  # lines that are kept, and the characters of each
_KEY = "[A-Za-z_][A-Za-z0-9_-]{0,62}+"
# of a plain scalar: all but indicators and a few more, that is A-Z a-z 0-9 _ / . + and what is above U+00A0; by what is
# left out, because a class up to U+10FFFF takes 5 ms to compile, and this one stands in three patterns
_FIRST = r"[^\x00-*,\-:-@\[-^`{-\xa0]"
_NOT_FIRST = frozenset(c for c in map(chr, range(0xA1)) if not re.match(_FIRST, c))
_LINE = re.compile(rf"( *+)((?:- )?+)(?:({_KEY}):(?: |$))?+(.*)")  # indent, dash, key, and what is left; every line's
_MARKER: _Line = (0, False, None, None, "")
_END: _Line = (-1, False, None, None, "")

_COMMENT = "(?: +(?:#.*)?)?"
# a colon ends no key where neither a space nor a line break of YAML 1.1 follows, as in a URL
_PLAIN = re.compile(rf"({_FIRST}[^:# ]*+(?:(?: ++(?=[^# ])|:(?=[!-~]))[^:# ]*+)*+){_COMMENT}")
_QUOTES = """"[^"\\\\]*"|'[^']*'"""
_QUOTED = re.compile(f"({_QUOTES}){_COMMENT}")
_IN_FLOW = rf"{_FIRST}(?:[^][{{}},?:#]*[^][{{}},?:# ])?"
# of a flow collection: key, plain scalar, quoted scalar, what begins another one; and the comma or bracket after them
_ENTRY = re.compile(rf" *(?:({_KEY}): +)?(?:({_IN_FLOW})|({_QUOTES})|([\[{{])) *([]}},]?)")
_EMPTY = re.compile(r"\[ *\]|\{ *\}")
_AFTER = re.compile(r" *([]},])")
_ENDING = re.compile(_COMMENT)


class _NotPlainError(Exception):
    """The text is one for the parser."""


def read_plain_yaml(text: str) -> tuple[dict[str, Node], Starts] | None:
    """The mapping that a text without forbidden characters is, or None where the parser has to look.

    Beside it, the places of all mappings in it: line and column, from 1, by the mapping's id.
    """
    lines = text.split("\n")
    if "\t" in text or "\r" in text or len(lines) > _MAX_LINES + 1:
        return None
    try:
        reader = _Reader(lines)
        return reader.document(), reader.starts
    except _NotPlainError:
        return None


def _read_line(written: str) -> _Line | None:
    """What it says, wherever it stands; None where it is blank, or a comment."""
    match = _LINE.match(written)
    if match is None:
        raise _NotPlainError
    indent, dash, key, rest = match.groups()
    if key in CONSTANTS:
        raise _NotPlainError
    text = rest.strip(" ")
    if not text or text[0] == "#":
        if dash and not key:
            raise _NotPlainError
        return (len(indent), dash != "", key, None, "") if key else None
    if text[0] not in _NOT_FIRST and ":" not in text and "#" not in text:
        return len(indent), dash != "", key, _resolved(text), None
    if text[0] in "[{":
        return len(indent), dash != "", key, None, rest
    return _MARKER if written == "---" else (len(indent), dash != "", key, _looked_at_again(text), None)


def _looked_at_again(text: str) -> Node:
    """The scalar on a line that needs a second look."""
    if quoted := _QUOTED.fullmatch(text):
        return quoted[1][1:-1]
    if plain := _PLAIN.fullmatch(text):
        return _resolved(plain[1])
    raise _NotPlainError


class _KnownLines(dict[str, "_Line | None"]):
    """The last lines that were read: who vouches, why and when is written alike for domain after domain."""

    def __missing__(self, written: str) -> _Line | None:
        line = _read_line(written)
        if len(written) <= _MAX_KNOWN_LENGTH:
            if len(self) >= _MAX_KNOWN:
                self.clear()
            self[written] = line
        return line


_known_lines = _KnownLines()


class _Reader:
    """Reads the lines that are neither blank nor comments, from `at` onwards."""

    def __init__(self, written: list[str]) -> None:
        lines = list(map(_known_lines.__getitem__, written))
        self.lines: list[_Line] = [*filter(None, lines), _END]
        self.numbers = list(compress(count(1), lines))
        self.starts: Starts = {}
        self.at = 0

    def document(self) -> dict[str, Node]:
        if self.lines[0] is _MARKER:
            self.at = 1
        indent, has_dash, key, _, _ = self.lines[self.at]
        if indent or has_dash or not key:
            raise _NotPlainError
        data = self.mapping(0, 1)
        if self.lines[self.at] is not _END:
            raise _NotPlainError
        return data

    def mapping(self, indent: int, depth: int) -> dict[str, Node]:
        """The mapping that begins on the current line, maybe after a dash."""
        if depth > _MAX_DEPTH:
            raise _NotPlainError
        lines, at = self.lines, self.at
        result: dict[str, Node] = {}
        self.starts[id(result)] = (self.numbers[at], indent + 1)
        _, _, key, value, rest = lines[at]
        while True:
            if key is None or key in result:
                raise _NotPlainError
            at += 1
            if rest is None:
                result[key] = value
            else:
                self.at = at
                result[key] = self.value(rest, indent, depth)
                at = self.at
            own, has_dash, key, value, rest = lines[at]
            if own != indent or has_dash:
                self.at = at
                return result

    def sequence(self, indent: int, depth: int) -> list[Node]:
        if depth > _MAX_DEPTH:
            raise _NotPlainError
        result: list[Node] = []
        while True:
            own, has_dash, key, value, rest = self.lines[self.at]
            if not has_dash or own != indent:
                return result
            if key:
                result.append(self.mapping(indent + 2, depth + 1))
                continue
            self.at += 1
            result.append(value if rest is None else self.flow(rest, depth))

    def value(self, rest: str, indent: int, depth: int) -> Node:
        """What belongs to the key of the line before the current one: `rest` of that line, or the block below it."""
        if rest:
            return self.flow(rest, depth)
        own, has_dash, key, _, _ = self.lines[self.at]
        if has_dash and own >= indent:
            return self.sequence(own, depth + 1)
        if key and not has_dash and own > indent:
            return self.mapping(own, depth + 1)
        raise _NotPlainError

    def flow(self, rest: str, depth: int) -> Node:
        """A flow collection, and what may follow it on its line."""
        indent, has_dash, key, _, _ = self.lines[self.at - 1]
        column = indent + (2 if has_dash else 0) + (len(key) + 2 if key else 0)
        flow = _Flow(rest, self.starts, self.numbers[self.at - 1], column)
        node = flow.collection(len(rest) - len(rest.lstrip(" ")), depth + 1)
        if not _ENDING.fullmatch(rest, flow.end):
            raise _NotPlainError
        return node


class _Flow:
    """Reads a flow collection; `text` begins on this line (from 1) after as many columns."""

    def __init__(self, text: str, starts: Starts, line: int, columns: int) -> None:
        self.text = text
        self.starts = starts
        self.line = line
        self.columns = columns
        self.end = 0

    def collection(self, start: int, depth: int) -> Node:
        """The sequence or mapping whose bracket is at `start`; `end` is behind it then."""
        if depth > _MAX_DEPTH:
            raise _NotPlainError
        is_mapping = self.text[start] == "{"
        items: list[Node] = []
        result: dict[str, Node] = {}
        if is_mapping:
            self.starts[id(result)] = (self.line, self.columns + start + 1)
        if empty := _EMPTY.match(self.text, start):
            self.end = empty.end()
            return result if is_mapping else items
        self.end, after = start + 1, ","
        while after == ",":
            key, value, after = self.entry(depth)
            if not is_mapping and key is None:
                items.append(value)
            elif is_mapping and key is not None and key not in result and key not in CONSTANTS:
                result[key] = value
            else:
                raise _NotPlainError
        if after != ("}" if is_mapping else "]"):
            raise _NotPlainError
        return result if is_mapping else items

    def entry(self, depth: int) -> tuple[str | None, Node, str]:
        """The next key, if there is one, its value, and the comma or bracket after it."""
        entry = _ENTRY.match(self.text, self.end)
        if entry is None:
            raise _NotPlainError
        key, plain, quoted, opening, after = entry.groups()
        self.end = entry.end()
        if plain:
            return key, _resolved(plain), after
        if not opening:
            return key, quoted[1:-1], after
        value = self.collection(entry.start(4), depth + 1)
        following = _AFTER.match(self.text, self.end)
        if following is None:
            raise _NotPlainError
        self.end = following.end()
        return key, value, following[1]


def _resolved(plain: str) -> Node:
    """What a plain scalar stands for."""
    if plain[0] not in FIRST_OF_NUMBER:
        return CONSTANTS.get(plain, plain)
    if plain[-1] not in LAST_OF_NUMBER:
        return plain
    if len(plain) <= MAX_NUMBER_LENGTH:
        return resolve_plain(plain)
    if is_number(plain):
        raise _NotPlainError
    return plain
