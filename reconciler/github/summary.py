"""The job's summary: Markdown that stands on the run's page, below the 1 MiB that the runner takes from a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.report.drift_markdown import render_drift_markdown

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.drift import DriftDocument
    from reconciler.github.page import Page, Place

MAX_OCTETS = 1024 * 1024 - 1
_LEAST = 4096  # a summary that is nearly full says no more


def append_page(file: Path, page: Page, place: Place) -> None:
    """Add a page, cut between its blocks where it is too long.

    Raises:
        OSError: the file cannot be written.

    """
    room = _room(file)
    if room > _LEAST:
        append_text(file, page.parts(place, limit=room, most=1)[0])


def append_drift(file: Path, document: DriftDocument, place: Place) -> None:
    """Add a drift document, the worst findings first.

    Raises:
        OSError: the file cannot be written.

    """

    def source(path: str, line: int) -> str:
        return place.source(path, line, document.commit)

    room = _room(file)
    if room > _LEAST:
        # no character has more than four octets, and nearly all of them have one
        text = render_drift_markdown(document, room, source)
        while len(text.encode("utf-8", "replace")) > room:
            room = room // 2
            text = render_drift_markdown(document, room, source)
        append_text(file, text)


def append_text(file: Path, text: str) -> None:
    """Add Markdown after what is there; nothing where it does not fit.

    Raises:
        OSError: the file cannot be written.

    """
    octets = f"{text.rstrip()}\n\n".encode("utf-8", "replace")
    if _size(file) + len(octets) <= MAX_OCTETS:
        with file.open("ab") as opened:
            opened.write(octets)


def _room(file: Path) -> int:
    return MAX_OCTETS - _size(file) - 2


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
