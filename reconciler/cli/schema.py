"""`schema`: the JSON Schema of a document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reconciler.console import write_data
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    import argparse

    from reconciler.cli.parser import Verbs


def add_parser(verbs: Verbs) -> None:
    """Its arguments."""
    schema = verbs.add_parser("schema", help="print a JSON Schema")
    schema.add_argument("what", choices=["manifest", "settings", "plan", "apply", "drift"])
    schema.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> ExitCode:
    """Print it."""
    from reconciler.schemas import load_schema  # noqa: PLC0415

    write_data(json.dumps(load_schema(arguments.what), indent=2) + "\n")
    return ExitCode.DONE
