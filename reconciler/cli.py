"""The command line: arguments, exit codes, and, with `console.py`, the only place that prints.

The result goes to stdout and nothing else does; progress, diagnostics and logs go to stderr. What a verb needs is
imported when it runs, so that `--help` is quick.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from reconciler import __version__
from reconciler.console import (
    configure_logging,
    configure_streams,
    discard_stdout,
    has_color,
    print_diagnostics,
    progress,
    write_data,
    write_lines,
)
from reconciler.errors import Diagnostic, ExitCode, ReconcilerError, Severity, worst_exit_code
from reconciler.escape import terminal_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.document import PlanDocument
    from reconciler.run import Invocation
    from reconciler.selection import Selection

_DEFAULT_SETTINGS = Path("reconciler.yaml")
_FIRST_YEAR, _LAST_YEAR = 1970, 9000


class _Parser(argparse.ArgumentParser):
    def __init__(self, **given: Any) -> None:  # noqa: ANN401 - as argparse's
        # a shortened option would mean another one day
        super().__init__(allow_abbrev=False, **given)

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(ExitCode.USAGE, f"{self.prog}: {terminal_text(message)}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    try:
        configure_streams()
        try:
            arguments = _build_parser().parse_args(argv)
        except SystemExit:
            sys.stdout.flush()  # a reader of the help that went away is met here
            raise
        configure_logging(is_verbose=arguments.verbose)
        return _run_verb(arguments)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; what was written stays written, and the next run goes on from there\n")
        return 130
    except BrokenPipeError:
        discard_stdout()
        return int(ExitCode.ERROR)


def _run_verb(arguments: argparse.Namespace) -> int:
    try:
        code = arguments.verb(arguments)
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


def _build_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="reconciler", description="Puts mail domains behind an e-mail security gateway and keeps them there."
    )
    parser.add_argument("--version", action="version", version=f"reconciler {__version__}")
    parser.add_argument("--manifests", type=Path, default=Path("manifests"), metavar="DIR", help="default: manifests")
    parser.add_argument("--settings", type=Path, metavar="FILE", help=f"default: {_DEFAULT_SETTINGS}, if there is one")
    parser.add_argument("--no-color", action="store_true", help="no colours; NO_COLOR in the environment does the same")
    parser.add_argument("-v", "--verbose", action="store_true", help="say on stderr what is being done")
    parser.add_argument("--now", type=_time, metavar="TIME", help="ISO 8601; compute everything as of then")
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB", parser_class=_Parser)

    validate = verbs.add_parser("validate", help="check manifests, offline")
    validate.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="files or folders; default: all manifests"
    )
    validate.set_defaults(verb=_validate)

    plan = verbs.add_parser("plan", help="show what differs and what would be done; writes nothing")
    plan.add_argument("--out", type=Path, metavar="FILE", help="save the plan, for `apply FILE`")
    plan.add_argument("--json-into", type=Path, metavar="FILE", help="write the JSON document beside the output")
    plan.add_argument("--format", choices=["text", "json", "markdown", "html"], default="text")
    plan.add_argument("--detailed-exitcode", action="store_true", help="exit 2 when there are changes")
    _add_selection(plan)
    plan.set_defaults(verb=_plan)

    apply = verbs.add_parser("apply", help="write what is ready: a saved plan, or all that is ready now")
    what = apply.add_mutually_exclusive_group(required=True)
    what.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a plan saved by `plan --out FILE`")
    what.add_argument("--auto-approve", action="store_true", help="plan and apply at once, without a review")
    _add_selection(apply)
    apply.set_defaults(verb=_apply)

    emit = verbs.add_parser("emit", help="write configuration or instructions for somebody else to carry out")
    emit.add_argument("what", choices=["octodns", "instructions", "exchange", "allowlists"])
    emit.add_argument("--out", type=Path, required=True, metavar="DIR")
    _add_selection(emit)
    emit.set_defaults(verb=_emit)

    importer = verbs.add_parser("import", help="draft manifests from live DNS")
    importer.add_argument("domains", nargs="*", metavar="DOMAIN")
    importer.add_argument(
        "--from", dest="source", type=Path, metavar="FILE", help="a list, or CSV: domain,organization"
    )
    importer.add_argument("--organization", default="", metavar="O", help="for domains that name none")
    importer.add_argument(
        "--out", type=Path, metavar="DIR", help="write one manifest for each organization; default: stdout"
    )
    importer.set_defaults(verb=_import)

    schema = verbs.add_parser("schema", help="print a JSON Schema")
    schema.add_argument("what", choices=["manifest", "settings", "plan"])
    schema.set_defaults(verb=_schema)
    return parser


def _add_selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--domain", action="append", default=[], metavar="D", help="only this domain; may be repeated")
    parser.add_argument(
        "--organization", action="append", default=[], metavar="O", help="only this organization; likewise"
    )


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
        _build_parser().error("a saved plan is applied whole: --domain and --organization go with --auto-approve")
    invocation = _open(arguments)
    if arguments.file:
        report = run_apply.apply_saved(invocation, arguments.file)
    else:
        report = run_apply.apply_now(invocation, _selection(arguments))
    print_diagnostics(
        [d for d in report.plan.diagnostics_as_data() if d.severity is Severity.ERROR],
        is_color_wanted=not arguments.no_color,
    )
    write_lines(render_applied(report, color=has_color(sys.stdout, is_wanted=not arguments.no_color)))
    return worst_exit_code(report.exit_codes)


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
        _build_parser().error("import: name domains, or a file of them with --from FILE")
    result = run_import.import_domains(
        _open(arguments), arguments.domains, arguments.source, arguments.organization, arguments.out
    )
    print_diagnostics(result.diagnostics, is_color_wanted=not arguments.no_color)
    write_data(result.text)
    return worst_exit_code(result.exit_codes)


def _schema(arguments: argparse.Namespace) -> ExitCode:
    import json  # noqa: PLC0415

    from reconciler.schemas import load_schema  # noqa: PLC0415

    write_data(json.dumps(load_schema(arguments.what), indent=2) + "\n")
    return ExitCode.DONE


def _open(arguments: argparse.Namespace) -> Invocation:
    from reconciler import run  # noqa: PLC0415
    from reconciler.commit import commit_of  # noqa: PLC0415

    return run.open_invocation(
        manifests=arguments.manifests,
        settings_file=arguments.settings or _DEFAULT_SETTINGS,
        is_settings_required=arguments.settings is not None,
        now=arguments.now or datetime.now(UTC),
        commit=commit_of(arguments.manifests),
        progress=progress,
    )


def _selection(arguments: argparse.Namespace) -> Selection:
    from reconciler.selection import Selection  # noqa: PLC0415

    return Selection(tuple(arguments.domain), tuple(arguments.organization))


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        message = f"{text!r} is no ISO 8601 time, as 2026-11-01T12:00:00+00:00"
        raise argparse.ArgumentTypeError(message) from exc
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        message = f"{text!r} is not between {_FIRST_YEAR} and {_LAST_YEAR}"
        raise argparse.ArgumentTypeError(message)
    return moment
