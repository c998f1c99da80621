"""The two streams: the result goes to stdout and nothing else does; progress, diagnostics and logs go to stderr."""

from __future__ import annotations

import io
import logging
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reconciler.escape import log_text, terminal_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reconciler.errors import Diagnostic, ReconcilerError


def write_lines(text: str) -> None:
    """A result for people, in the terminal's own encoding."""
    sys.stdout.write(log_text(text))


def write_data(text: str) -> None:
    """A result for programs: UTF-8, as JSON and YAML have to be (RFC 8259 section 8.1)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.stdout.write(text)


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr where that is a terminal; see `invocation.Progress`."""
    if not sys.stderr.isatty() or not total:
        yield lambda _done: None
        return
    from tqdm import tqdm  # noqa: PLC0415

    with tqdm(total=total, desc=what, leave=False, file=sys.stderr, dynamic_ncols=True) as bar:

        def advance(done: int) -> None:
            bar.update(done - bar.n)

        yield advance


def say(text: str) -> None:
    """One line on stderr for whoever waits."""
    sys.stderr.write(log_text(f"{terminal_text(text)}\n"))


def print_diagnostics(diagnostics: Iterable[Diagnostic], *, is_color_wanted: bool) -> None:
    """Every diagnostic to stderr."""
    from reconciler.report.terminal import render_diagnostics  # noqa: PLC0415 - keeps `--help` quick

    lines = render_diagnostics(diagnostics, color=has_color(sys.stderr, is_wanted=is_color_wanted))
    sys.stderr.write(log_text("".join(f"{line}\n" for line in lines)))


def print_errors(error: ReconcilerError, *, is_color_wanted: bool) -> None:
    """What an exception carries to stderr; where it is more than one error the last line counts them."""
    from reconciler.report.terminal import counted  # noqa: PLC0415 - as above

    print_diagnostics(error.diagnostics, is_color_wanted=is_color_wanted)
    errors = {d for d in error.diagnostics if d.severity == "error"}
    if len(errors) > 1:
        files = {d.file for d in errors if d.file}
        say(counted(len(errors), "error") + (f" in {counted(len(files), 'file')}" if files else ""))


def has_color(stream: object, *, is_wanted: bool) -> bool:
    """Whether the stream gets colours: a terminal that can, and nobody said no (`NO_COLOR`, https://no-color.org)."""
    is_allowed = is_wanted and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return is_allowed and bool(getattr(stream, "isatty", bool)())


class _LineFormatter(logging.Formatter):
    """One line for each record: messages of providers quote what is in a zone."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class's name
        return log_text(terminal_text(super().formatMessage(record)))


def configure_logging(*, is_verbose: bool) -> None:
    """Logs go to stderr: warnings of everybody, and with `is_verbose` what we ourselves do."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_LineFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    # only our own: providers log names of keys and accounts at INFO
    logging.getLogger("reconciler").setLevel(logging.INFO if is_verbose else logging.WARNING)
