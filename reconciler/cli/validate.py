"""`validate`: manifests alone, offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.opened import opened
from reconciler.console import print_diagnostics, write_lines
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    import argparse

    from reconciler.cli.parser import Parser


def add_arguments(validate: Parser) -> None:
    """Its arguments."""
    validate.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="files or folders; default: all manifests"
    )
    validate.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> ExitCode:
    """Every error at once; how much there is when there is none."""
    from reconciler.report.terminal import counted  # noqa: PLC0415
    from reconciler.run_validate import validate  # noqa: PLC0415

    invocation = opened(arguments, is_about_manifests_alone=True)
    fleet, diagnostics = validate(invocation, arguments.paths)
    print_diagnostics(diagnostics, is_color_wanted=not arguments.no_color)
    numbers = f"{counted(len(fleet.organizations), 'organization')}, {counted(len(fleet.domains), 'domain')}"
    write_lines(f"Valid: {numbers}.\n")
    return ExitCode.DONE
