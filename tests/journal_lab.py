"""Journals in real databases, builders of what goes into them, and other processes that use them."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from builders import EU, MX_KEY, NOW, OLD_MX

from reconciler.diff import Change
from reconciler.errors import (
    ExitCode,
    JournalError,
    Severity,
)
from reconciler.journal import (
    AppliedChange,
    Journal,
    JournalReader,
    Look,
    open_journal,
    read_journal,
)
from reconciler.names import Name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

    from reconciler.state import Rdata

ACME = Name("acme.example.")
OTHER = Name("other.example.")
HOP, NEW_HOP = Name("mail.acme.example."), Name("mail2.acme.example.")
PLAN = "sha256:" + "a" * 64
HOUR = timedelta(hours=1)
LEASE = timedelta(seconds=30)
SHORT = timedelta(seconds=0.6)
NONE = timedelta(0)
PATIENCE = 60.0

_PRELUDE = """
import sys, time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from reconciler.errors import JournalLockLostError
from reconciler.journal import Look, open_journal
from reconciler.names import Name
from reconciler.state import Rdata
url, directory, argument = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
opened = open_journal(url, directory=directory, state_directory=directory / "state")
"""


class Where(Protocol):
    """Where a journal is, or shall be."""

    @property
    def url(self) -> str:
        """Its URL."""
        ...

    @property
    def directory(self) -> Path:
        """The settings' folder."""
        ...


class Place(Where, Protocol):
    """A database for a journal, of the test's own."""

    def execute(self, statement: str) -> list[Any]:
        """Run a statement past the journal; its rows."""
        ...

    def back_up(self) -> None:
        """Copy the database."""
        ...

    def restore(self) -> None:
        """Put the copy in its place."""
        ...


@dataclass(frozen=True)
class SqlitePlace:
    """A file."""

    directory: Path
    url: str = "sqlite:///state/journal.sqlite3"

    @property
    def file(self) -> Path:
        """The file."""
        return self.directory / "state" / "journal.sqlite3"

    def execute(self, statement: str) -> list[Any]:
        """Run a statement past the journal; its rows."""
        with closing(sqlite3.connect(self.file)) as connection, connection:
            return connection.execute(statement).fetchall()

    def back_up(self) -> None:
        """Copy the file."""
        shutil.copy(self.file, self.directory / "backup")

    def restore(self) -> None:
        """Put the copy in its place."""
        shutil.copy(self.directory / "backup", self.file)


@contextmanager
def opened(place: Where) -> Iterator[Journal]:
    with open_journal(place.url, directory=place.directory, state_directory=place.directory / "state") as journal:
        yield journal


@contextmanager
def reading(place: Where) -> Iterator[JournalReader]:
    with read_journal(place.url, directory=place.directory, state_directory=place.directory / "state") as reader:
        yield reader


def look(*values: Rdata, ttl: int | None = 3600, **changes: Any) -> Look:  # noqa: ANN401 - whatever a field may be
    """A look at acme.example. that every server answered with one MX rrset; none where there are no values."""
    shown = frozenset({(tuple(sorted(values)), ttl if values else None)})
    return replace(Look(ACME, "acme", shown, is_complete=True, next_hops=(HOP,)), **changes)


def applied(**changes: Any) -> AppliedChange:  # noqa: ANN401 - whatever a field may be
    """The MX of acme.example. moved from its own host to the gateway; fields of the change may be given likewise."""
    moved = Change(MX_KEY, ACME, (OLD_MX,), (EU,), (), 3600, 300)
    inner = {f.name: changes.pop(f.name) for f in fields(Change) if f.name in changes}
    entry = AppliedChange(
        domain=ACME,
        organization="acme",
        step_id="acme.example/mx",
        change=replace(moved, **inner),
        provider="bind",
        commit="c0ffee",
        run_id="run-1",
        plan_id=PLAN,
        at=NOW,
    )
    return replace(entry, **changes)


@contextmanager
def worker(place: Place, script: str, argument: object = "") -> Iterator[subprocess.Popen[str]]:
    """Another process with the journal; it is killed at the end of the block if it is still there."""
    command = [sys.executable, "-c", _PRELUDE + script, place.url, str(place.directory), str(argument)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def answer(process: subprocess.Popen[str]) -> str:
    """What it says when it goes on."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return line(process)


def diagnostic(error: pytest.ExceptionInfo[JournalError]) -> tuple[str, str]:
    (found,) = error.value.diagnostics
    assert found.severity is Severity.ERROR
    assert found.detail
    assert error.value.exit_code is ExitCode.ERROR
    return found.code, found.summary
