"""The command line: arguments, exit codes, and, with `console.py`, the only place that prints.

The result goes to stdout and nothing else does; progress, diagnostics and logs go to stderr. What a verb needs is
imported when it runs, so that `--help` is quick.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reconciler.arguments import DEFAULT_SETTINGS, build_parser
from reconciler.console import (
    configure_logging,
    configure_streams,
    discard_stdout,
    has_color,
    print_diagnostics,
    progress,
    say,
    write_data,
    write_lines,
)
from reconciler.errors import Diagnostic, ExitCode, ReconcilerError, Severity, worst_exit_code
from reconciler.termination import TerminatedError, termination_as_interrupt

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from reconciler.document import PlanDocument
    from reconciler.drift import DriftDocument
    from reconciler.invocation import Invocation
    from reconciler.selection import Selection


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    with termination_as_interrupt():
        return _main(argv)


def _main(argv: Sequence[str] | None) -> int:
    try:
        configure_streams()
        try:
            arguments = build_parser().parse_args(argv)
        except SystemExit:
            sys.stdout.flush()  # a reader of the help that went away is met here
            raise
        configure_logging(is_verbose=arguments.verbose)
        return _run_verb(arguments)
    except KeyboardInterrupt as exc:
        sys.stderr.write("interrupted; what was written stays written, and the next run goes on from there\n")
        return 128 + (signal.SIGTERM if isinstance(exc, TerminatedError) else signal.SIGINT)
    except BrokenPipeError:
        discard_stdout()
        return int(ExitCode.ERROR)


def _run_verb(arguments: argparse.Namespace) -> int:
    try:
        code = _VERBS[arguments.verb](arguments)
        sys.stdout.flush()
    except ReconcilerError as exc:
        print_diagnostics(exc.diagnostics, is_color_wanted=not arguments.no_color)
        return int(exc.exit_code)
    except BrokenPipeError:
        raise
    except OSError as exc:
        place = f"{exc.filename}: " if exc.filename else ""
        detail = "Free space, or correct the path or its permissions; nothing half-written was left."
        problem = Diagnostic(Severity.ERROR, "system", f"{place}{exc.strerror or exc}", detail)
        print_diagnostics([problem], is_color_wanted=not arguments.no_color)
        try:
            sys.stdout.flush()
        except OSError:
            discard_stdout()  # it is the output itself that cannot be written
        return int(ExitCode.ERROR)
    return int(code)


def _validate(arguments: argparse.Namespace) -> ExitCode:
    from reconciler import run  # noqa: PLC0415
    from reconciler.report.text import counted  # noqa: PLC0415

    invocation = _open(arguments)
    fleet, diagnostics = run.validate(invocation, arguments.paths)
    run.check_providers(fleet, invocation.settings)
    print_diagnostics(diagnostics, is_color_wanted=not arguments.no_color)
    numbers = f"{counted(len(fleet.organizations), 'organization')}, {counted(len(fleet.domains), 'domain')}"
    write_lines(f"Valid: {numbers}.\n")
    return ExitCode.DONE


def _plan(arguments: argparse.Namespace) -> ExitCode:
    from reconciler import run  # noqa: PLC0415
    from reconciler.document import render_document  # noqa: PLC0415
    from reconciler.files import write_atomically  # noqa: PLC0415

    invocation = _open(arguments)
    document = run.plan(invocation, _selection(arguments))
    for path in (arguments.out, arguments.json_into):
        if path is not None:
            write_atomically(path, render_document(document).encode(), mode=0o600)
    write = write_lines if arguments.format == "text" else write_data
    write(_rendered(document, invocation.settings.templates, arguments))
    return worst_exit_code(_plan_codes(document, is_detailed=arguments.detailed_exitcode))


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


def _plan_codes(document: PlanDocument, *, is_detailed: bool) -> Iterator[ExitCode]:
    if any(d.severity is Severity.ERROR for d in document.diagnostics):
        yield ExitCode.ERROR
    if document.has_changes and is_detailed:
        yield ExitCode.CHANGES
    if document.unfinished:
        yield ExitCode.INCOMPLETE


def _apply(arguments: argparse.Namespace) -> ExitCode:
    from reconciler import run_apply  # noqa: PLC0415
    from reconciler.report.applied import render_applied  # noqa: PLC0415

    if arguments.file and (arguments.domain or arguments.organization):
        build_parser().error("a saved plan is applied whole: --domain and --organization go with --auto-approve")
    invocation = _open(arguments)
    if arguments.now is not None and arguments.now > datetime.now(UTC):
        say("warning: every wait is judged as of the time that was given, which is still to come")
    if arguments.file:
        report = run_apply.apply_saved(invocation, arguments.file, timedelta(seconds=arguments.wait))
    else:
        report = run_apply.apply_now(invocation, _selection(arguments), timedelta(seconds=arguments.wait))
    print_diagnostics(
        # what is about the run as a whole says why nothing was done: a freeze, the kill switch, a limit
        [d for d in report.plan.diagnostics_as_data() if d.severity is Severity.ERROR or not (d.file or d.domain)],
        is_color_wanted=not arguments.no_color,
    )
    write_lines(render_applied(report, color=has_color(sys.stdout, is_wanted=not arguments.no_color)))
    if report.interrupted is not None:
        raise report.interrupted
    return worst_exit_code(report.exit_codes)


def _drift(arguments: argparse.Namespace) -> ExitCode:
    from reconciler import run_drift  # noqa: PLC0415
    from reconciler.drift import DriftSeverity, render_drift_json  # noqa: PLC0415
    from reconciler.files import write_atomically  # noqa: PLC0415

    invocation = _open(arguments)
    document = run_drift.drift(invocation, _selection(arguments), is_recorded=arguments.record)
    if arguments.json_into is not None:
        write_atomically(arguments.json_into, render_drift_json(document).encode(), mode=0o600)
    write = write_lines if arguments.format == "text" else write_data
    write(_rendered_drift(document, invocation.settings.templates, arguments))
    fail_on = DriftSeverity(arguments.fail_on) if arguments.fail_on else None
    return worst_exit_code(run_drift.drift_codes(document, is_detailed=arguments.detailed_exitcode, fail_on=fail_on))


def _rendered_drift(document: DriftDocument, templates: Path | None, arguments: argparse.Namespace) -> str:
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


def _emit(arguments: argparse.Namespace) -> ExitCode:
    from reconciler import run_emit  # noqa: PLC0415

    invocation, selection = _open(arguments), _selection(arguments)
    if arguments.what in {"exchange", "allowlists"}:
        from reconciler.run_emit_origin import emit_origins  # noqa: PLC0415

        result = emit_origins(invocation, selection, arguments.out, is_exchange=arguments.what == "exchange")
    else:
        emit = run_emit.emit_octodns if arguments.what == "octodns" else run_emit.emit_instructions
        result = emit(invocation, selection, arguments.out)
    print_diagnostics(result.diagnostics, is_color_wanted=not arguments.no_color)
    write_lines("".join(f"{line}\n" for line in result.lines))
    return worst_exit_code(result.exit_codes)


def _import(arguments: argparse.Namespace) -> ExitCode:
    from reconciler import run_import  # noqa: PLC0415

    if not arguments.domains and arguments.source is None:
        build_parser().error("import: name domains, or a file of them with --from FILE")
    result = run_import.import_domains(
        _open(arguments), arguments.domains, arguments.source, arguments.organization, arguments.out
    )
    print_diagnostics(result.diagnostics, is_color_wanted=not arguments.no_color)
    write_data(result.text)
    return worst_exit_code(result.exit_codes)


def _check(arguments: argparse.Namespace) -> ExitCode:
    from reconciler import run, run_check  # noqa: PLC0415
    from reconciler.report.checked import render_checked  # noqa: PLC0415

    invocation = _open(arguments)
    declared = {}
    if arguments.manifests.is_dir():
        fleet, _ = run.validate(invocation, ())
        declared = {d.name: d for d in fleet.domains}
    checked = run_check.check_domains(
        invocation, arguments.domains, declared, region=arguments.region, multi_region=arguments.multi_region
    )
    write_lines(render_checked(checked, color=has_color(sys.stdout, is_wanted=not arguments.no_color)))
    return worst_exit_code(c.exit_code for c in checked)


def _schema(arguments: argparse.Namespace) -> ExitCode:
    import json  # noqa: PLC0415

    from reconciler.schemas import load_schema  # noqa: PLC0415

    write_data(json.dumps(load_schema(arguments.what), indent=2) + "\n")
    return ExitCode.DONE


def _open(arguments: argparse.Namespace) -> Invocation:
    from reconciler.commit import commit_of  # noqa: PLC0415
    from reconciler.holder import name_of_this_run  # noqa: PLC0415
    from reconciler.invocation import open_invocation  # noqa: PLC0415

    return open_invocation(
        manifests=arguments.manifests,
        settings_file=arguments.settings or DEFAULT_SETTINGS,
        is_settings_required=arguments.settings is not None,
        now=arguments.now or datetime.now(UTC),
        commit=commit_of(arguments.manifests),
        progress=progress,
        holder=name_of_this_run(os.environ),
        say=say,
    )


def _selection(arguments: argparse.Namespace) -> Selection:
    from reconciler.selection import Selection  # noqa: PLC0415

    return Selection(tuple(arguments.domain), tuple(arguments.organization))


_VERBS = {
    "validate": _validate,
    "plan": _plan,
    "apply": _apply,
    "drift": _drift,
    "emit": _emit,
    "import": _import,
    "check": _check,
    "schema": _schema,
}
