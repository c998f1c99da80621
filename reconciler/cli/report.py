"""`report`: the page of the fleet, as a folder of files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.opened import opened, selected
from reconciler.cli.parser import add_selection
from reconciler.console import write_lines
from reconciler.errors import ExitCode
from reconciler.escape import terminal_text

if TYPE_CHECKING:
    import argparse

    from reconciler.cli.parser import Parser


def add_arguments(report: Parser) -> None:
    """Its arguments."""
    report.add_argument("--out", type=Path, required=True, metavar="DIR", help="a folder for the report alone")
    add_selection(report)
    report.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> ExitCode:
    """Look, write, and say where."""
    from reconciler import run_report  # noqa: PLC0415

    count = run_report.report(opened(arguments), selected(arguments), arguments.out)
    place = terminal_text(str(arguments.out / "index.html"))
    write_lines(f"{place}: the page of the fleet, {count} files\n")
    return ExitCode.DONE
