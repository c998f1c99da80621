"""`drift`: what is not as declared, or not as it was applied."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.opened import opened, selected
from reconciler.cli.parser import add_selection, add_shard
from reconciler.cli.sharded import add_engine, drift_sharded, is_sharded
from reconciler.console import has_color, write_data, write_lines
from reconciler.errors import ExitCode, worst_exit_code

if TYPE_CHECKING:
    import argparse

    from reconciler.cli.parser import Parser
    from reconciler.drift import DriftDocument


def add_arguments(drift: Parser) -> None:
    """Its arguments."""
    drift.add_argument("--json-into", type=Path, metavar="FILE", help="write the JSON document beside the output")
    drift.add_argument("--sarif-into", type=Path, metavar="FILE", help="write SARIF of the same look")
    drift.add_argument("--junit-into", type=Path, metavar="FILE", help="write JUnit of the same look")
    formats = ["text", "json", "markdown", "html", "sarif", "junit"]
    drift.add_argument("--format", choices=formats, default="text")
    drift.add_argument("--detailed-exitcode", action="store_true", help="exit 2 when there is drift")
    severities = ["critical", "high", "medium", "low", "info"]
    drift.add_argument(
        "--fail-on", choices=severities, metavar="SEVERITY", help="exit 2 for this severity or a worse one"
    )
    drift.add_argument("--record", action="store_true", help="keep in the journal since when each difference is seen")
    add_selection(drift)
    add_shard(drift)
    add_engine(drift)
    drift.set_defaults(run=run, usage_error=drift.error)


def run(arguments: argparse.Namespace) -> ExitCode:
    """Look, decide, show, and remember the look where that is wanted."""
    if arguments.record and arguments.shard is not None:
        arguments.usage_error("a part is not recorded: look at all shards, and `merge --record` records the whole")
    invocation = opened(arguments)
    if is_sharded(arguments):
        document = drift_sharded(arguments, invocation)
    elif arguments.record or _is_document_wanted(arguments):
        from reconciler.run_drift import drift  # noqa: PLC0415

        document = drift(invocation, selected(arguments), is_recorded=arguments.record)
    else:
        from reconciler.run_in_sync import InSync, drift_unless_in_sync  # noqa: PLC0415

        found = drift_unless_in_sync(invocation, selected(arguments))
        if isinstance(found, InSync):
            return _tell_in_sync(found.domains, arguments)
        document = found
    return tell_drift(document, invocation.settings.templates, arguments)


def _is_document_wanted(arguments: argparse.Namespace) -> bool:
    return arguments.format != "text" or any((arguments.json_into, arguments.sarif_into, arguments.junit_into))


def _tell_in_sync(domains: int, arguments: argparse.Namespace) -> ExitCode:
    from reconciler.report.in_sync import render_in_sync  # noqa: PLC0415

    write_lines(render_in_sync(domains, color=has_color(sys.stdout, is_wanted=not arguments.no_color)))
    return ExitCode.DONE


def tell_drift(document: DriftDocument, templates: Path | None, arguments: argparse.Namespace) -> ExitCode:
    """Save a drift where that is wanted, and show it; the exit code that it means."""
    from reconciler import run_drift  # noqa: PLC0415
    from reconciler.drift import DriftSeverity, render_drift_json  # noqa: PLC0415
    from reconciler.files import write_atomically  # noqa: PLC0415

    if arguments.json_into is not None:
        write_atomically(arguments.json_into, render_drift_json(document).encode(), mode=0o600)
    for path, form in ((arguments.sarif_into, "sarif"), (arguments.junit_into, "junit")):
        if path is not None:
            write_atomically(path, _rendered_for_programs(document, form).encode(), mode=0o600)
    write = write_lines if arguments.format == "text" else write_data
    write(_rendered(document, templates, arguments))
    fail_on = DriftSeverity(arguments.fail_on) if arguments.fail_on else None
    return worst_exit_code(run_drift.drift_codes(document, is_detailed=arguments.detailed_exitcode, fail_on=fail_on))


def _rendered(document: DriftDocument, templates: Path | None, arguments: argparse.Namespace) -> str:
    if arguments.format == "json":
        from reconciler.drift import render_drift_json  # noqa: PLC0415

        return render_drift_json(document)
    if arguments.format == "html":
        from reconciler.report.drift_html import render_drift_html  # noqa: PLC0415

        return render_drift_html(document, templates)
    if arguments.format == "text":
        from reconciler.report.drift_text import render_drift_text  # noqa: PLC0415

        return render_drift_text(document, color=has_color(sys.stdout, is_wanted=not arguments.no_color))
    return _rendered_for_programs(document, arguments.format)


def _rendered_for_programs(document: DriftDocument, form: str) -> str:
    from reconciler.report.drift_junit import render_drift_junit  # noqa: PLC0415
    from reconciler.report.drift_markdown import render_drift_markdown  # noqa: PLC0415
    from reconciler.report.drift_sarif import render_drift_sarif  # noqa: PLC0415

    renderers = {"markdown": render_drift_markdown, "sarif": render_drift_sarif, "junit": render_drift_junit}
    return renderers[form](document)
