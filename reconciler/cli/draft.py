"""`import`: drafts of manifests from live DNS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.opened import opened
from reconciler.console import print_diagnostics, write_data
from reconciler.errors import ExitCode, worst_exit_code

if TYPE_CHECKING:
    import argparse

    from reconciler.cli.parser import Parser


def add_arguments(importer: Parser) -> None:
    """Its arguments."""
    importer.add_argument("domains", nargs="*", metavar="DOMAIN")
    importer.add_argument(
        "--from", dest="source", type=Path, metavar="FILE", help="a list, or CSV: domain,organization"
    )
    importer.add_argument("--organization", default="", metavar="O", help="for domains that name none")
    importer.add_argument(
        "--out", type=Path, metavar="DIR", help="write one manifest for each organization; default: stdout"
    )
    importer.set_defaults(run=run, usage_error=importer.error)


def run(arguments: argparse.Namespace) -> ExitCode:
    """Draft, and show or write it."""
    from reconciler import run_import  # noqa: PLC0415

    if not arguments.domains and arguments.source is None:
        arguments.usage_error("name domains, or a file of them with --from FILE")
    result = run_import.import_domains(
        opened(arguments, reads_manifests=False),
        arguments.domains,
        arguments.source,
        arguments.organization,
        arguments.out,
    )
    print_diagnostics(result.diagnostics, is_color_wanted=not arguments.no_color)
    write_data(result.text)
    return worst_exit_code(result.exit_codes)
