"""What several processes do to each other with one journal in any database, and what takes a while."""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from builders import NOW, OLD_MX
from journal_lab import (
    ACME,
    HOUR,
    LEASE,
    NONE,
    PATIENCE,
    SHORT,
    answer,
    diagnostic,
    line,
    look,
    opened,
    reading,
    worker,
)
from sqlalchemy import event
from sqlalchemy.engine import Engine

from reconciler.errors import JournalLockedError
from reconciler.history import MxSighting
from reconciler.names import Name, canonical_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from journal_lab import Place

HOLD = """
with opened as journal, journal.lock("the other", timedelta(seconds=float(argument)), timedelta(0)) as lock:
    print("held", flush=True)
    sys.stdin.readline()
    try:
        lock.assert_held()
        print("still held", flush=True)
    except JournalLockLostError as exc:
        print(exc, flush=True)
"""
COUNT = """
number = directory / "number"
with opened as journal:
    for _ in range(int(argument)):
        with journal.lock("a counter", timedelta(seconds=30), timedelta(seconds=60)):
            found = int(number.read_text())
            time.sleep(0.005)
            number.write_text(str(found + 1))
"""
LOOK = """
number = 0
with opened as journal:
    print("looking", flush=True)
    while True:
        now = datetime(2026, 11, 21, tzinfo=UTC) + timedelta(minutes=number)
        mx = frozenset({((Rdata(f"{number} mail.acme.example."),), 300)})
        journal.record_looks([Look(Name(f"d{n}.example."), "acme", mx, True) for n in range(50)], now)
        number += 1
"""


SEE = """
with opened as journal:
    for number in range(20):
        mx = frozenset({((Rdata(f"{number} {argument}."),), 300)})
        journal.record_looks([Look(Name("acme.example."), "acme", mx, False)], datetime(2026, 11, 21, tzinfo=UTC))
"""


def a_second_writer_gives_up_with_the_holders_name(place: Place) -> None:
    told: list[str] = []
    with worker(place, HOLD, 30) as other, opened(place) as journal:
        assert line(other) == "held"
        begun = time.monotonic()
        with (
            pytest.raises(JournalLockedError, match="the journal is locked: the other has it since") as caught,
            journal.lock("me", LEASE, SHORT, told.append),
        ):
            pass
        assert SHORT.total_seconds() <= time.monotonic() - begun < PATIENCE
        assert diagnostic(caught)[0] == "journal-locked"
        assert len(told) == 1
        assert "the other has it since" in told[0]
        assert answer(other) == "still held"
        other.wait(PATIENCE)
        with journal.lock("me", LEASE, NONE) as lock:
            lock.assert_held()


def a_lease_is_renewed_while_it_is_held(place: Place) -> None:
    with worker(place, HOLD, 2 * SHORT.total_seconds()) as other, opened(place) as journal:
        assert line(other) == "held"
        with pytest.raises(JournalLockedError), journal.lock("me", LEASE, 4 * SHORT):
            pass
        assert answer(other) == "still held"


def a_dead_holders_lease_ends(place: Place) -> None:
    with worker(place, HOLD, 2 * SHORT.total_seconds()) as other, opened(place) as journal:
        assert line(other) == "held"
        other.kill()
        other.wait(PATIENCE)
        with pytest.raises(JournalLockedError, match="the other"), journal.lock("me", LEASE, NONE):
            pass
        with journal.lock("me", LEASE, timedelta(seconds=20)) as lock:
            lock.assert_held()


def a_holder_that_was_paused_learns_that_it_lost_the_lock(place: Place) -> None:
    with worker(place, HOLD, SHORT.total_seconds()) as other, opened(place) as journal:
        assert line(other) == "held"
        other.send_signal(signal.SIGSTOP)
        with journal.lock("me", LEASE, timedelta(seconds=20)) as lock:
            other.send_signal(signal.SIGCONT)
            assert "is lost: me has it now" in answer(other)
            other.wait(PATIENCE)
            # what it gave back at its end was not the lock of another
            lock.assert_held()


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """Every statement that any engine of this process executes meanwhile; one for many rows counts once."""
    statements: list[str] = []

    def note(*executed: object) -> None:
        statements.append(str(executed[2]))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def two_processes_are_never_in_it_at_once(place: Place) -> None:
    number = place.directory / "number"
    number.write_text("0")
    with opened(place), worker(place, COUNT, 15) as one, worker(place, COUNT, 15) as other:
        assert (one.wait(PATIENCE), other.wait(PATIENCE)) == (0, 0)
    assert number.read_text() == "30"


def a_big_fleet_takes_no_more_statements_than_a_small_one(place: Place) -> None:
    """Ten thousand domains: one query for each of them would take hours over a network."""
    names = [canonical_name(f"d{n}.example") for n in range(10_000)]
    steps = frozenset({"mx", "verification"})

    def taken(asked: list[Name]) -> int:
        with opened(place) as journal, counted_statements() as statements:
            journal.record_looks([look(OLD_MX, domain=n, open_steps=steps) for n in asked], NOW)
            journal.record_looks([look(OLD_MX, domain=n, open_steps=steps) for n in asked], NOW + HOUR)
            found = journal.histories(asked)
        assert len(found) == len(asked)
        assert all(h.mx == (MxSighting((OLD_MX,), 3600, NOW, NOW + HOUR),) for h in found.values())
        return len(statements)

    few = taken(names[:10])
    assert few > 5
    assert taken(names[10:]) <= few


def a_run_that_is_killed_leaves_a_journal_that_can_be_read(place: Place) -> None:
    """Fifty domains in each transaction: all of them were looked at as often."""
    names = [Name(f"d{n}.example.") for n in range(50)]
    for delay in (0.0, 0.017, 0.041):
        with worker(place, LOOK) as other:
            assert line(other) == "looking"
            time.sleep(delay)
            other.kill()
            other.wait(PATIENCE)
        with reading(place) as reader:
            assert len({h.mx for h in reader.histories(names).values()}) == 1
        with opened(place) as journal:
            assert journal.diagnostics == ()
            assert len({h.mx for h in journal.histories(names).values()}) == 1


def looks_of_two_processes_come_one_after_the_other(place: Place) -> None:
    """Without the lock too: neither overwrites what the other adds."""
    with opened(place), worker(place, SEE, "one.example") as one, worker(place, SEE, "other.example") as other:
        assert (one.wait(PATIENCE), other.wait(PATIENCE)) == (0, 0)
    with reading(place) as reader:
        assert len({s.rdatas for s in reader.histories([ACME])[ACME].mx}) == 40


def many_may_create_it_at_once(place: Place) -> None:
    together = threading.Barrier(6)

    def create(_: int) -> None:
        together.wait(PATIENCE)
        with opened(place) as journal:
            journal.record_looks([look(OLD_MX)], NOW)

    with ThreadPoolExecutor(together.parties) as pool:
        list(pool.map(create, range(together.parties)))
    assert place.execute("SELECT count(*) FROM reconciler_meta")[0][0] == 1


LONG_SCENARIOS: tuple[Callable[[Place], None], ...] = (
    a_second_writer_gives_up_with_the_holders_name,
    a_lease_is_renewed_while_it_is_held,
    a_dead_holders_lease_ends,
    a_holder_that_was_paused_learns_that_it_lost_the_lock,
    two_processes_are_never_in_it_at_once,
    a_big_fleet_takes_no_more_statements_than_a_small_one,
    many_may_create_it_at_once,
    a_run_that_is_killed_leaves_a_journal_that_can_be_read,
    looks_of_two_processes_come_one_after_the_other,
)
"""All of them."""
