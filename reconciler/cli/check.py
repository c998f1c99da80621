"""`check`: the hazards of any domain, without a manifest."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from reconciler.cli.opened import opened
from reconciler.console import has_color, write_lines
from reconciler.errors import ExitCode, worst_exit_code

if TYPE_CHECKING:
    import argparse

    from reconciler.cli.parser import Parser


def add_arguments(check: Parser) -> None:
    """Its arguments."""
    check.add_argument("domains", nargs="+", metavar="DOMAIN")
    check.add_argument("--region", metavar="R", help="the gateway's region, for domains that no manifest declares")
    check.add_argument("--multi-region", action="store_true", help="with multi-region, likewise")
    check.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> ExitCode:
    """Look at each, and say what would lose mail."""
    from reconciler import run_check  # noqa: PLC0415
    from reconciler.report.checked import render_checked  # noqa: PLC0415
    from reconciler.run_validate import validate  # noqa: PLC0415

    invocation = opened(arguments)
    declared = {}
    if arguments.manifests.is_dir():
        fleet, _ = validate(invocation, ())
        declared = {d.name: d for d in fleet.domains}
    checked = run_check.check_domains(
        invocation, arguments.domains, declared, region=arguments.region, multi_region=arguments.multi_region
    )
    write_lines(render_checked(checked, color=has_color(sys.stdout, is_wanted=not arguments.no_color)))
    return worst_exit_code(c.exit_code for c in checked)
