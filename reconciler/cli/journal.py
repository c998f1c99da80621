"""`journal`: the journal between runs of CI, on a branch of its own."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

from reconciler.cli.parser import DEFAULT_SETTINGS, Parser, seconds
from reconciler.console import print_diagnostics, say, write_lines
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    import argparse

    from reconciler.journal_branch import Result
    from reconciler.settings import Settings

_BRANCH, _REMOTE = "reconciler-journal", "origin"
_LEASE = 6 * 3600
"""Seconds: no job on a runner of GitHub's own lasts longer."""


def add_arguments(journal: Parser) -> None:
    """Its arguments."""
    actions = journal.add_subparsers(title="actions", required=True, metavar="ACTION", parser_class=Parser)
    fetch = actions.add_parser("fetch", help="get it from the branch, and claim the branch for this run alone")
    _add_branch(fetch)
    how = fetch.add_mutually_exclusive_group()
    how.add_argument("--read-only", action="store_true", help="only to read it: nothing is claimed, and nothing pushed")
    how.add_argument(
        "--take-over",
        action="store_true",
        help="no other run can be at work: a claim that is there is a dead run's; every wait begins anew then",
    )
    fetch.add_argument(
        "--lease",
        type=seconds,
        default=_LEASE,
        metavar="SECONDS",
        help="how long this run may be at work; afterwards others take it for dead (default: 6 hours)",
    )
    fetch.set_defaults(run=run_fetch)
    push = actions.add_parser("push", help="bring it back to the branch, and give up the claim")
    _add_branch(push)
    push.set_defaults(run=run_push)


def _add_branch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--branch", default=_BRANCH, metavar="NAME", help=f"default: {_BRANCH}")
    parser.add_argument("--remote", default=_REMOTE, metavar="NAME", help=f"default: {_REMOTE}")
    parser.add_argument(
        "--wait",
        type=seconds,
        metavar="SECONDS",
        help="how long to wait for another run (default: as the settings say)",
    )


def run_fetch(arguments: argparse.Namespace) -> ExitCode:
    """Fetch, and say what was fetched."""
    from reconciler.holder import name_of_this_run  # noqa: PLC0415 - keeps `--help` quick
    from reconciler.journal_branch import BranchName, FetchOptions, fetch_journal  # noqa: PLC0415

    settings = _settings(arguments)
    options = FetchOptions(
        wait=_wait(arguments, settings),
        lease=timedelta(seconds=arguments.lease),
        is_read_only=arguments.read_only,
        is_taking_over=arguments.take_over,
    )
    name = BranchName(arguments.remote, arguments.branch)
    holder = name_of_this_run(os.environ)
    _show(arguments, fetch_journal(settings, name, options, holder=holder, environment=os.environ, say=say))
    return ExitCode.DONE


def run_push(arguments: argparse.Namespace) -> ExitCode:
    """Push, and say what was pushed."""
    from reconciler.holder import name_of_this_run  # noqa: PLC0415
    from reconciler.journal_branch import BranchName, push_journal  # noqa: PLC0415

    settings = _settings(arguments)
    name, wait = BranchName(arguments.remote, arguments.branch), _wait(arguments, settings)
    holder = name_of_this_run(os.environ)
    _show(arguments, push_journal(settings, name, wait, holder=holder, environment=os.environ, say=say))
    return ExitCode.DONE


def _settings(arguments: argparse.Namespace) -> Settings:
    from reconciler.settings import load_settings  # noqa: PLC0415

    return load_settings(arguments.settings or DEFAULT_SETTINGS, required=arguments.settings is not None)


def _wait(arguments: argparse.Namespace, settings: Settings) -> timedelta:
    return settings.lock.wait if arguments.wait is None else timedelta(seconds=arguments.wait)


def _show(arguments: argparse.Namespace, result: Result) -> None:
    from reconciler.escape import terminal_text  # noqa: PLC0415

    print_diagnostics(result.diagnostics, is_color_wanted=not arguments.no_color)
    write_lines("".join(f"{terminal_text(line)}\n" for line in result.lines))
