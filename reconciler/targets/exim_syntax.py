"""The outline of Exim's filter language (Exim filter specification, sections 3.2 to 3.8): `if` blocks in text. Pure.

Commands are not told apart: what stands between two keywords is kept as words, so that every command is understood.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH = 64
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<comment>\#[^\n]*)
    | (?P<quoted>"(?:[^"\\]|\\.)*")
    | (?P<mark>[()])
    | (?P<word>[^\s"()]+)""",
    re.VERBOSE | re.DOTALL,
)
_KEYWORDS = frozenset({"if", "then", "elif", "else", "endif"})
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_PLAIN = re.compile(r"[^\s\"()\\#]+")


class EximFilterSyntaxError(ValueError):
    """It is no Exim filter; the text says in which line."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word or a quoted string by its value; `is_quoted` tells them apart, because a keyword is never quoted."""

    text: str
    is_quoted: bool
    line: int

    def __str__(self) -> str:
        """As it is written in a filter; quotes only where they are needed."""
        if _PLAIN.fullmatch(self.text) or (self.text in {"(", ")"} and not self.is_quoted):
            return self.text
        escaped = self.text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'


@dataclass(frozen=True, slots=True)
class Branch:
    """A condition and what is done where it is true; an `else` has no condition."""

    condition: tuple[Word, ...]
    body: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Conditional:
    """An `if` with its branches: `comment` is the last one before it."""

    line: int
    comment: str
    branches: tuple[Branch, ...]


Item = Word | Conditional


def parse_exim_filter(text: str) -> tuple[Item, ...]:
    """The words and conditionals of a filter, in their order.

    Raises:
        EximFilterSyntaxError: its `if`, `then` and `endif` do not go together, or a string has no end.

    """
    tokens = _tokens(text)
    parser = _Parser(tokens, next(tokens))
    items = parser.items(0)
    if parser.token.word is not None:
        message = f"{parser.token.word.text} without an if"
        raise parser.error(message)
    return items


@dataclass(frozen=True, slots=True)
class _Token:
    word: Word | None
    comment: str
    line: int

    @property
    def keyword(self) -> str:
        """The keyword that it is, or nothing."""
        is_keyword = self.word is not None and not self.word.is_quoted and self.word.text in _KEYWORDS
        return self.word.text if self.word is not None and is_keyword else ""


def _tokens(text: str) -> Iterator[_Token]:
    position, line, comment = 0, 1, ""
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            message = f"line {line} has a string without an end"
            raise EximFilterSyntaxError(message)
        found = match[0]
        if match.lastgroup == "comment":
            comment = found[1:]
        elif match.lastgroup != "space":
            is_quoted = match.lastgroup == "quoted"
            value = _ESCAPE.sub(r"\1", found[1:-1]) if is_quoted else found
            yield _Token(Word(value, is_quoted, line), comment, line)
            comment = ""
        line += found.count("\n")
        position = match.end()
    yield _Token(None, comment, line)


@dataclass(slots=True)
class _Parser:
    tokens: Iterator[_Token]
    token: _Token

    def error(self, what: str) -> EximFilterSyntaxError:
        return EximFilterSyntaxError(f"line {self.token.line}: {what}")

    def take(self) -> _Token:
        token = self.token
        self.token = next(self.tokens, token)
        return token

    def take_keyword(self, keyword: str) -> bool:
        if self.token.keyword == keyword:
            self.take()
            return True
        return False

    def items(self, depth: int) -> tuple[Item, ...]:
        if depth > MAX_DEPTH:
            raise self.error("it is nested too deeply")
        found: list[Item] = []
        while self.token.word is not None and self.token.keyword in {"", "if"}:
            found.append(self.conditional(depth) if self.token.keyword else self.word())
        return tuple(found)

    def word(self) -> Word:
        word = self.take().word
        if word is None:
            raise self.error("it ends too early")
        return word

    def conditional(self, depth: int) -> Conditional:
        opening = self.take()
        branches = [self.branch(depth)]
        while self.take_keyword("elif"):
            branches.append(self.branch(depth))
        if self.take_keyword("else"):
            branches.append(Branch((), self.items(depth + 1)))
        if not self.take_keyword("endif"):
            raise self.error("an endif is missing")
        return Conditional(opening.line, opening.comment, tuple(branches))

    def branch(self, depth: int) -> Branch:
        condition = []
        while self.token.word is not None and not self.token.keyword:
            condition.append(self.word())
        if not self.take_keyword("then"):
            raise self.error("a then is missing")
        return Branch(tuple(condition), self.items(depth + 1))
