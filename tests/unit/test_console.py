"""The two streams: who gets colours, a progress bar, UTF-8, and logs."""

from __future__ import annotations

import io
import logging
import sys
from typing import TYPE_CHECKING

import pytest

from reconciler.console import configure_logging, has_color, print_errors, progress, write_data, write_lines
from reconciler.errors import Diagnostic, ManifestError, Severity, error

if TYPE_CHECKING:
    from collections.abc import Callable


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It does."""
        return True


@pytest.mark.parametrize(
    ("environment", "is_wanted", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"TERM": "dumb"}, True, False),
        ({"TERM": "xterm"}, True, True),
    ],
)
def test_who_gets_colours(
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    is_wanted: bool,  # noqa: FBT001
    expected: bool,  # noqa: FBT001
) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert has_color(Terminal(), is_wanted=is_wanted) is expected
    assert not has_color(io.StringIO(), is_wanted=is_wanted)
    assert not has_color(object(), is_wanted=is_wanted)


def test_a_terminal_gets_a_progress_bar_and_nothing_stays_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress("observing", 3) as advance:
        for done in (1, 2, 3):
            advance(done)
    assert "observing" in terminal.getvalue()
    assert terminal.getvalue().rpartition("\r")[2].strip() == ""


def test_nothing_to_do_has_no_progress_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress("observing", 0) as advance:
        advance(0)
    assert terminal.getvalue() == ""


@pytest.mark.parametrize(("write", "expected"), [(write_lines, b"\\u65e5 ::"), (write_data, "日 ::".encode())])
def test_programs_get_utf_8_and_people_their_own_encoding(
    monkeypatch: pytest.MonkeyPatch, write: Callable[[str], None], expected: bytes
) -> None:
    octets = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(octets, encoding="latin-1", errors="backslashreplace"))
    write("日 ::")
    sys.stdout.flush()
    assert octets.getvalue() == expected


def test_programs_get_every_character_and_logs_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    write_data("::error::x\n")
    write_lines("::error::x\n")
    assert capsys.readouterr().out == "::error::x\n\\u{3a}:error::x\n"


@pytest.mark.parametrize("is_verbose", [False, True])
def test_verbose_shows_our_own_lines_only(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    is_verbose: bool,  # noqa: FBT001
) -> None:
    # as in a fresh process: pytest's own handlers would keep ours away
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    before = [(logger, logger.level) for logger in (logging.getLogger(), logging.getLogger("reconciler"))]
    try:
        configure_logging(is_verbose=is_verbose)
        logging.getLogger("reconciler.apply").info("ours")
        logging.getLogger("octodns").info("a key's name")
        logging.getLogger("octodns").warning("theirs\n::error::\x1b[31m")
    finally:
        for logger, level in before:
            logger.setLevel(level)
    ours = "INFO reconciler.apply: ours\n" if is_verbose else ""
    assert capsys.readouterr().err == f"{ours}WARNING octodns: theirs\\u{{a}}::error::\\u{{1b}}[31m\n"


@pytest.mark.parametrize(
    ("places", "total"),
    [
        (["a.yaml"], ""),
        (["a.yaml", "a.yaml"], "2 errors in 1 file\n"),
        (["a.yaml", "b.yaml", "a.yaml", ""], "4 errors in 2 files\n"),
        (["", ""], "2 errors\n"),
    ],
)
def test_many_errors_are_counted_at_the_end(capsys: pytest.CaptureFixture[str], places: list[str], total: str) -> None:
    errors = [error("code", f"error {i}", "Mend it.", file=place) for i, place in enumerate(places)]
    warning = Diagnostic(Severity.WARNING, "code", "a warning", "Look at it.", "c.yaml")
    print_errors(ManifestError([*errors, errors[0], warning]), is_color_wanted=False)
    printed = capsys.readouterr().err
    told = printed.partition("c.yaml: warning[code]: a warning\n    Look at it.\n")
    assert told[0].count("error[code]: error ") == len(places)
    assert told[2] == total
