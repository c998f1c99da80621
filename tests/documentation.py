"""The documentation as data: its pages, their fenced blocks, and what a block's commands are shown to print."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
_PARSER = MarkdownIt("commonmark").enable("table")
_TITLE = re.compile(r'title="([^"]+)"')
_MARK = re.compile(r"<!-- ([a-z ]+?)(?:: [^>]*)? -->")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language and title, and the comment right above it, as `not executed`."""

    page: str
    line: int
    language: str
    title: str
    mark: str
    text: str

    @property
    def commands(self) -> tuple[Command, ...]:
        """What a console block shows to be entered, each with what it prints."""
        commands: list[Command] = []
        lines: list[str] = []
        for number, line in enumerate(self.text.splitlines(), self.line + 1):
            if line.startswith("$ "):
                lines = []
                commands.append(Command(self.page, number, line[2:], lines))
            elif commands and not lines and commands[-1].text.endswith("\\"):
                # a command goes on with the next line
                last = commands[-1]
                commands[-1] = Command(last.page, last.line, f"{last.text}\n{line}", lines)
            else:
                lines.append(line)
        return tuple(commands)


@dataclass(frozen=True, slots=True)
class Command:
    """One command, and the lines that it is shown to print."""

    page: str
    line: int
    text: str
    output: list[str]

    @property
    def place(self) -> str:
        """Where it stands, for a person."""
        return f"{self.page}:{self.line}: {self.text}"


def markdown_pages() -> list[Path]:
    """Every page that people read, in the documentation and beside it."""
    return [*sorted(DOCS.rglob("*.md")), *sorted(ROOT.glob("*.md"))]


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in their order."""
    mark = ""
    for token in _PARSER.parse(page.read_text(encoding="utf-8")):
        if token.type == "fence" and token.map is not None:
            language, _, attributes = token.info.partition(" ")
            title = _TITLE.search(attributes)
            name = page.relative_to(ROOT).as_posix()
            yield Block(name, token.map[0] + 1, language, title[1] if title else "", mark, token.content)
        marked = _MARK.match(token.content) if token.type == "html_block" else None
        mark = marked[1] if marked else ""


def is_shown(expected: list[str], printed: list[str]) -> bool:
    """Whether the lines are those that are shown; `...` alone stands for any lines, and within a line for any text."""
    pattern = "".join(
        r"(?:[^\n]*\n)*?" if line.strip() == "..." else re.escape(line.rstrip()).replace(r"\.\.\.", r"[^\n]*?") + r"\n"
        for line in _without_blank_ends(expected)
    )
    text = "".join(f"{line.rstrip()}\n" for line in _without_blank_ends(printed))
    return re.fullmatch(pattern, text) is not None


def _without_blank_ends(lines: list[str]) -> list[str]:
    return "\n".join(lines).strip("\n").splitlines()
