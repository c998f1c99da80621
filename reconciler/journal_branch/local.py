"""The settings' state directory: what of it goes to the branch, and how the branch's files get there."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Engine, select

from reconciler.errors import Diagnostic, JournalError, JournalLockedError, Severity, error
from reconciler.files import contained_path, write_atomically
from reconciler.journal.database import Location, damaged, journal_errors, open_engine, parse_location
from reconciler.journal.mark import FILE as MARK_FILE
from reconciler.journal.mark import read_mark, write_mark
from reconciler.journal.schema import has_tables, read_identity, refuse_other_database
from reconciler.journal.tables import LOCK, ONLY
from reconciler.journal_branch import content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import timedelta
    from pathlib import Path

    from reconciler.journal.schema import Identity
    from reconciler.settings import Settings

_SIDECARS = ("-journal", "-wal", "-shm")
_NAP = 0.5  # seconds
UNPUSHED = ".unpushed-"
"""Between the name of a journal that was set aside and the time."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was done, as lines for people, and what is unusual about it."""

    lines: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...] = ()


def journal_file(settings: Settings) -> Path | None:
    """The file of an SQLite journal, which may be outside of the state directory; None for PostgreSQL.

    Raises:
        JournalError: the URL cannot be used.

    """
    return parse_location(settings.journal.url, settings.directory).path


def identity_of(path: Path, shown: str) -> Identity | None:
    """Which journal an SQLite file is; None where there is no file, or nothing in it yet.

    Raises:
        JournalError: it is damaged, of a newer version, or none.

    """
    if not path.exists():
        return None
    location = _location(path, shown)
    engine = open_engine(location, is_read_only=True)
    try:
        with journal_errors(location), engine.connect() as connection, connection.begin():
            refuse_other_database(connection, location)
            return read_identity(connection, location) if has_tables(connection) else None
    finally:
        engine.dispose()


def _location(path: Path, shown: str) -> Location:
    return Location(URL.create("sqlite", database=str(path)), path, shown)


@dataclass(frozen=True, slots=True)
class Written:
    """An SQLite journal as it goes to the branch, and which one it is."""

    identity: Identity
    octets: bytes


def read_whole_journal(path: Path, wait: timedelta, say: Callable[[str], None]) -> Written | None:
    """The journal as one consistent file, whatever lies beside it; None where there is none yet.

    What a killed process wrote by halves is taken back first. A run that has the journal's lock is waited for.

    Raises:
        JournalLockedError: it has it still.
        JournalError: it cannot be read, or is damaged.

    """
    if not path.exists():
        return None
    location = _location(path, str(path))
    engine = open_engine(location, is_read_only=False)
    deadline, is_told = time.monotonic() + wait.total_seconds(), False
    try:
        while isinstance(found := _read_unlocked(engine, location), str):
            left = deadline - time.monotonic()
            if left <= 0:
                raise _locked(path, found)
            if not is_told:
                say(f"waiting for the journal's lock: {found} has it")
                is_told = True
            time.sleep(min(_NAP, left))
        return found
    finally:
        engine.dispose()


def _read_unlocked(engine: Engine, location: Location) -> Written | str | None:
    """The journal, or who has its lock; None where it has no tables yet. No other process writes meanwhile."""
    with journal_errors(location), engine.begin() as connection:
        refuse_other_database(connection, location)
        if not has_tables(connection):
            return None
        if (found := connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()) != "ok":
            raise damaged(location, str(found))
        identity = read_identity(connection, location)
        lock = connection.execute(select(LOCK).where(LOCK.c.id == ONLY)).one()
        if lock.token is not None and lock.expires > datetime.now(UTC):
            return str(lock.holder)
        driver: Any = connection.connection.driver_connection
        return Written(identity, driver.serialize())


def _locked(path: Path, holder: str) -> JournalLockedError:
    summary = f"the journal {path} is in use: {holder} has its lock"
    detail = "Try again when that run has ended; a dead one's lease ends by itself."
    return JournalLockedError([error("journal-locked", summary, detail)])


