"""What an engine can fail with, apart from the work itself."""

from __future__ import annotations

from reconciler.errors import Diagnostic, ReconcilerError, Severity


class EngineError(ReconcilerError):
    """The work could not be done where it was to be done."""


def engine_error(code: str, summary: str, detail: str) -> EngineError:
    """An error with one diagnostic; the detail ends with what to do."""
    return EngineError([Diagnostic(Severity.ERROR, code, summary, detail)])
