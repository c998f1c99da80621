"""Exports as text: the frame that the emitted export scripts write, the raw files that people copy, JSON and XML.

The frame says which target it is of and when it was made, and cannot be cut off unseen. No line of a server's file can
end a section or begin one, because each has a mark in front:

    reconciler-export 1 <target> <time, ISO 8601 in UTC>
    [<section>]
    | <a line of the server's file or of a command's output>
    end
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from reconciler.targets.base import UnreadableExportError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_MAGIC = "reconciler-export"
_VERSION = "1"
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_HEAD_WORDS = 4
_MARKUP = ("{", "<")
# white space to Python, and a part of the word before it to every server: U+00A0 comes along from web pages
_NO_SPACES = str.maketrans(
    dict.fromkeys("\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B))), "\ufffd")
)
_MAX_SHOWN = 60  # characters of an export's own text in a message


@dataclass(frozen=True, slots=True)
class ExportText:
    """The sections of an export, each with its lines; `made_at` is None for a raw file."""

    made_at: datetime | None
    sections: tuple[tuple[str, tuple[str, ...]], ...]

    def lines(self, section: str) -> tuple[str, ...] | None:
        """The lines of a section, or None where the export does not have it."""
        return next((lines for name, lines in self.sections if name == section), None)

    def text(self, section: str) -> str | None:
        """The text of a section, or None where the export does not have it."""
        lines = self.lines(section)
        return None if lines is None else "".join(f"{line}\n" for line in lines)


def read_export_text(text: str, *, target: str, raw_section: str, may_be_markup: bool = False) -> ExportText:
    """The sections of a framed export; a text without the frame is the one section `raw_section`.

    With `may_be_markup` the last line of raw JSON or XML need not be ended: cut off, it does not parse.

    Raises:
        UnreadableExportError: the frame is another target's or is cut off; a raw text is empty or its last line is not
            ended, which is how a file looks that was cut off: `192.0.2.7` may have been `192.0.2.77`.

    """
    if not text.strip():
        raise UnreadableExportError("the export is empty, as after a command that failed; export it again")
    lines = [line.removesuffix("\r") for line in text.translate(_NO_SPACES).split("\n")]
    last = lines.pop()
    if last and not (may_be_markup and text.lstrip().startswith(_MARKUP)):
        summary = f"the export's last line, {shown(last)}, has no line end: it may be cut off; export it again"
        raise UnreadableExportError(summary)
    if not lines or lines[0].split(" ", 1)[0] != _MAGIC:
        return ExportText(None, ((raw_section, (*lines, last) if last else tuple(lines)),))
    return ExportText(_made_at(lines[0], target), _sections(tuple(lines[1:])))


def read_json(text: str) -> object:
    """The value of a JSON text.

    Raises:
        UnreadableExportError: it is none, or too deep or too big to be an export.

    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as exc:
        summary = f"the export is no JSON, or is cut off: {type(exc).__name__}: {shown(str(exc))}"
        raise UnreadableExportError(summary) from exc


def read_xml(text: str) -> Element:
    """The root of an XML text.

    Raises:
        UnreadableExportError: it is none, or declares entities or a document type.

    """
    try:
        return fromstring(text, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, RecursionError) as exc:
        summary = f"the export is no XML, or is cut off: {type(exc).__name__}: {shown(str(exc))}"
        raise UnreadableExportError(summary) from exc


def shown(text: str) -> str:
    """A piece of an export for a message: quoted, short, and with nothing in it that a terminal obeys."""
    return ascii(text[:_MAX_SHOWN] + ("..." if len(text) > _MAX_SHOWN else ""))


def _made_at(head: str, target: str) -> datetime:
    words = head.split(" ")
    if len(words) != _HEAD_WORDS or words[1] != _VERSION:
        summary = f"the export's first line, {shown(head)}, is not one of this version"
        raise UnreadableExportError(summary)
    if words[2] != target:
        summary = f"the export is one of {shown(words[2])}, not of {target}"
        raise UnreadableExportError(summary)
    try:
        return datetime.strptime(words[3], _TIME).replace(tzinfo=UTC)
    except ValueError as exc:
        summary = f"the export's time, {shown(words[3])}, is no time in UTC"
        raise UnreadableExportError(summary) from exc


def _sections(lines: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not lines or lines[-1] != "end":
        raise UnreadableExportError("the export has no end: the script was stopped or failed; run it again")
    sections: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in lines[:-1]:
        if line.startswith("[") and line.endswith("]") and line[1:-1] not in sections:
            current = sections.setdefault(line[1:-1], [])
        elif line.startswith("| ") and current is not None:
            current.append(line[2:])
        else:
            summary = f"the export's line {shown(line)} has no place there"
            raise UnreadableExportError(summary)
    return tuple((name, tuple(content)) for name, content in sections.items())
