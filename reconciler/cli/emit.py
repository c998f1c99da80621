"""`emit`: configuration or instructions for somebody else to carry out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.opened import opened, selected
from reconciler.cli.parser import add_selection
from reconciler.console import print_diagnostics, write_lines
from reconciler.errors import ExitCode, worst_exit_code

if TYPE_CHECKING:
    import argparse

    from reconciler.cli.parser import Parser


def add_arguments(emit: Parser) -> None:
    """Its arguments."""
    emit.add_argument("what", choices=["octodns", "instructions", "exchange", "allowlists"])
    emit.add_argument("--out", type=Path, required=True, metavar="DIR")
    add_selection(emit)
    emit.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> ExitCode:
    """Write the files, and say which."""
    from reconciler import run_emit  # noqa: PLC0415

    invocation, selection = opened(arguments), selected(arguments)
    if arguments.what in {"exchange", "allowlists"}:
        from reconciler.run_emit_origin import emit_origins  # noqa: PLC0415

        result = emit_origins(invocation, selection, arguments.out, is_exchange=arguments.what == "exchange")
    else:
        emit = run_emit.emit_octodns if arguments.what == "octodns" else run_emit.emit_instructions
        result = emit(invocation, selection, arguments.out)
    print_diagnostics(result.diagnostics, is_color_wanted=not arguments.no_color)
    write_lines("".join(f"{line}\n" for line in result.lines))
    return worst_exit_code(result.exit_codes)
