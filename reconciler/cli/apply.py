"""`apply`: what was reviewed, or all that is ready."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.opened import opened, selected
from reconciler.cli.parser import add_selection, seconds
from reconciler.console import has_color, print_diagnostics, say, write_lines
from reconciler.errors import ExitCode, Severity, worst_exit_code

if TYPE_CHECKING:
    import argparse

    from reconciler.cli.parser import Verbs


def add_parser(verbs: Verbs) -> None:
    """Its arguments."""
    apply = verbs.add_parser("apply", help="write what is ready: a saved plan, or all that is ready now")
    what = apply.add_mutually_exclusive_group(required=True)
    what.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a plan saved by `plan --out FILE`")
    what.add_argument("--auto-approve", action="store_true", help="plan and apply at once, without a review")
    apply.add_argument(
        "--wait", type=seconds, default=0, metavar="SECONDS", help="stay until held steps may go on, at most so long"
    )
    add_selection(apply)
    apply.set_defaults(run=run, usage_error=apply.error)


def run(arguments: argparse.Namespace) -> ExitCode:
    """Write, look, and say what became of each domain."""
    from reconciler import run_apply  # noqa: PLC0415
    from reconciler.report.applied import render_applied  # noqa: PLC0415

    if arguments.file and (arguments.domain or arguments.organization):
        arguments.usage_error("a saved plan is applied whole: --domain and --organization go with --auto-approve")
    invocation = opened(arguments)
    if arguments.now is not None and arguments.now > datetime.now(UTC):
        say("warning: every wait is judged as of the time that was given, which is still to come")
    if arguments.file:
        report = run_apply.apply_saved(invocation, arguments.file, timedelta(seconds=arguments.wait))
    else:
        report = run_apply.apply_now(invocation, selected(arguments), timedelta(seconds=arguments.wait))
    print_diagnostics(
        # what is about the run as a whole says why nothing was done: a freeze, the kill switch, a limit
        [d for d in report.plan.diagnostics_as_data() if d.severity is Severity.ERROR or not (d.file or d.domain)],
        is_color_wanted=not arguments.no_color,
    )
    write_lines(render_applied(report, color=has_color(sys.stdout, is_wanted=not arguments.no_color)))
    if report.interrupted is not None:
        raise report.interrupted
    return worst_exit_code(report.exit_codes)
