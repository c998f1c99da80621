"""The command line: arguments, exit codes, and the only place that prints.

The result goes to stdout and nothing else does; progress, diagnostics and logs go to stderr. What a verb needs is
imported when it runs, so that `--help` is quick.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from reconciler import __version__
from reconciler.errors import Diagnostic, ExitCode, ReconcilerError, Severity, worst_exit_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from reconciler.document import PlanDocument
    from reconciler.run import Invocation, Selection

_DEFAULT_SETTINGS = Path("reconciler.yaml")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(ExitCode.USAGE, f"{self.prog}: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    arguments = _build_parser().parse_args(argv)
    _configure_logging(is_verbose=arguments.verbose)
    try:
        code = arguments.verb(arguments)
        sys.stdout.flush()
    except ReconcilerError as exc:
        _print_diagnostics(exc.diagnostics, arguments)
        return int(exc.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; what was written stays written, and the next run goes on from there\n")
        return 130
    except BrokenPipeError:
        # the reader went away; keep the interpreter from complaining when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.ERROR)
    except OSError as exc:
        place = f"{exc.filename}: " if exc.filename else ""
        detail = "Free space, or correct the path or its permissions; nothing half-written was left."
        problem = Diagnostic(Severity.ERROR, "system", f"{place}{exc.strerror or exc}", detail)
        _print_diagnostics([problem], arguments)
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

    fleet, diagnostics = run.validate(_open(arguments), arguments.paths)
    _print_diagnostics(diagnostics, arguments)
    sys.stdout.write(f"Valid: {len(fleet.organizations)} organizations, {len(fleet.domains)} domains.\n")
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
    sys.stdout.write(_rendered(document, invocation.settings.templates, arguments))
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

    return render_text(document, color=_has_color(sys.stdout, arguments))


def _plan_codes(document: PlanDocument, *, is_detailed: bool) -> Iterator[ExitCode]:
    if any(d.severity is Severity.ERROR for d in document.diagnostics):
        yield ExitCode.ERROR
    if document.has_changes and is_detailed:
        yield ExitCode.CHANGES
    if document.summary.held or document.summary.unknown:
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
    _print_diagnostics([d for d in report.plan.diagnostics_as_data() if d.severity is Severity.ERROR], arguments)
    sys.stdout.write(render_applied(report, color=_has_color(sys.stdout, arguments)))
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
    _print_diagnostics(result.diagnostics, arguments)
    sys.stdout.write("".join(f"{line}\n" for line in result.lines))
    return worst_exit_code(result.exit_codes)


def _import(arguments: argparse.Namespace) -> ExitCode:
    from reconciler import run_import  # noqa: PLC0415

    if not arguments.domains and arguments.source is None:
        _build_parser().error("import: name domains, or a file of them with --from FILE")
    result = run_import.import_domains(
        _open(arguments), arguments.domains, arguments.source, arguments.organization, arguments.out
    )
    _print_diagnostics(result.diagnostics, arguments)
    sys.stdout.write(result.text)
    return worst_exit_code(result.exit_codes)


def _schema(arguments: argparse.Namespace) -> ExitCode:
    import json  # noqa: PLC0415

    from reconciler.schemas import load_schema  # noqa: PLC0415

    sys.stdout.write(json.dumps(load_schema(arguments.what), indent=2) + "\n")
    return ExitCode.DONE


def _open(arguments: argparse.Namespace) -> Invocation:
    from reconciler import run  # noqa: PLC0415

    return run.open_invocation(
        manifests=arguments.manifests,
        settings_file=arguments.settings or _DEFAULT_SETTINGS,
        is_settings_required=arguments.settings is not None,
        now=arguments.now or datetime.now(UTC),
        commit=_commit(arguments.manifests),
        progress=_progress,
    )


def _selection(arguments: argparse.Namespace) -> Selection:
    from reconciler.run import Selection  # noqa: PLC0415

    return Selection(tuple(arguments.domain), tuple(arguments.organization))


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        message = f"{text!r} is no ISO 8601 time, as 2026-11-01T12:00:00+00:00"
        raise argparse.ArgumentTypeError(message) from exc
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _commit(manifests: Path) -> str | None:
    """The commit that the manifests are at; None without git, or when they differ from it."""
    if not manifests.is_dir():
        return None
    git = ["git", "-C", str(manifests)]
    try:
        status = subprocess.run([*git, "status", "--porcelain", "--", "."], capture_output=True, check=True, timeout=30)  # noqa: S603
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, check=True, timeout=30, text=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return None if status.stdout.strip() else head.stdout.strip()


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    if not sys.stderr.isatty() or not total:
        yield lambda _done: None
        return
    from tqdm import tqdm  # noqa: PLC0415

    with tqdm(total=total, desc=what, leave=False, file=sys.stderr, dynamic_ncols=True) as bar:

        def advance(done: int) -> None:
            bar.update(done - bar.n)

        yield advance


def _print_diagnostics(diagnostics: Iterable[Diagnostic], arguments: argparse.Namespace) -> None:
    from reconciler.report.text import render_diagnostics  # noqa: PLC0415

    sys.stderr.write(
        "".join(f"{line}\n" for line in render_diagnostics(diagnostics, color=_has_color(sys.stderr, arguments)))
    )


def _has_color(stream: object, arguments: argparse.Namespace) -> bool:
    is_wanted = not arguments.no_color and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return is_wanted and bool(getattr(stream, "isatty", bool)())


def _configure_logging(*, is_verbose: bool) -> None:
    import logging  # noqa: PLC0415

    # others' loggers stay quiet: octoDNS warns of what is no concern here, providers log names of keys and accounts
    logging.basicConfig(level=logging.CRITICAL, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("reconciler").setLevel(logging.INFO if is_verbose else logging.WARNING)
