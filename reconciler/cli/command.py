"""One run of the command line: its arguments, its verb, and the exit code of whatever became of it."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from typing import TYPE_CHECKING

from reconciler.cli.streams import configure_streams, discard_stdout
from reconciler.cli.verbs import build_parser
from reconciler.termination import TerminatedError, termination_as_interrupt

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def run(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    # pydantic would look for plugins in every installed package, and let any of them change our models
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # the interpreter's last collection would walk all that the run made, just before all of it goes
    atexit.register(gc.freeze)
    with termination_as_interrupt():
        return _run(argv)


def _run(argv: Sequence[str] | None) -> int:
    try:
        configure_streams()
        parser = build_parser()
        try:
            arguments = parser.parse_args(argv)
        except SystemExit:
            sys.stdout.flush()  # a reader of the help that went away is met here
            raise
        return _run_verb(arguments)
    except KeyboardInterrupt as exc:
        sys.stderr.write("interrupted; what was written stays written, and the next run goes on from there\n")
        return 128 + (signal.SIGTERM if isinstance(exc, TerminatedError) else signal.SIGINT)
    except BrokenPipeError:
        from reconciler.errors import ExitCode  # noqa: PLC0415 - what `--help` can do without, as below

        discard_stdout()
        return int(ExitCode.ERROR)


def _run_verb(arguments: argparse.Namespace) -> int:
    from reconciler.collector import rare_collection  # noqa: PLC0415
    from reconciler.console import configure_logging, print_diagnostics, print_errors  # noqa: PLC0415
    from reconciler.errors import Diagnostic, ExitCode, ReconcilerError, Severity  # noqa: PLC0415

    configure_logging(is_verbose=arguments.verbose)
    try:
        with rare_collection():
            code: ExitCode = arguments.run(arguments)
        sys.stdout.flush()
    except ReconcilerError as exc:
        print_errors(exc, is_color_wanted=not arguments.no_color)
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