def read_undo(state_directory: Path) -> Iterator[tuple[str, Path]]:
    """The undo plans of the state directory, by name; links and what else is there are left out."""
    folder = state_directory / content.UNDO
    if folder.is_dir() and not folder.is_symlink():
        for path in folder.iterdir():
            if content.is_undo_name(path.name) and path.is_file() and not path.is_symlink():
                yield path.name, path


def write_state(settings: Settings, files: Mapping[str, bytes], mark: Identity | None) -> None:
    """Put the branch's files in their places: each is there whole or not at all, and in an order that is always safe.

    The mark comes before its journal: one that is ahead makes every wait longer, and never shorter.

    Raises:
        OSError: a file cannot be written.
        JournalError: the journal's URL cannot be used.

    """
    state = settings.state_directory
    for name, octets in files.items():
        if name.startswith(f"{content.UNDO}/"):
            write_atomically(_inside(state, name), octets, mode=0o600)
    path = journal_file(settings)
    if path is not None and content.JOURNAL in files:
        # what lies beside an old file would be played into the new one
        path.unlink(missing_ok=True)
        for ending in _SIDECARS:
            path.with_name(f"{path.name}{ending}").unlink(missing_ok=True)
    if mark is not None:
        write_mark(state, mark)
    if path is not None and content.JOURNAL in files:
        write_atomically(path, files[content.JOURNAL], mode=0o600)


def _inside(state: Path, name: str) -> Path:
    try:
        return contained_path(state, *name.split("/"))
    except ValueError as exc:
        summary = f"the folder for undo plans is a link: {exc}"
        raise JournalError([error("journal-branch-link", summary, "Remove the link, and fetch again.")]) from exc


def aside_path(path: Path, now: datetime) -> Path:
    """The name that a journal gets which is not the branch's."""
    return path.with_name(f"{path.name}{UNPUSHED}{now:%Y%m%dT%H%M%S}")


def set_aside(path: Path, aside: Path) -> None:
    """Give a journal that is not the branch's another name, with what belongs to it; it stays beside the new one.

    Raises:
        OSError: the folder cannot be written.

    """
    for ending in (*_SIDECARS, ""):
        beside = path.with_name(f"{path.name}{ending}")
        if beside.exists():
            beside.rename(aside.with_name(f"{aside.name}{ending}"))


def furthest_mark(ours: Identity | None, theirs: Identity | None) -> Identity | None:
    """Of the folder's mark and the branch's, the one that is ahead: a mark never goes back.

    The branch's, where they are of two journals.
    """
    if ours is None or theirs is None:
        return theirs or ours
    return max(ours, theirs, key=lambda mark: mark.counter) if ours.journal == theirs.journal else theirs


def mark_in(folder: Path, octets: bytes | None) -> Identity | None:
    """The mark in a file of the branch, read as the journal reads it."""
    if octets is None:
        return None
    (folder / MARK_FILE).write_bytes(octets)
    return read_mark(folder)


def mark_octets(folder: Path, mark: Identity) -> bytes:
    """A mark as a file of the branch, written as the journal writes it."""
    write_mark(folder, mark)
    return (folder / MARK_FILE).read_bytes()


def size_warning(octets: int) -> tuple[Diagnostic, ...]:
    """What is said of a journal that grows too large for a branch.

    Raises:
        JournalError: it is too large.

    """
    detail = "Move to a journal in PostgreSQL: it grows as it likes, and only what changes is moved."
    sizes = [size // content.MEBIBYTE for size in (octets, content.MAX_JOURNAL)]
    summary = f"the journal has {sizes[0]} MiB, and a branch takes {sizes[1]}"
    if octets > content.MAX_JOURNAL:
        raise JournalError([error("journal-branch-size", summary, detail)])
    if octets > content.WARN_JOURNAL:
        return (Diagnostic(Severity.WARNING, "journal-branch-size", summary, detail),)
    return ()
