"""The command line: arguments, exit codes, and, with `console.py`, the only place that prints.

The result goes to stdout and nothing else does; progress, diagnostics and logs go to stderr. A module is a verb: its
arguments, and what it runs; it is imported when that verb is asked for, and what it needs when it runs. `command.py` is
what all verbs share.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_INTERRUPTED = 130
"""As shells have it for a process that SIGINT ended: 128 and the signal's number."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    # nothing may be imported before this block: Ctrl-C would end an import with a traceback
    try:
        from reconciler.cli.command import run  # noqa: PLC0415

        return run(argv)
    except KeyboardInterrupt:
        return _INTERRUPTED  # nothing is said, because nothing was begun: what a verb does is told in `run`
