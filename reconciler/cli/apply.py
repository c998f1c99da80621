"""`apply`: what was reviewed, what was still held of it, or all that is ready."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.opened import opened, selected
from reconciler.cli.parser import add_selection, seconds
from reconciler.console import has_color, print_diagnostics, say, write_lines
from reconciler.errors import ExitCode, PlanFileError, ReconcilerError, error, worst_exit_code

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from reconciler.apply.result import ApplyReport
    from reconciler.cli.parser import Parser
    from reconciler.document import PlanDocument
    from reconciler.report.applied_json import AppliedBy


def add_arguments(apply: Parser) -> None:
    """Its arguments."""
    what = apply.add_mutually_exclusive_group(required=True)
    what.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a plan saved by `plan --out FILE`")
    what.add_argument(
        "--continue", action="store_true", dest="is_continuing", help="go on with the held steps of applied plans"
    )
    what.add_argument("--auto-approve", action="store_true", help="plan and apply at once, without a review")
    apply.add_argument(
        "--wait", type=seconds, default=0, metavar="SECONDS", help="stay until held steps may go on, at most so long"
    )
    apply.add_argument("--json-into", type=Path, metavar="FILE", help="write what was done as a JSON document")
    add_selection(apply)
    apply.set_defaults(run=run, usage_error=apply.error)


def run(arguments: argparse.Namespace) -> ExitCode:
    """Write, look, and say what became of each domain."""
    if not arguments.auto_approve and (arguments.domain or arguments.organization):
        arguments.usage_error("reviewed plans are applied whole: --domain and --organization go with --auto-approve")
    saved = _saved(arguments.file)
    if arguments.json_into is None:
        report = _applied(arguments, saved)
    else:
        report = _applied_into(arguments.json_into, arguments, saved)
    if report is None:
        write_lines("Nothing to continue.\n")
        return ExitCode.DONE
    from reconciler.report.applied import render_applied  # noqa: PLC0415

    print_diagnostics(report.diagnostics, is_color_wanted=not arguments.no_color)
    write_lines(render_applied(report, color=has_color(sys.stdout, is_wanted=not arguments.no_color)))
    if report.interrupted is not None:
        raise report.interrupted
    return worst_exit_code(report.exit_codes)


def _applied(arguments: argparse.Namespace, saved: PlanDocument | PlanFileError | None) -> ApplyReport | None:
    """What was done; None where nothing was to be continued."""
    from reconciler import run_apply  # noqa: PLC0415

    invocation = opened(arguments)
    if arguments.now is not None and arguments.now > datetime.now(UTC):
        say("warning: every wait is judged as of the time that was given, which is still to come")
    wait = timedelta(seconds=arguments.wait)
    if isinstance(saved, PlanFileError):
        raise saved
    if saved is not None:
        return run_apply.apply_saved(invocation, saved, arguments.file, wait)
    if arguments.is_continuing:
        return run_apply.apply_kept(invocation, wait)
    return run_apply.apply_now(invocation, selected(arguments), wait)


def _applied_into(
    path: Path, arguments: argparse.Namespace, saved: PlanDocument | PlanFileError | None
) -> ApplyReport | None:
    """As `_applied`, with what came of it in a file, whatever that was; before the first write it says so too."""
    from reconciler.commit import commit_of  # noqa: PLC0415
    from reconciler.files import write_atomically  # noqa: PLC0415
    from reconciler.holder import name_of_this_run  # noqa: PLC0415
    from reconciler.report import applied_json as json_form  # noqa: PLC0415

    now = arguments.now or datetime.now(UTC)
    plan_id = None if saved is None or isinstance(saved, PlanFileError) else saved.id
    commit = commit_of(arguments.manifests)
    by = json_form.AppliedBy(plan_id, commit, name_of_this_run(os.environ), now)

    def write(render: Callable[[AppliedBy], str]) -> None:
        write_atomically(path, render(by).encode(), mode=0o600)

    write(json_form.render_unfinished)
    try:
        report = _applied(arguments, saved)
    except ReconcilerError as exc:
        code, found = exc.exit_code, exc.diagnostics
        write(lambda by: json_form.render_refused(by, code, found))
        raise
    except OSError as exc:
        problem = error("system", exc.strerror or str(exc), "Free space, or correct the path or its permissions.")
        write(lambda by: json_form.render_refused(by, ExitCode.ERROR, [problem]))
        raise
    except KeyboardInterrupt:
        write(json_form.render_interrupted)
        raise
    if report is None:
        write(lambda by: json_form.render_refused(by, ExitCode.DONE, []))
    else:
        write(lambda by: json_form.render_report(by, report))
    return report


def _saved(file: Path | None) -> PlanDocument | PlanFileError | None:
    """The saved plan, or why it cannot be used: that is raised in its turn, after what is wrong with the settings."""
    from reconciler.document import load_document  # noqa: PLC0415

    try:
        return load_document(file) if file is not None else None
    except PlanFileError as exc:
        return exc
