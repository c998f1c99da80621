"""`schema`: the JSON Schema of a document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reconciler.console import write_data
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    import argparse

    from reconciler.cli.parser import Parser


def add_arguments(schema: Parser) -> None:
    """Its arguments."""
    schema.add_argument("what", choices=["manifest", "settings", "plan", "apply", "drift"])
    schema.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> ExitCode:
    """Print it."""
    from reconciler.schemas import load_schema  # noqa: PLC0415

    write_data(json.dumps(load_schema(arguments.what), indent=2) + "\n")
    return ExitCode.DONE
