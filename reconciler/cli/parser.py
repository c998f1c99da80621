"""The options before the verb, and those that several verbs share. A usage error ends the program with 64."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from reconciler import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.selection import Shard

DEFAULT_SETTINGS = Path("reconciler.yaml")
_LONGEST_WAIT = 7 * 24 * 3600
_FIRST_YEAR, _LAST_YEAR = 1970, 9000


class Parser(argparse.ArgumentParser):
    """A parser whose errors are shown safely and end with our exit code."""

    def __init__(self, **given: Any) -> None:  # noqa: ANN401 - as argparse's
        """Like argparse's, and without shortened options: one would mean another one day."""
        super().__init__(allow_abbrev=False, **given)
        self.before_verb: frozenset[str] = frozenset()

    def parse_args(  # type: ignore[override]  # argparse's overloads say no more
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """As argparse's; what stands behind the verb and belongs before it is told so."""
        arguments, unknown = self.parse_known_args(args, namespace)
        if unknown:
            misplaced = [word for word in unknown if word.partition("=")[0] in self.before_verb]
            advice = f"; put {' '.join(misplaced)} before the verb" if misplaced else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{advice}")
        return arguments

    def error(self, message: str) -> NoReturn:
        """Show how it is used, and end."""
        from reconciler.errors import ExitCode  # noqa: PLC0415 - keeps `--help` quick, here and below
        from reconciler.escape import terminal_text  # noqa: PLC0415

        self.print_usage(sys.stderr)
        self.exit(ExitCode.USAGE, f"{self.prog}: {terminal_text(message)}\n")


def new_parser() -> Parser:
    """The parser with the options that stand before the verb; it has no verbs yet."""
    parser = Parser(
        prog="reconciler", description="Puts mail domains behind an e-mail security gateway and keeps them there."
    )
    for_all = (
        parser.add_argument("--version", action="version", version=f"reconciler {__version__}"),
        parser.add_argument(
            "--manifests", type=Path, default=Path("manifests"), metavar="DIR", help="default: manifests"
        ),
        parser.add_argument(
            "--settings", type=Path, metavar="FILE", help=f"default: {DEFAULT_SETTINGS}, if there is one"
        ),
        parser.add_argument(
            "--no-color", action="store_true", help="no colours; NO_COLOR in the environment does the same"
        ),
        parser.add_argument("-v", "--verbose", action="store_true", help="say on stderr what is being done"),
        parser.add_argument("--now", type=_time, metavar="TIME", help="ISO 8601; compute everything as of then"),
    )
    parser.before_verb = frozenset(name for action in for_all for name in action.option_strings)
    return parser


def add_selection(parser: argparse.ArgumentParser) -> None:
    """The options that choose domains."""
    parser.add_argument("--domain", action="append", default=[], metavar="D", help="only this domain; may be repeated")
    parser.add_argument(
        "--organization", action="append", default=[], metavar="O", help="only this organization; likewise"
    )


def add_shard(parser: argparse.ArgumentParser) -> None:
    """The option that takes a part of what is chosen."""
    parser.add_argument(
        "--shard",
        type=_shard,
        metavar="INDEX/COUNT",
        help="only this part of it, as 2/7; `reconciler merge` puts the JSON documents of all parts together",
    )


def seconds(text: str) -> float:
    """A time to wait, in seconds."""
    try:
        seconds = float(text)
    except ValueError as exc:
        message = f"{text!r} is no number of seconds"
        raise argparse.ArgumentTypeError(message) from exc
    if not 0 <= seconds <= _LONGEST_WAIT:
        message = f"{text!r} is not between 0 and {_LONGEST_WAIT} seconds"
        raise argparse.ArgumentTypeError(message)
    return seconds


def _shard(text: str) -> Shard:
    from reconciler.selection import Shard  # noqa: PLC0415

    try:
        return Shard.parse(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from exc


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
