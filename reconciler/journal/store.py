"""The journal: what a run looked at and wrote, kept for the next one.

Each method that writes is one transaction, in which the run's lock, if it took it, is confirmed, and after which the
mark beside the journal is written. Transactions of several processes come one after the other.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, insert, update

from reconciler.history import DEFAULT_WAITS
from reconciler.journal.claims import INVERSE, OPEN, USED, Claim, refuse_used, write_claim
from reconciler.journal.database import journal_errors, open_engine, parse_location
from reconciler.journal.kept import write_counts, write_reviewed, write_told
from reconciler.journal.lock import Lock, held_lock
from reconciler.journal.mark import is_restored, read_mark, restored_warning, write_mark
from reconciler.journal.reader import JournalReader
from reconciler.journal.record import after_applied, after_look, events_between
from reconciler.journal.rows import load_records, write_difference
from reconciler.journal.schema import Identity, prepare_tables, read_identity
from reconciler.journal.tables import APPLIED, EVENTS, FIRST_SEEN, META, MX_SIGHTINGS, ONLY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime, timedelta
    from pathlib import Path
    from typing import Any

    from reconciler.history import Waits
    from reconciler.journal.database import Location
    from reconciler.journal.entries import AppliedChange, DriftCounts, Event, Look, ReviewedPlan, Told
    from reconciler.names import Name


class Journal(JournalReader):
    """A journal that can be written to; made by `open_journal`.

    Every method raises `JournalError` where the database fails, and every one that writes `JournalLockLostError` where
    this run took the lock and another one has taken it since; nothing is written then.
    """

    def __init__(self, engine: Engine, location: Location, state_directory: Path) -> None:
        """Write through an engine whose tables are prepared."""
        super().__init__(engine, location)
        self._state_directory = state_directory
        self._lock: Lock | None = None

    @contextmanager
    def _writing(self) -> Iterator[tuple[Connection, int]]:
        """A transaction and its number; alone among all writers from its first statement on."""
        with journal_errors(self._location):
            with self._engine.begin() as connection:
                counted = update(META).where(META.c.id == ONLY).values(counter=META.c.counter + 1)
                connection.execute(counted)
                identity = read_identity(connection, self._location)
                if self._lock is not None:
                    self._lock.renew(connection)
                yield connection, identity.counter
            # after the commit: a mark that is ahead of its journal means that the journal was restored
            write_mark(self._state_directory, identity)

    def begin(self, mark: Identity | None) -> None:
        """Count this run; a journal that its mark shows to be an older copy of itself forgets every time it saw."""
        with self._writing() as (connection, counter):
            identity = read_identity(connection, self._location)
            self.mark = identity._replace(counter=counter - 1).text
            if mark is not None and is_restored(mark, identity._replace(counter=counter - 1)):
                for since in (MX_SIGHTINGS, FIRST_SEEN):
                    connection.execute(since.delete())
                ahead = max(counter, mark.counter + 1)
                connection.execute(update(META).where(META.c.id == ONLY).values(counter=ahead))
                self.diagnostics = (restored_warning(self._location),)

    def is_as_at(self, mark: str) -> bool:
        """Whether nothing was written since the journal had a mark, but that this run began."""
        with self._reading() as connection:
            identity = read_identity(connection, self._location)
        return identity._replace(counter=identity.counter - 1).text == mark

    def record_looks(self, looks: Iterable[Look], now: datetime, waits: Waits = DEFAULT_WAITS) -> None:
        """Keep what a run saw at `now`; sightings that no wait of `waits` depends on are left out."""
        seen = list(looks)
        if not seen:
            return
        with self._writing() as (connection, counter):
            before = load_records(connection, (look.domain for look in seen))
            after = dict(before)
            lines: list[dict[str, Any]] = []
            for look in seen:
                known = after.get(look.domain)
                after[look.domain] = record = after_look(known, look, now, waits)
                lines += (_event_row(look.domain, counter, event) for event in events_between(known, record))
            write_difference(connection, before, after)
            if lines:
                connection.execute(insert(EVENTS), lines)

    def record_applied(self, entries: Iterable[AppliedChange]) -> None:
        """Keep what was written to DNS."""
        applied = list(entries)
        if not applied:
            return
        with self._writing() as (connection, counter):
            before = load_records(connection, (entry.domain for entry in applied))
            after = dict(before)
            for entry in applied:
                after[entry.domain] = after_applied(after.get(entry.domain), entry)
            write_difference(connection, before, after)
            connection.execute(insert(APPLIED), [_applied_row(counter, entry) for entry in applied])

    def keep_reviewed(self, plans: Iterable[ReviewedPlan], dropped: Iterable[str] = ()) -> None:
        """Keep reviewed plans of which steps are held, and forget those with the ids in `dropped`."""
        with self._writing() as (connection, _):
            write_reviewed(connection, plans, dropped)

    def keep_told(self, told: Iterable[Told], dropped: Iterable[str] = ()) -> None:
        """Remember what people were told, and forget the keys in `dropped`."""
        with self._writing() as (connection, _):
            write_told(connection, told, dropped)

    def record_counts(self, counts: DriftCounts) -> None:
        """Keep how much drift a look at the whole fleet found."""
        with self._writing() as (connection, _):
            write_counts(connection, counts)

    def forget(self, name: Name) -> None:
        """Forget a domain: it is no longer known, and its history is empty. Its timeline stays."""
        with self._writing() as (connection, _):
            write_difference(connection, load_records(connection, [name]), {})

    def lock(
        self, holder: str, lease: timedelta, wait: timedelta, on_wait: Callable[[str], None] = lambda _: None
    ) -> AbstractContextManager[Lock]:
        """Be the only writer until the end of the block; `lease` is how long a dead holder keeps others waiting.

        A second one waits for at most `wait`; `on_wait` is told what for.

        Raises:
            JournalLockedError: another run has the lock still.

        """
        return self._held(Lock(self._engine, self._location, holder, lease), wait, on_wait)

    @contextmanager
    def _held(self, lock: Lock, wait: timedelta, on_wait: Callable[[str], None]) -> Iterator[Lock]:
        with held_lock(lock, wait, on_wait):
            self._lock = lock
            try:
                yield lock
            finally:
                self._lock = None

    def record_inverse(self, plan_id: str, holder: str, now: datetime) -> None:
        """Remember an inverse plan by its id: only what was written beside an apply may undo it."""
        with self._writing() as (connection, _):
            write_claim(connection, plan_id, INVERSE, holder, now)

    @contextmanager
    def claim_plan(self, plan_id: str, holder: str, now: datetime) -> Iterator[Claim]:
        """Hold the claim on a plan (its `sha256:` id); only inside `lock`.

        On leaving without an exception the plan is used up, unless the claim was kept open.

        Raises:
            StalePlanError: the plan was used.

        """
        if self._lock is None:
            raise RuntimeError("a plan is claimed by the run that has the journal's lock")
        with self._writing() as (connection, _):
            refuse_used(connection, plan_id)
            write_claim(connection, plan_id, OPEN, holder, now)
        claim = Claim()
        yield claim
        if not claim.is_kept_open:
            with self._writing() as (connection, _):
                write_claim(connection, plan_id, USED, holder, now)


def _event_row(domain: Name, counter: int, event: Event) -> dict[str, Any]:
    return {
        "counter": counter,
        "domain": domain,
        "at": event.at,
        "kind": event.kind.value,
        "step_id": event.step_id,
        "values": event.values,
        "ttl": event.ttl,
    }


def _applied_row(counter: int, entry: AppliedChange) -> dict[str, Any]:
    change = entry.change
    return {
        "counter": counter,
        "domain": entry.domain,
        "organization": entry.organization,
        "step_id": entry.step_id,
        "name": change.key.name,
        "type": change.key.type,
        "zone": change.zone,
        "before": change.before,
        "after": change.after,
        "foreign": change.foreign,
        "ttl_before": change.ttl_before,
        "ttl": change.ttl,
        "provider": entry.provider,
        "commit": entry.commit,
        "run_id": entry.run_id,
        "plan_id": entry.plan_id,
        "at": entry.at,
    }


@contextmanager
def open_journal(url: str, *, directory: Path, state_directory: Path) -> Iterator[Journal]:
    """The journal at a URL, created where there is none.

    `directory` is the settings' folder, to which a path in the URL is relative; the mark is in `state_directory`.

    Raises:
        JournalError: it cannot be reached, read or written, is damaged, is of a newer version, or is something else.

    """
    location = parse_location(url, directory)
    with journal_errors(location):
        mark = read_mark(state_directory)
        if location.path is not None:
            location.path.parent.mkdir(parents=True, exist_ok=True)
    engine = open_engine(location, is_read_only=False)
    try:
        with journal_errors(location), engine.begin() as connection:
            prepare_tables(connection, location)
        journal = Journal(engine, location, state_directory)
        journal.begin(mark)
        yield journal
    finally:
        engine.dispose()
