"""The arguments of the command line, and nothing of what they do. A usage error ends the program with 64."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from reconciler import __version__
from reconciler.errors import ExitCode
from reconciler.escape import terminal_text

if TYPE_CHECKING:
    from argparse import _SubParsersAction

DEFAULT_SETTINGS = Path("reconciler.yaml")
_LONGEST_WAIT = 7 * 24 * 3600
_FIRST_YEAR, _LAST_YEAR = 1970, 9000


class _Parser(argparse.ArgumentParser):
    def __init__(self, **given: Any) -> None:  # noqa: ANN401 - as argparse's
        # a shortened option would mean another one day
        super().__init__(allow_abbrev=False, **given)

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(ExitCode.USAGE, f"{self.prog}: {terminal_text(message)}\n")


def build_parser() -> argparse.ArgumentParser:
    """The parser; the verb that was chosen is its result's `verb`."""
    parser = _Parser(
        prog="reconciler", description="Puts mail domains behind an e-mail security gateway and keeps them there."
    )
    parser.add_argument("--version", action="version", version=f"reconciler {__version__}")
    parser.add_argument("--manifests", type=Path, default=Path("manifests"), metavar="DIR", help="default: manifests")
    parser.add_argument("--settings", type=Path, metavar="FILE", help=f"default: {DEFAULT_SETTINGS}, if there is one")
    parser.add_argument("--no-color", action="store_true", help="no colours; NO_COLOR in the environment does the same")
    parser.add_argument("-v", "--verbose", action="store_true", help="say on stderr what is being done")
    parser.add_argument("--now", type=_time, metavar="TIME", help="ISO 8601; compute everything as of then")
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB", parser_class=_Parser)

    _add_validate_plan_apply(verbs)
    _add_drift(verbs)
    _add_emit_import_schema(verbs)
    return parser


def _add_validate_plan_apply(verbs: _SubParsersAction[_Parser]) -> None:
    validate = verbs.add_parser("validate", help="check manifests, offline")
    validate.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="files or folders; default: all manifests"
    )
    validate.set_defaults(verb="validate")

    plan = verbs.add_parser("plan", help="show what differs and what would be done; writes nothing")
    plan.add_argument("--out", type=Path, metavar="FILE", help="save the plan, for `apply FILE`")
    plan.add_argument("--json-into", type=Path, metavar="FILE", help="write the JSON document beside the output")
    plan.add_argument("--format", choices=["text", "json", "markdown", "html"], default="text")
    plan.add_argument("--detailed-exitcode", action="store_true", help="exit 2 when there are changes")
    _add_selection(plan)
    plan.set_defaults(verb="plan")

    apply = verbs.add_parser("apply", help="write what is ready: a saved plan, or all that is ready now")
    what = apply.add_mutually_exclusive_group(required=True)
    what.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a plan saved by `plan --out FILE`")
    what.add_argument("--auto-approve", action="store_true", help="plan and apply at once, without a review")
    apply.add_argument(
        "--wait", type=_seconds, default=0, metavar="SECONDS", help="stay until held steps may go on, at most so long"
    )
    _add_selection(apply)
    apply.set_defaults(verb="apply")


def _add_drift(verbs: _SubParsersAction[_Parser]) -> None:
    drift = verbs.add_parser("drift", help="show what is not as declared or not as it was applied; never writes DNS")
    drift.add_argument("--json-into", type=Path, metavar="FILE", help="write the JSON document beside the output")
    formats = ["text", "json", "markdown", "html", "sarif", "junit"]
    drift.add_argument("--format", choices=formats, default="text")
    drift.add_argument("--detailed-exitcode", action="store_true", help="exit 2 when there is drift")
    severities = ["critical", "high", "medium", "low", "info"]
    drift.add_argument(
        "--fail-on", choices=severities, metavar="SEVERITY", help="exit 2 for this severity or a worse one"
    )
    drift.add_argument("--record", action="store_true", help="keep in the journal since when each difference is seen")
    _add_selection(drift)
    drift.set_defaults(verb="drift")


def _add_emit_import_schema(verbs: _SubParsersAction[_Parser]) -> None:
    emit = verbs.add_parser("emit", help="write configuration or instructions for somebody else to carry out")
    emit.add_argument("what", choices=["octodns", "instructions", "exchange", "allowlists"])
    emit.add_argument("--out", type=Path, required=True, metavar="DIR")
    _add_selection(emit)
    emit.set_defaults(verb="emit")

    importer = verbs.add_parser("import", help="draft manifests from live DNS")
    importer.add_argument("domains", nargs="*", metavar="DOMAIN")
    importer.add_argument(
        "--from", dest="source", type=Path, metavar="FILE", help="a list, or CSV: domain,organization"
    )
    importer.add_argument("--organization", default="", metavar="O", help="for domains that name none")
    importer.add_argument(
        "--out", type=Path, metavar="DIR", help="write one manifest for each organization; default: stdout"
    )
    importer.set_defaults(verb="import")

    check = verbs.add_parser("check", help="look for what would lose mail if a domain's MX moved to the gateway now")
    check.add_argument("domains", nargs="+", metavar="DOMAIN")
    check.add_argument("--region", metavar="R", help="the gateway's region, for domains that no manifest declares")
    check.add_argument("--multi-region", action="store_true", help="with multi-region, likewise")
    check.set_defaults(verb="check")

    schema = verbs.add_parser("schema", help="print a JSON Schema")
    schema.add_argument("what", choices=["manifest", "settings", "plan", "drift"])
    schema.set_defaults(verb="schema")


def _add_selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--domain", action="append", default=[], metavar="D", help="only this domain; may be repeated")
    parser.add_argument(
        "--organization", action="append", default=[], metavar="O", help="only this organization; likewise"
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError as exc:
        message = f"{text!r} is no number of seconds"
        raise argparse.ArgumentTypeError(message) from exc
    if not 0 <= seconds <= _LONGEST_WAIT:
        message = f"{text!r} is not between 0 and {_LONGEST_WAIT} seconds"
        raise argparse.ArgumentTypeError(message)
    return seconds


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
