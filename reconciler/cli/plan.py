"""`plan`: what differs, and what would be done."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.opened import opened, selected
from reconciler.cli.parser import add_selection, add_shard
from reconciler.cli.sharded import add_engine, is_sharded, plan_sharded
from reconciler.console import has_color, write_data, write_lines
from reconciler.errors import ExitCode, Severity, worst_exit_code

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from reconciler.cli.parser import Parser
    from reconciler.document import PlanDocument


def add_arguments(plan: Parser) -> None:
    """Its arguments."""
    plan.add_argument("--out", type=Path, metavar="FILE", help="save the plan, for `apply FILE`")
    plan.add_argument("--json-into", type=Path, metavar="FILE", help="write the JSON document beside the output")
    plan.add_argument("--format", choices=["text", "json", "markdown", "html"], default="text")
    plan.add_argument("--detailed-exitcode", action="store_true", help="exit 2 when there are changes")
    plan.add_argument(
        "--changed-since",
        metavar="REV",
        help="only domains that the working tree touches since this git revision's last common commit with HEAD",
    )
    plan.add_argument(
        "--offline",
        action="store_true",
        help="ask nobody, and show what is declared; master files are read all the same; not for --out",
    )
    add_selection(plan)
    add_shard(plan)
    add_engine(plan)
    plan.set_defaults(run=run, usage_error=plan.error)


def run(arguments: argparse.Namespace) -> ExitCode:
    """Compare, show, and save where that is wanted."""
    from reconciler import run as pipeline  # noqa: PLC0415

    if arguments.offline and arguments.out is not None:
        arguments.usage_error("a plan that saw nothing is not to be applied: --out does not go with --offline")
    if arguments.shard is not None and arguments.out is not None:
        arguments.usage_error("a shard's plan is not to be applied: --json-into is for `merge`, and --out is merge's")
    invocation = opened(arguments).offline() if arguments.offline else opened(arguments)
    if is_sharded(arguments):
        document = plan_sharded(arguments, invocation)
    else:
        document = pipeline.plan(invocation.with_kept_probes(), selected(arguments))
    return tell_plan(document, invocation.settings.templates, arguments)


def tell_plan(document: PlanDocument, templates: Path | None, arguments: argparse.Namespace) -> ExitCode:
    """Save a plan where that is wanted, and show it; the exit code that it means."""
    from reconciler.document import render_document  # noqa: PLC0415
    from reconciler.files import write_atomically  # noqa: PLC0415

    for path in (arguments.out, arguments.json_into):
        if path is not None:
            write_atomically(path, render_document(document).encode(), mode=0o600)
    write = write_lines if arguments.format == "text" else write_data
    write(_rendered(document, templates, arguments))
    return worst_exit_code(_exit_codes(document, is_detailed=arguments.detailed_exitcode))


def _rendered(document: PlanDocument, templates: Path | None, arguments: argparse.Namespace) -> str:
    if arguments.format == "json":
        from reconciler.document import render_document  # noqa: PLC0415

        return render_document(document)
    if arguments.format == "markdown":
        from reconciler.report.markdown import render_markdown  # noqa: PLC0415

        return render_markdown(document)
    if arguments.format == "html":
        from reconciler.report.html import render_html  # noqa: PLC0415

        return render_html(document, templates)
    from reconciler.report.text import render_text  # noqa: PLC0415

    return render_text(document, color=has_color(sys.stdout, is_wanted=not arguments.no_color))


def _exit_codes(document: PlanDocument, *, is_detailed: bool) -> Iterator[ExitCode]:
    if any(d.severity is Severity.ERROR for d in document.diagnostics):
        yield ExitCode.ERROR
    if document.has_changes and is_detailed:
        yield ExitCode.CHANGES
    if document.unfinished:
        yield ExitCode.INCOMPLETE
