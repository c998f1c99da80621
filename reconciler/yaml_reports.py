"""What is wrong in one YAML file, in the order in which it is found: at most a hundred things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import Diagnostic, Severity

if TYPE_CHECKING:
    from reconciler.plain_yaml import Position

MAX_DIAGNOSTICS = 100  # whoever has more errors in a file is helped by the first hundred


class StopError(Exception):
    """Nothing more can be said about this file."""


class Reports:
    """Collects the diagnostics of the file that they name."""

    def __init__(self, file: str) -> None:
        """With none yet."""
        self.file = file
        self.diagnostics: list[Diagnostic] = []

    def report(self, code: str, summary: str, detail: str, position: Position) -> None:
        """Add one. Raises `StopError` after the last that is told."""
        self.diagnostics.append(Diagnostic(Severity.ERROR, f"yaml-{code}", summary, detail, self.file, *position))
        if len(self.diagnostics) >= MAX_DIAGNOSTICS:
            raise StopError
