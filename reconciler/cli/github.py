"""`github publish` and `github reviewed`: what GitHub shows, and the plans that were reviewed there."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reconciler.cli.opened import opened
from reconciler.cli.parser import Parser
from reconciler.console import print_diagnostics, say, write_data, write_lines
from reconciler.errors import Diagnostic, ExitCode

_NO_NUMBER = 10**12


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < _NO_NUMBER):
        message = f"{text!r} is no number of a pull request"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def add_arguments(github: Parser) -> None:
    """Its arguments."""
    actions = github.add_subparsers(title="actions", required=True, metavar="ACTION", parser_class=Parser)
    publish = actions.add_parser("publish", help="annotations, the job's summary, and a comment or an issue")
    publish.add_argument("file", type=Path, metavar="FILE", help="a plan, apply or drift document")
    publish.add_argument(
        "--pull-request", type=_number, metavar="N", help="default: the one that the run is about, if there is one"
    )
    publish.add_argument("--no-comment", action="store_true", help="no comment and no issue: GitHub is sent nothing")
    publish.set_defaults(run=run_publish)
    reviewed = actions.add_parser("reviewed", help="the plans of merged pull requests that are still to be applied")
    reviewed.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the plans go, as N.json")
    reviewed.add_argument("--workflow", default="plan.yml", metavar="FILE", help="the plan workflow; default: plan.yml")
    reviewed.add_argument("--artifact", default="plan", metavar="NAME", help="its artifact; default: plan")
    reviewed.set_defaults(run=run_reviewed)


def run_publish(arguments: argparse.Namespace) -> ExitCode:
    """Show one document; workflow commands go to stdout, where the runner reads them."""
    from reconciler.documents import EVERY, load_documents  # noqa: PLC0415 - keeps `--help` quick
    from reconciler.github.environment import read_environment  # noqa: PLC0415
    from reconciler.github.publish import Publication, annotations_of, summarize, tell  # noqa: PLC0415

    environment = read_environment(os.environ, needs_token=not arguments.no_comment)
    chosen = arguments.pull_request or (environment.pull.number if environment.pull is not None else None)
    now = arguments.now or datetime.now(UTC)
    [document] = load_documents([arguments.file], EVERY)
    publication = Publication(document, environment, chosen, now)
    write_data(annotations_of(publication))
    summarize(publication)
    if not arguments.no_comment:
        write_data(tell(publication, say))
    return ExitCode.DONE


def run_reviewed(arguments: argparse.Namespace) -> ExitCode:
    """Write the plans; their files go to stdout, a line each, in the order in which they are to be applied."""
    from reconciler.github.annotations import diagnostic_annotations, render_annotations  # noqa: PLC0415
    from reconciler.github.environment import read_environment  # noqa: PLC0415
    from reconciler.github.reviewed import Wanted, fetch_reviewed  # noqa: PLC0415
    from reconciler.memory import open_memory  # noqa: PLC0415

    environment = read_environment(os.environ)
    invocation = opened(arguments, reads_manifests=False)
    since = invocation.now - timedelta(hours=invocation.settings.plan_expires_hours)
    with open_memory(invocation.settings) as memory:
        wanted = Wanted(
            since=since,
            now=invocation.now,
            workflow=arguments.workflow,
            artifact=arguments.artifact,
            directory=arguments.out,
            is_used=memory.is_plan_used,
        )
        for found in fetch_reviewed(environment, wanted, say):
            if isinstance(found, Diagnostic):
                print_diagnostics([found], is_color_wanted=not arguments.no_color)
                # the runner takes commands from stderr as well; stdout is the list of plans
                sys.stderr.write(render_annotations(diagnostic_annotations([found])))
            else:
                write_lines(f"{found}\n")
    return ExitCode.DONE
