"""`merge`: the plans, or the drifts, of all shards as the one document that one process would have made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.opened import opened
from reconciler.console import say

if TYPE_CHECKING:
    import argparse

    from reconciler.cli.parser import Parser
    from reconciler.errors import ExitCode

_OF_PLANS = ("text", "json", "markdown", "html")
_OF_DRIFTS = (*_OF_PLANS, "sarif", "junit")


def add_arguments(merge: Parser) -> None:
    """Its arguments."""
    merge.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="what `--json-into` of `plan` or `drift --shard` wrote"
    )
    merge.add_argument("--out", type=Path, metavar="FILE", help="save the plan, for `apply FILE`")
    merge.add_argument("--json-into", type=Path, metavar="FILE", help="write the JSON document beside the output")
    merge.add_argument("--sarif-into", type=Path, metavar="FILE", help="of drifts: write SARIF of the same look")
    merge.add_argument("--junit-into", type=Path, metavar="FILE", help="of drifts: write JUnit of the same look")
    merge.add_argument("--format", choices=_OF_DRIFTS, default="text")
    merge.add_argument("--detailed-exitcode", action="store_true", help="exit 2 when there are changes or drift")
    merge.add_argument(
        "--fail-on",
        choices=["critical", "high", "medium", "low", "info"],
        metavar="SEVERITY",
        help="of drifts: exit 2 for this severity or a worse one",
    )
    merge.add_argument(
        "--record", action="store_true", help="of drifts: keep in the journal since when each difference is seen"
    )
    merge.set_defaults(run=run, usage_error=merge.error)


def run(arguments: argparse.Namespace) -> ExitCode:
    """Read, put together, remember where that is wanted, and show as the verb itself does."""
    from reconciler.cli.drift import tell_drift  # noqa: PLC0415
    from reconciler.cli.plan import tell_plan  # noqa: PLC0415
    from reconciler.document import PlanDocument  # noqa: PLC0415
    from reconciler.merge import merge_documents  # noqa: PLC0415
    from reconciler.run_merge import load_named, record  # noqa: PLC0415

    given = load_named(arguments.files)
    document = merge_documents(given)
    if any(found.shard is None for _, found in given):
        say(
            f"nothing to merge: {given[0].name} is of no shard, and tells everything already; it is given back as it is"
        )
    if isinstance(document, PlanDocument):
        _refuse(arguments, "plans", ["sarif_into", "junit_into", "fail_on", "record"])
        if arguments.format not in _OF_PLANS:
            arguments.usage_error(f"there is no plan as {arguments.format}")
        return tell_plan(document, _templates(arguments), arguments)
    _refuse(arguments, "drifts", ["out"])
    if arguments.record:
        record(opened(arguments, reads_manifests=False), document, given)
    return tell_drift(document, _templates(arguments), arguments)


def _refuse(arguments: argparse.Namespace, what: str, names: list[str]) -> None:
    given = [f"--{name.replace('_', '-')}" for name in names if getattr(arguments, name)]
    if given:
        arguments.usage_error(f"these are {what}: {', '.join(given)} does not go with them")


def _templates(arguments: argparse.Namespace) -> Path | None:
    """The folder of the user's own templates: the only thing that is read of the settings, and for HTML alone."""
    return opened(arguments, reads_manifests=False).settings.templates if arguments.format == "html" else None
