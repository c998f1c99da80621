"""The generic grammar of Sieve (RFC 5228 section 8), which every extension keeps: text to commands. Pure.

Commands and tests are not checked against those that are known: a script may use any extension.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# a tag or a number is a str, a string or a list of strings a tuple
Argument = str | tuple[str, ...]

MAX_DEPTH = 32  # blocks, tests and both together; what Pigeonhole allows
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    | (?P<comment>\#[^\n]*|/\*.*?\*/)
    | (?P<text>text:[ \t]*(?:\#[^\n]*)?\r?\n(?:(?!\.\r?\n)[^\n]*\n)*\.\r?\n)
    | (?P<string>"(?:[^"\\]|\\.)*")
    | (?P<tag>:[A-Za-z_][A-Za-z0-9_]*)
    | (?P<number>[0-9]+[KMGkmg]?)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<mark>[{}()\[\],;])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_FIRST_LINE = re.compile(r"\A[^\n]*\n")


class SieveSyntaxError(ValueError):
    """It is no Sieve; the text says in which line."""


@dataclass(frozen=True, slots=True)
class Node:
    """A command or a test; `block` is None where a command has none, `comment` is the last one before it.

    `inner_comments` are those between its name and its end or its block.
    """

    name: str
    line: int
    comment: str
    arguments: tuple[Argument, ...] = ()
    tests: tuple[Node, ...] = ()
    block: tuple[Node, ...] | None = None
    inner_comments: tuple[str, ...] = ()


def parse_sieve(text: str) -> tuple[Node, ...]:
    """The commands of a script.

    Raises:
        SieveSyntaxError: it is no Sieve.

    """
    tokens = _tokens(text)
    parser = _Parser(tokens, next(tokens))
    commands = parser.commands(0)
    if parser.token.kind != "end":
        raise parser.error("no command begins with what is there")
    return commands


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int
    comments: tuple[str, ...] = ()


def _tokens(text: str) -> Iterator[_Token]:
    position, line = 0, 1
    comments: list[str] = []
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            message = f"line {line} is no Sieve"
            raise SieveSyntaxError(message)
        kind, found = str(match.lastgroup), match[0]
        if kind == "comment":
            comments.append(found[1:] if found.startswith("#") else found[2:-2])
        elif kind != "space":
            yield _Token(kind, found, line, tuple(comments))
            comments.clear()
        line += found.count("\n")
        position = match.end()
    yield _Token("end", "", line, tuple(comments))


@dataclass(slots=True)
class _Parser:
    tokens: Iterator[_Token]
    token: _Token
    skipped: list[str] = field(default_factory=list)

    def take(self) -> _Token:
        token = self.token
        self.skipped += token.comments
        self.token = next(self.tokens, token)
        return token

    def take_mark(self, mark: str) -> bool:
        if self.token.kind == "mark" and self.token.text == mark:
            self.take()
            return True
        return False

    def error(self, what: str) -> SieveSyntaxError:
        return SieveSyntaxError(f"line {self.token.line} is no Sieve: {what}")

    def commands(self, depth: int) -> tuple[Node, ...]:
        if depth > MAX_DEPTH:
            raise self.error("it is nested too deeply")
        found = []
        while self.token.kind == "word":
            found.append(self.command(depth))
        return tuple(found)

    def command(self, depth: int) -> Node:
        name = self.take()
        self.skipped.clear()
        arguments, tests = self.arguments(depth + 1)
        block: tuple[Node, ...] | None = None
        if self.take_mark("{"):
            inner = tuple(self.skipped)
            block = self.commands(depth + 1)
            if not self.take_mark("}"):
                raise self.error("a command, or a } is missing")
        elif self.take_mark(";"):
            inner = tuple(self.skipped)
        else:
            raise self.error("a ; or a block is missing")
        comment = name.comments[-1] if name.comments else ""
        return Node(name.text.lower(), name.line, comment, arguments, tests, block, inner)

    def arguments(self, depth: int) -> tuple[tuple[Argument, ...], tuple[Node, ...]]:
        if depth > MAX_DEPTH:
            raise self.error("it is nested too deeply")
        found: list[Argument] = []
        while True:
            if self.token.kind in {"tag", "number"}:
                found.append(self.take().text.lower())
            elif self.token.kind in {"string", "text"}:
                found.append((_string(self.take()),))
            elif self.take_mark("["):
                found.append(self.strings())
            else:
                break
        if self.token.kind == "word":
            return tuple(found), (self.test(depth),)
        return tuple(found), self.test_list(depth) if self.take_mark("(") else ()

    def strings(self) -> tuple[str, ...]:
        found = []
        while self.token.kind in {"string", "text"}:
            found.append(_string(self.take()))
            if not self.take_mark(","):
                break
        if not self.take_mark("]"):
            raise self.error("a ] is missing")
        return tuple(found)

    def test(self, depth: int) -> Node:
        name = self.take()
        arguments, tests = self.arguments(depth + 1)
        return Node(name.text.lower(), name.line, "", arguments, tests)

    def test_list(self, depth: int) -> tuple[Node, ...]:
        found = []
        while self.token.kind == "word":
            found.append(self.test(depth))
            if not self.take_mark(","):
                break
        if not self.take_mark(")"):
            raise self.error("a ) is missing")
        return tuple(found)


def _string(token: _Token) -> str:
    """The value of a quoted string or of a multi-line one, where a leading dot is doubled (section 2.4.2)."""
    if token.kind == "string":
        return _ESCAPE.sub(r"\1", token.text[1:-1])
    body = _FIRST_LINE.sub("", token.text).replace("\r\n", "\n").removesuffix(".\n")
    return re.sub(r"^\.\.", ".", body, flags=re.MULTILINE)
