"""One writer at a time for one journal: a lock with a holder and a lease.

The lease lives in real time, by the database's clock for PostgreSQL and by this machine's for SQLite. Each time that
the lock is taken it has a new token: as long as the token stands in the journal, nobody else has held the lock in
between, and a lease that ran out can be renewed. A run that was held up (a paused machine, a stopped process) therefore
finds out by the token alone whether it may go on.
"""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Interval, func, literal, or_, select, update

from reconciler.errors import JournalError, JournalLockedError, JournalLockLostError, error
from reconciler.journal.database import journal_errors
from reconciler.journal.tables import LOCK, ONLY, UtcDateTime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine, Row

    from reconciler.journal.database import Location

_RENEWALS_PER_LEASE = 3
_LONGEST_NAP = timedelta(seconds=1)
_SHORTEST_NAP = timedelta(milliseconds=20)


class Lock:
    """The lock while it is held."""

    def __init__(self, engine: Engine, location: Location, holder: str, lease: timedelta) -> None:
        """Nothing is taken yet."""
        self._engine = engine
        self._location = location
        self._lease = lease
        self._token = uuid.uuid4().hex
        self._ended = threading.Event()
        self.holder = holder

    def assert_held(self) -> None:
        """Ask the journal whether this run still has the lock; a lease that ran out meanwhile is renewed.

        Raises:
            JournalLockLostError: another run took it, and may have it still.
            JournalError: the journal cannot be asked.

        """
        with journal_errors(self._location), self._engine.begin() as connection:
            row = _read(connection)
            if row.token != self._token or row.is_over:
                self.renew(connection)

    def renew(self, connection: Connection) -> None:
        """Renew the lease inside a transaction: until that ends, nobody can take the lock.

        Raises:
            JournalLockLostError: another run took it.

        """
        now = _now(connection)
        statement = update(LOCK).where(LOCK.c.id == ONLY, LOCK.c.token == self._token)
        if connection.execute(statement.values(expires=_after(connection, now, self._lease))).rowcount == 0:
            raise self._lost(_read(connection))

    def _lost(self, row: Row[Any]) -> JournalLockLostError:
        by = f"{row.holder} has it now" if row.token is not None else "another run had it since"
        summary = f"the lock of the journal {self._location.shown} is lost: {by}"
        detail = (
            f"This run was held up for longer than its lease of {self._lease.total_seconds():g} seconds and writes "
            "nothing more. Start it again: the next run sees what was done, and goes on."
        )
        return JournalLockLostError([error("journal-lock-lost", summary, detail)])

    def take(self) -> Row[Any] | None:
        """Take the lock if it is free, or if its lease is over; otherwise the row of who has it."""
        with journal_errors(self._location), self._engine.begin() as connection:
            now = _now(connection)
            statement = update(LOCK).where(LOCK.c.id == ONLY, or_(LOCK.c.token.is_(None), LOCK.c.expires <= now))
            values = {"token": self._token, "holder": self.holder, "since": now}
            taken = connection.execute(statement.values(**values, expires=_after(connection, now, self._lease)))
            return None if taken.rowcount else _read(connection)

    def release(self) -> None:
        """Give the lock back, if this run still has it."""
        free = {"token": None, "holder": None, "since": None, "expires": None}
        with journal_errors(self._location), self._engine.begin() as connection:
            connection.execute(update(LOCK).where(LOCK.c.id == ONLY, LOCK.c.token == self._token).values(**free))

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """Renew the lease in the background until the end of the block."""
        thread = threading.Thread(target=self._keep, name="journal-lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _keep(self) -> None:
        while not self._ended.wait(self._lease.total_seconds() / _RENEWALS_PER_LEASE):
            try:
                with journal_errors(self._location), self._engine.begin() as connection:
                    self.renew(connection)
            except JournalLockLostError:
                return  # the next write asks by itself, and says so
            except JournalError:
                continue  # a database out of reach for a moment; the next write asks by itself


def _now(connection: Connection) -> ColumnElement[datetime]:
    if connection.dialect.name == "postgresql":
        return func.clock_timestamp(type_=UtcDateTime())
    return literal(datetime.now(UTC), UtcDateTime())


def _after(connection: Connection, now: ColumnElement[datetime], lease: timedelta) -> ColumnElement[datetime]:
    if connection.dialect.name == "postgresql":
        return now + literal(lease, Interval())
    return literal(datetime.now(UTC) + lease, UtcDateTime())


def _read(connection: Connection) -> Row[Any]:
    is_over = LOCK.c.expires <= _now(connection)
    return connection.execute(select(LOCK, is_over.label("is_over")).where(LOCK.c.id == ONLY)).one()


@contextmanager
def held_lock(lock: Lock, wait: timedelta, on_wait: Callable[[str], None]) -> Iterator[Lock]:
    """Take a lock, waiting for at most `wait`, and hold it until the end of the block.

    `on_wait` is told once, and again whenever another run has it, what is waited for.

    Raises:
        JournalLockedError: another run has it still; it names that one, and until when its lease lasts.

    """
    _await(lock, wait, on_wait)
    try:
        with lock.renewed():
            yield lock
    finally:
        lock.release()


def _await(lock: Lock, wait: timedelta, on_wait: Callable[[str], None]) -> None:
    deadline = time.monotonic() + wait.total_seconds()
    told = None
    nap = _SHORTEST_NAP.total_seconds()
    while (row := lock.take()) is not None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise _locked(row, wait)
        if row.token is not None and row.token != told:
            told = row.token
            on_wait(f"waiting for the journal's lock: {_described(row)}")
        time.sleep(min(nap, left))
        nap = min(nap * 2, _LONGEST_NAP.total_seconds())


def _described(row: Row[Any]) -> str:
    if row.token is None:
        return "it was just given back"
    return (
        f"{row.holder} has it since {row.since:%Y-%m-%d %H:%M:%S} UTC, its lease lasts until {row.expires:%H:%M:%S} UTC"
    )


def _locked(row: Row[Any], wait: timedelta) -> JournalLockedError:
    detail = (
        f"Waited for {wait.total_seconds():g} seconds. Try again when that run has ended; if it is dead, its lease "
        "ends by itself."
    )
    return JournalLockedError([error("journal-locked", f"the journal is locked: {_described(row)}", detail)])
