"""From a URL to a database, SQLite file or PostgreSQL, opened so that no killed process and no power cut breaks it.

SQLite is used with a rollback journal and not with WAL: it is one file, which can be copied between runs and read from
a read-only disk. Every foreign exception becomes a `JournalError` here; no password gets into one.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from reconciler.errors import JournalError, error
from reconciler.journal.tables import DamagedValueError
from reconciler.wording import INSTALL_EXTRAS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY_SECONDS = 30
"""How long one statement waits for another process that writes at this moment."""

_HEADER = b"SQLite format 3\0"  # https://www.sqlite.org/fileformat.html, section 1.3
_SMALLEST_PAGE = 512  # octets
_CONNECT_SECONDS = 10
_DEAD_PEER_MILLISECONDS = 30_000
_MAX_SHOWN = 300
_HOW_TO_WRITE = (
    "Write sqlite:///FILE (relative to the settings' folder; four slashes for an absolute path), or "
    "postgresql://USER@HOST/DATABASE."
)


@dataclass(frozen=True, slots=True)
class Location:
    """Where a journal is. `path` is the file of SQLite, None for PostgreSQL; `shown` has no password."""

    url: URL
    path: Path | None
    shown: str


def parse_location(url: str, directory: Path) -> Location:
    """What a journal's URL means; a relative path of SQLite is below `directory`.

    Raises:
        JournalError: it is no URL, or one of another database, or of a database in memory.

    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # the cause could have a part of the password in it
        raise _refused("journal-url", "the journal's URL cannot be read", _HOW_TO_WRITE) from None
    backend, _, driver = parsed.drivername.partition("+")
    if backend == "sqlite" and driver in {"", "pysqlite"}:
        if not parsed.database or parsed.database == ":memory:" or parsed.database.startswith("file:") or parsed.query:
            raise _refused("journal-url", "the journal's URL names no file", _HOW_TO_WRITE)
        path = directory / parsed.database
        return Location(parsed, path, str(path))
    if backend == "postgresql" and driver in {"", "psycopg"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
        return Location(parsed, None, parsed.set(drivername="postgresql", query={}).render_as_string())
    raise _refused("journal-url", "the journal's URL is of a database that cannot be used", _HOW_TO_WRITE)


def _refused(code: str, summary: str, detail: str) -> JournalError:
    return JournalError([error(code, summary, detail)])


def open_engine(location: Location, *, is_read_only: bool) -> Engine:
    """The engine of a journal; nothing is connected yet.

    Where it is read-only nothing is created and nothing can be written; otherwise every transaction of SQLite has the
    write lock from its beginning, so that none fails half-way because another came first.

    Raises:
        JournalError: a file that is no database, or PostgreSQL's driver is not installed.

    """
    path = location.path
    if path is None:
        return _postgresql_engine(location, is_read_only=is_read_only)
    with journal_errors(location):
        if not _may_be_database(path):
            raise damaged(location, "it is no SQLite database")
    engine = create_engine(
        "sqlite://",
        creator=(lambda: _connect_for_reading(path)) if is_read_only else (lambda: _connect_for_writing(path)),
        poolclass=QueuePool,
        hide_parameters=True,
    )
    begin = "BEGIN" if is_read_only else "BEGIN IMMEDIATE"
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _may_be_database(path: Path) -> bool:
    # SQLite takes a file that is shorter than a page for an empty database, and would write over it
    try:
        with path.open("rb") as file:
            beginning = file.read(_SMALLEST_PAGE)
    except (FileNotFoundError, IsADirectoryError):
        return True  # what SQLite creates, or refuses
    is_whole = len(beginning) == _SMALLEST_PAGE and beginning.startswith(_HEADER)
    # a file that was half-written when the power went is put right by the rollback journal beside it
    return not beginning or is_whole or path.with_name(f"{path.name}-journal").exists()


def _connect_for_writing(path: Path) -> sqlite3.Connection:
    connection = _connect(path, "rwc")
    try:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("PRAGMA synchronous=EXTRA")  # FULL, and the folder as well: a commit survives a power cut
    except BaseException:
        connection.close()
        raise
    return connection


def _connect_for_reading(path: Path) -> sqlite3.Connection:
    connection = _connect(path, "ro")
    try:
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except sqlite3.OperationalError as exc:
        connection.close()
        if exc.sqlite_errorcode != sqlite3.SQLITE_READONLY_ROLLBACK:
            raise
        # a process was killed while it committed: what it wrote by halves is taken back before anybody can read
        with closing(_connect(path, "rw")) as recovering:
            recovering.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        return _connect(path, "ro")
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    # transactions are begun by the engine; connections go from thread to thread, one at a time
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA trusted_schema=OFF")
    return connection


def _postgresql_engine(location: Location, *, is_read_only: bool) -> Engine:
    defaults = {"connect_timeout": _CONNECT_SECONDS, "tcp_user_timeout": _DEAD_PEER_MILLISECONDS}
    arguments: dict[str, Any] = {key: value for key, value in defaults.items() if key not in location.url.query}
    try:
        engine = create_engine(
            location.url,
            connect_args={"client_encoding": "utf8", **arguments},
            pool_pre_ping=True,
            hide_parameters=True,
            # a reader sees one state of all tables; writers queue up at one row, and read what was committed before
            isolation_level="REPEATABLE READ" if is_read_only else "READ COMMITTED",
        )
    except ModuleNotFoundError as exc:
        detail = f"Install it {INSTALL_EXTRAS}."
        raise _refused("journal-driver", "the driver for PostgreSQL is not installed", detail) from exc
    statements = [f"SET lock_timeout = '{BUSY_SECONDS}s'"]
    if is_read_only:
        statements.append("SET default_transaction_read_only = on")

    def prepare(connection: Any, _: object) -> None:  # noqa: ANN401 - a connection of psycopg, which may be missing
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        connection.commit()

    event.listen(engine, "connect", prepare)
    return engine


@contextmanager
def journal_errors(location: Location) -> Iterator[None]:
    """What goes wrong in the database becomes a `JournalError` that says where and what to do."""
    try:
        yield
    except DamagedValueError as exc:
        raise damaged(location, str(exc)) from exc
    except SQLAlchemyError as exc:
        origin = exc.orig if isinstance(exc, DBAPIError) else None
        if is_damage(origin):
            raise damaged(location, _text(location, origin)) from exc
        summary = f"the journal {location.shown} cannot be used: {_text(location, origin or exc)}"
        if location.path is None:
            detail = "Check the URL, that the server runs, and that the user may create tables, read and write."
        else:
            detail = "Check that the disk has room, and that the file and its folder can be read and written."
        raise JournalError([error("journal-unusable", summary, detail)]) from exc
    except OSError as exc:
        summary = f"the journal {location.shown} cannot be used: {exc.strerror} ({exc.filename})"
        detail = "Check that the disk has room, and that the file and its folder can be read and written."
        raise JournalError([error("journal-unusable", summary, detail)]) from exc


def is_damage(exc: BaseException | None) -> bool:
    """Whether SQLite says that the file is damaged, or is no database."""
    primary = getattr(exc, "sqlite_errorcode", 0) & 0xFF
    return primary in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def damaged(location: Location, reason: str) -> JournalError:
    """The file or the tables are not what a journal wrote; nothing is repaired, and nothing overwritten."""
    summary = f"the journal {location.shown} is damaged, or is none: {reason}"
    detail = (
        "Restore a backup, or move it away and begin a new one: without a journal every wait begins anew, and no mail "
        "is lost."
    )
    return JournalError([error("journal-damaged", summary, detail)])


def _text(location: Location, exc: BaseException | None) -> str:
    lines = str(exc).strip().splitlines() or [type(exc).__name__]
    text = lines[0]
    for secret in (location.url.password, location.url.query.get("password")):
        if secret:
            text = text.replace(str(secret), "***")
    return text[:_MAX_SHOWN]


def check_integrity(connection: Connection, location: Location) -> None:
    """Let SQLite look through the whole file.

    Raises:
        JournalError: something in it is damaged.

    """
    if connection.dialect.name == "sqlite":
        found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        if found != "ok":
            raise damaged(location, str(found))
