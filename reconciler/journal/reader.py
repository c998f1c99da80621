"""Reading a journal: histories, known domains, timelines. Nothing here creates or changes one."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, Row, create_engine, select
from sqlalchemy.pool import StaticPool

from reconciler.diff import Change
from reconciler.history import NO_HISTORY
from reconciler.journal.claims import is_inverse_known, is_used
from reconciler.journal.database import journal_errors, open_engine, parse_location
from reconciler.journal.entries import AppliedChange, Event, EventKind, KnownDomain
from reconciler.journal.kept import load_counts, load_reviewed, load_told
from reconciler.journal.mark import is_restored, read_mark, restored_warning
from reconciler.journal.rows import checked_lifecycle, checked_name, load_records, load_written, select_domains
from reconciler.journal.schema import has_tables, read_identity, refuse_other_database
from reconciler.journal.tables import APPLIED, DOMAINS, EVENTS, METADATA, DamagedValueError
from reconciler.state import Key, Rdata

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection

    from reconciler.errors import Diagnostic
    from reconciler.history import History
    from reconciler.journal.database import Location
    from reconciler.journal.entries import DriftCounts, ReviewedPlan, Told
    from reconciler.journal.schema import Identity
    from reconciler.names import Name


class JournalReader:
    """What the journal remembers. `diagnostics` say what is unusual about it.

    `mark` tells which journal it is and how often it had been written to when it was opened; it is empty for none.

    Every method raises `JournalError` where the database fails or has what no journal writes.
    """

    def __init__(self, engine: Engine, location: Location, *, is_restored: bool = False, mark: str = "") -> None:
        """Read from an engine; of a journal that `is_restored` no time is given out."""
        self.mark = mark
        self._engine = engine
        self._location = location
        self._is_restored = is_restored
        self.diagnostics: tuple[Diagnostic, ...] = (restored_warning(location),) if is_restored else ()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with journal_errors(self._location), self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")  # noqa: PLW2901 - the same, by one state of all tables
            with connection.begin():
                yield connection

    def reviewed_plans(self) -> tuple[ReviewedPlan, ...]:
        """The reviewed plans of which steps are held, oldest first."""
        with self._reading() as connection:
            return load_reviewed(connection)

    def told(self) -> tuple[Told, ...]:
        """What people were told by notifications, oldest first."""
        with self._reading() as connection:
            return load_told(connection)

    def drift_counts(self) -> tuple[DriftCounts, ...]:
        """How much drift the recorded looks found, oldest first."""
        with self._reading() as connection:
            return load_counts(connection)

    def histories(self, names: Iterable[Name]) -> dict[Name, History]:
        """The history of every domain in `names`; an empty one where nothing is known."""
        wanted = list(names)
        with self._reading() as connection:
            records = load_records(connection, wanted)
        found = {name: records[name].history if name in records else NO_HISTORY for name in wanted}
        return {n: replace(h, mx=(), first_seen={}) for n, h in found.items()} if self._is_restored else found

    def known_domains(self) -> dict[Name, KnownDomain]:
        """Every domain that was looked at or written to and was not forgotten; those that are gone as well."""
        with self._reading() as connection:
            written = load_written(connection, None)
            return {
                checked_name(row.domain): KnownDomain(
                    row.organization,
                    checked_lifecycle(row.lifecycle),
                    row.is_switched,
                    row.is_gone,
                    row.last_seen,
                    written.get(row.domain, frozenset()),
                )
                for row in connection.execute(select(DOMAINS).order_by(DOMAINS.c.domain))
            }

    def applied_in(self, run_id: str) -> list[AppliedChange]:
        """What one run wrote, in the order in which it was recorded: what an inverse plan turns round."""
        with self._reading() as connection:
            rows = connection.execute(select(APPLIED).where(APPLIED.c.run_id == run_id).order_by(APPLIED.c.id))
            return [_applied(row) for row in rows]

    def is_inverse_known(self, plan_id: str) -> bool:
        """Whether a plan is an inverse that this journal's runs wrote beside an applied one."""
        with self._reading() as connection:
            return is_inverse_known(connection, plan_id)

    def is_plan_used(self, plan_id: str) -> bool:
        """Whether a saved plan was applied before, and may not be again."""
        with self._reading() as connection:
            return is_used(connection, plan_id)

    def timeline(self, name: Name) -> list[Event]:
        """Everything that happened to a domain, oldest first."""
        return self.timelines([name])[name]

    def timelines(self, names: Iterable[Name]) -> dict[Name, list[Event]]:
        """The timeline of every domain in `names`; an empty one where nothing is known."""
        wanted = list(names)
        lines: dict[Name, list[tuple[tuple[datetime, int, int], Event]]] = {name: [] for name in wanted}
        with self._reading() as connection:
            for row in select_domains(connection, EVENTS, wanted):
                lines[row.domain].append(((row.at, row.counter, row.id), _event(row)))
            for row in select_domains(connection, APPLIED, wanted):
                lines[row.domain].append(((row.at, row.counter, row.id), _applied_event(row)))
        return {name: [line for _, line in sorted(pairs, key=lambda pair: pair[0])] for name, pairs in lines.items()}


