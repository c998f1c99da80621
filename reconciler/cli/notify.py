"""`notify`: tell people what is new in documents of applies and drift."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.opened import opened
from reconciler.console import print_diagnostics, write_lines

if TYPE_CHECKING:
    import argparse

    from reconciler.cli.parser import Parser
    from reconciler.errors import ExitCode
    from reconciler.run_notify import Sent


def add_arguments(notify: Parser) -> None:
    """Its arguments."""
    notify.add_argument(
        "file", nargs="+", type=Path, metavar="FILE", help="an apply or drift document, written by --json-into"
    )
    notify.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> ExitCode:
    """Send what was not told yet, and say how much that was."""
    from reconciler.run_notify import notify  # noqa: PLC0415

    report = notify(opened(arguments, reads_manifests=False), arguments.file, os.environ)
    print_diagnostics(report.diagnostics, is_color_wanted=not arguments.no_color)
    nothing = "Nothing to tell." if report.is_declared else "The settings name no endpoint: nobody is told anything."
    write_lines("".join(f"{_line(sent)}\n" for sent in report.sent) or f"{nothing}\n")
    return report.exit_code


def _line(sent: Sent) -> str:
    """As in: TEAMS_URL took 2 of 3 messages, with 14 events."""
    return f"{sent.name} took {sent.taken} of {sent.taken + sent.failed} messages, with {sent.events} events."
