"""What can go wrong, as data: diagnostics are collected, sorted and printed once; exceptions only stop."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path


class ExitCode(IntEnum):
    """The process's exit codes; with several at once `worst_exit_code` decides."""

    DONE = 0
    ERROR = 1
    CHANGES = 2
    INCOMPLETE = 3
    STALE = 4
    USAGE = 64


_WORST_FIRST = (ExitCode.USAGE, ExitCode.ERROR, ExitCode.STALE, ExitCode.CHANGES, ExitCode.INCOMPLETE)


def worst_exit_code(codes: Iterable[ExitCode]) -> ExitCode:
    """The one code that stands for several: 1 before 4 before 2 before 3 before 0."""
    seen = set(codes)
    return next((code for code in _WORST_FIRST if code in seen), ExitCode.DONE)


class Severity(StrEnum):
    """How bad a diagnostic is: an error stops what it speaks of, a warning and an advisory do not."""

    ERROR = "error"
    WARNING = "warning"
    ADVISORY = "advisory"


_SEVERITY_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.ADVISORY: 2}


class Diagnostic(NamedTuple):
    """One finding for a person: what is wrong in `summary`, what to do at the end of `detail`.

    `line` and `column` count from 1; 0 means that the finding has no place in a file. `domain` is set where only
    that domain is affected, so that the others go on.
    """

    severity: Severity
    code: str
    summary: str
    detail: str
    file: str = ""
    line: int = 0
    column: int = 0
    domain: str = ""

    @property
    def place(self) -> str:
        """`file:line:column`, as far as known."""
        parts = [self.file, *(str(n) for n in (self.line, self.column) if n)]
        return ":".join(parts) if self.file else self.domain


def sorted_diagnostics(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Errors first, then by place; the order in which they were found does not show."""
    return sorted(
        set(diagnostics),
        key=lambda d: (_SEVERITY_ORDER[d.severity], d.file, d.line, d.column, d.domain, d.code, d.summary, d.detail),
    )


class ReconcilerError(Exception):
    """Base of every exception that the command line turns into a message and an exit code."""

    exit_code = ExitCode.ERROR

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        """Carry all diagnostics at once; the first line of each is the exception's text."""
        super().__init__("; ".join(d.summary for d in diagnostics))
        self.diagnostics = tuple(diagnostics)

    def __reduce__(self) -> tuple[Callable[..., ReconcilerError], tuple[object, ...], dict[str, object]]:
        """Whole, from the process of a worker to the one that tells it, whatever a kind is made from."""
        return _raised_elsewhere, (type(self), self.args), self.__dict__


def _raised_elsewhere(kind: type[ReconcilerError], arguments: tuple[object, ...]) -> ReconcilerError:
    return kind.__new__(kind, *arguments)


class RefusedValueError(ValueError):
    """A value is not what it has to be; it gets its place where its file is read. `detail` ends with what to do."""

    def __init__(self, code: str, summary: str, detail: str) -> None:
        """As in a diagnostic."""
        super().__init__(summary)
        self.code, self.summary, self.detail = code, summary, detail


class ManifestError(ReconcilerError):
    """The manifests cannot be used."""


class SettingsError(ReconcilerError):
    """The settings, or the catalog that they name, cannot be used.

    `catalog` is the catalog that settings with errors name, where that is no error itself.
    """

    catalog: Path | None = None


class PlanFileError(ReconcilerError):
    """A saved plan cannot be read: truncated, altered, or of another major version."""


class StalePlanError(ReconcilerError):
    """The whole plan may no longer be applied: expired or used up."""

    exit_code = ExitCode.STALE


class EmitError(ReconcilerError):
    """Nothing was written, because something could not be written safely."""


class JournalError(ReconcilerError):
    """The journal cannot be used: out of reach, damaged, of a newer version, or no journal at all."""


class JournalLockedError(JournalError):
    """Another run holds the journal's lock, and the time to wait for it is over."""


class JournalLockLostError(JournalError):
    """The lease ended while this run was held up, and another run may have written since: nothing may go on."""


def error(code: str, summary: str, detail: str, *, file: str = "", line: int = 0, domain: str = "") -> Diagnostic:
    """An error diagnostic; the detail ends with what to do."""
    return Diagnostic(Severity.ERROR, code, summary, detail, file, line, domain=domain)