def _event(row: Row[Any]) -> Event:
    try:
        kind = EventKind(row.kind)
    except ValueError as exc:
        raise DamagedValueError("no kind of event") from exc
    return Event(row.at, kind, row.step_id, row.values, row.ttl)


def _applied_event(row: Row[Any]) -> Event:
    applied = _applied(row)
    return Event(applied.at, EventKind.APPLIED, applied.step_id, change=applied)


def _applied(row: Row[Any]) -> AppliedChange:
    return AppliedChange(
        domain=checked_name(row.domain),
        organization=row.organization,
        step_id=row.step_id,
        change=Change(
            key=Key(checked_name(row.name), row.type),
            zone=checked_name(row.zone),
            before=_rdatas(row.before),
            after=_rdatas(row.after),
            foreign=_rdatas(row.foreign),
            ttl_before=row.ttl_before,
            ttl=row.ttl,
        ),
        provider=row.provider,
        commit=row.commit,
        run_id=row.run_id,
        plan_id=row.plan_id,
        at=row.at,
    )


def _rdatas(texts: Iterable[str]) -> tuple[Rdata, ...]:
    return tuple(Rdata(text) for text in texts)


@contextmanager
def read_journal(url: str, *, directory: Path, state_directory: Path) -> Iterator[JournalReader]:
    """A journal to read from: nothing is created, changed or locked. One that is not there yet is empty.

    `directory` is the settings' folder, to which a path in the URL is relative; `state_directory` has the mark. Only
    where a process was killed while it committed, SQLite first takes back what that one wrote by halves.

    Raises:
        JournalError: it cannot be reached or read, is damaged, or of a newer version.

    """
    location = parse_location(url, directory)
    with journal_errors(location):
        mark = read_mark(state_directory)
        is_there = location.path is None or location.path.exists()
    engine = open_engine(location, is_read_only=True) if is_there else _empty_engine()
    try:
        identity = _identity(engine, location) if is_there else None
        if is_there and identity is None:
            engine.dispose()
            engine = _empty_engine()
        is_older = identity is not None and is_restored(mark, identity)
        yield JournalReader(engine, location, is_restored=is_older, mark=identity.text if identity is not None else "")
    finally:
        engine.dispose()


def read_histories(url: str, names: Iterable[Name], *, directory: Path, state_directory: Path) -> dict[Name, History]:
    """The histories of `names`, read as in `read_journal`.

    Raises:
        JournalError: as `read_journal`.

    """
    with read_journal(url, directory=directory, state_directory=state_directory) as reader:
        return reader.histories(names)


def _identity(engine: Engine, location: Location) -> Identity | None:
    """Which journal it is; None for a database in which there is none yet."""
    with journal_errors(location), engine.connect() as connection, connection.begin():
        refuse_other_database(connection, location)
        return read_identity(connection, location) if has_tables(connection) else None


def _empty_engine() -> Engine:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    METADATA.create_all(engine)
    return engine
