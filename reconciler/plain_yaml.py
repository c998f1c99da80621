"""The YAML that nearly every manifest is written in, read line by line; all else is left to the parser's events.

A Python object for every event of libyaml takes five times as long as the parsing. What is read here is a part of YAML
in which a line cannot be taken in two ways: block mappings and sequences, with a quoted scalar, a plain one without
colon and hash, or a flow collection that ends on the line where it begins, and comments. Whatever else a text holds, an
error above all, makes it one for the parser, which then says what is wrong. So this refuses nothing, and never reads
anything differently: `tests/property/test_plain_yaml_laws.py` and the fuzzer of YAML hold both beside each other.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from reconciler.core_schema import CONSTANTS, FIRST_OF_NUMBER, MAX_NUMBER_LENGTH, is_number, resolve_plain

Node: TypeAlias = "dict[str, Node] | list[Node] | str | int | float | bool | None"
Position: TypeAlias = "tuple[int, int]"
Loc: TypeAlias = "tuple[str | int, ...]"
Starts: TypeAlias = "dict[int, Position]"
_Line: TypeAlias = "tuple[str, str, str, str, str]"

_MAX_DEPTH = 16  # of collections in each other; below what the strict loader takes
_MAX_LINES = 50_000  # a file of the greatest size has half as many, unless they are empty
_KEY = "[A-Za-z_][A-Za-z0-9_-]{0,62}+"
# of a plain scalar: all but indicators and a few more, that is A-Z a-z 0-9 _ / . + and what is above U+00A0; by what is
# left out, because a class up to U+10FFFF takes 5 ms to compile, and this one stands in three patterns
_FIRST = r"[^\x00-*,\-:-@\[-^`{-\xa0]"
# indent, dash, key, a plain scalar without colon and hash, anything else; every line matches once
_LINE = re.compile(rf"( *+)((?:- )?+)(?:({_KEY}):(?: |$))?+(?:({_FIRST}[^:#\n]*+(?<! ))$|(.*))\n", re.MULTILINE)
_END: _Line = ("end", "", "", "", "end")  # no line has such an indent
_MARKER: _Line = ("", "", "", "", "---")

_COMMENT = "(?: +(?:#.*)?)?"
_PLAIN = re.compile(rf"({_FIRST}[^:#]*(?<! )){_COMMENT}")
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
    if "\t" in text or "\r" in text or text.count("\n") > _MAX_LINES:
        return None
    reader = _Reader(text)
    try:
        return reader.document(), reader.starts
    except _NotPlainError:
        return None


class _Reader:
    """Reads lines from `at` onwards; `pad` is the indent of the collection that is read."""

    def __init__(self, text: str) -> None:
        self.lines: list[_Line] = [*_LINE.findall(f"{text}\n"), _END]
        self.starts: Starts = {}
        self.at = 0

    def document(self) -> dict[str, Node]:
        if self.significant() == _MARKER:
            self.at += 1
        indent, dash, key, _, _ = self.significant()
        if indent or dash or not key:
            raise _NotPlainError
        data = self.mapping("", 1)
        if self.significant() is not _END:
            raise _NotPlainError
        return data

    def significant(self) -> _Line:
        """The next line, from the current one on, that is neither blank nor a comment."""
        while True:
            line = self.lines[self.at]
            _, dash, key, plain, rest = line
            if dash or key or plain or rest[:1] not in {"", "#"}:
                return line
            self.at += 1

    def mapping(self, pad: str, depth: int) -> dict[str, Node]:
        if depth > _MAX_DEPTH:
            raise _NotPlainError
        lines, at = self.lines, self.at
        result: dict[str, Node] = {}
        self.starts[id(result)] = (at + 1, len(pad) + 1)
        _, _, key, plain, rest = lines[at]
        while True:
            if key in result or key in CONSTANTS:
                raise _NotPlainError
            if plain:
                at += 1
                result[key] = plain if plain[0] not in FIRST_OF_NUMBER and plain not in CONSTANTS else _resolved(plain)
            else:
                self.at = at
                result[key] = self.value(rest, pad, depth)
                at = self.at
            indent, dash, key, plain, rest = lines[at]
            if not key or dash or indent != pad:
                self.at = at
                indent, dash, key, plain, rest = self.significant()
                if not key or dash or indent != pad:
                    return result
                at = self.at

    def sequence(self, pad: str, depth: int) -> list[Node]:
        if depth > _MAX_DEPTH:
            raise _NotPlainError
        result: list[Node] = []
        inner = f"{pad}  "
        while True:
            indent, dash, key, plain, rest = self.significant()
            if not dash or indent != pad:
                return result
            if key:
                result.append(self.mapping(inner, depth + 1))
            elif plain:
                self.at += 1
                result.append(_resolved(plain))
            else:
                result.append(self.inline(rest, depth))

    def value(self, rest: str, pad: str, depth: int) -> Node:
        """What belongs to the current line's key: `rest` of the line, or the block below it."""
        text = rest.lstrip(" ")
        if text and text[0] != "#":
            return self.inline(rest, depth)
        self.at += 1
        indent, dash, key, _, _ = self.significant()
        if dash and len(indent) >= len(pad):
            return self.sequence(indent, depth + 1)
        if key and not dash and len(indent) > len(pad):
            return self.mapping(indent, depth + 1)
        raise _NotPlainError

    def inline(self, rest: str, depth: int) -> Node:
        """What ends on the line where it begins."""
        text = rest.lstrip(" ")
        if text[:1] in {"[", "{"}:
            return self.flow(rest, depth)
        self.at += 1
        if quoted := _QUOTED.fullmatch(text):
            return quoted[1][1:-1]
        if plain := _PLAIN.fullmatch(text):
            return _resolved(plain[1])
        raise _NotPlainError

    def flow(self, rest: str, depth: int) -> Node:
        """A flow collection, and what may follow it on its line."""
        indent, dash, key, _, _ = self.lines[self.at]
        self.at += 1
        column = len(indent) + len(dash) + (len(key) + 2 if key else 0)
        flow = _Flow(rest, self.starts, self.at, column)
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
    if plain[0] not in FIRST_OF_NUMBER and plain not in CONSTANTS:
        return plain
    if len(plain) <= MAX_NUMBER_LENGTH:
        return resolve_plain(plain)
    if is_number(plain):
        raise _NotPlainError
    return plain
