"""Journals in real databases, and what must hold in each: scenarios for SQLite and for PostgreSQL."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from builders import EU, MX_KEY, NOW, OLD_MX, PRIMARY, TXT_KEY

from reconciler.errors import (
    ExitCode,
    JournalError,
    JournalLockedError,
    JournalLockLostError,
    Severity,
    StalePlanError,
)
from reconciler.history import NO_HISTORY, TOKENS_VISIBLE, MxSighting
from reconciler.journal import (
    AppliedChange,
    EventKind,
    Journal,
    JournalReader,
    Look,
    open_journal,
    read_histories,
    read_journal,
)
from reconciler.names import Name, canonical_name
from reconciler.state import Rdata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ACME = Name("acme.example.")
OTHER = Name("other.example.")
HOP, NEW_HOP = Name("mail.acme.example."), Name("mail2.acme.example.")
PLAN = "sha256:" + "a" * 64
HOUR = timedelta(hours=1)
LEASE = timedelta(seconds=30)
SHORT = timedelta(seconds=0.6)
NONE = timedelta(0)
_PATIENCE = 60.0

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
    """The MX of acme.example. moved from its own host to the gateway."""
    entry = AppliedChange(
        domain=ACME,
        organization="acme",
        step_id="acme.example/mx",
        key=MX_KEY,
        zone=ACME,
        before=(OLD_MX,),
        after=(EU,),
        foreign=(),
        ttl_before=3600,
        ttl=300,
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


def nothing_is_known_of_a_name_that_was_never_seen(place: Place) -> None:
    with opened(place) as journal:
        assert journal.histories([ACME, OTHER]) == {ACME: NO_HISTORY, OTHER: NO_HISTORY}
        assert journal.histories([]) == {}
        assert journal.known_domains() == {}
        assert journal.timeline(ACME) == []
        assert journal.diagnostics == ()


def reading_creates_nothing(place: Place) -> None:
    before = sorted(place.directory.rglob("*"))
    with reading(place) as reader:
        assert reader.histories([ACME]) == {ACME: NO_HISTORY}
        assert reader.known_domains() == {}
        assert reader.timeline(ACME) == []
        assert reader.applied_in("run-1") == []
    assert sorted(place.directory.rglob("*")) == before
    with opened(place) as journal:
        journal.record_looks([look(OLD_MX)], NOW)
    state = place.directory / "state"
    found = read_histories(place.url, [ACME], directory=place.directory, state_directory=state)
    assert found[ACME].mx == (MxSighting((OLD_MX,), 3600, NOW, NOW),)


def a_look_is_remembered_by_the_next_run(place: Place) -> None:
    with opened(place) as journal:
        journal.record_looks([look(OLD_MX, open_steps=frozenset({"acme.example/mx"}))], NOW)
    with opened(place) as journal:
        journal.record_looks([look(EU, ttl=300)], NOW + HOUR)
        history = journal.histories([ACME])[ACME]
    old = MxSighting((OLD_MX,), 3600, NOW, NOW, gone=NOW + HOUR)
    assert history.mx == (old, MxSighting((EU,), 300, NOW + HOUR, NOW + HOUR))
    assert history.first_seen == {}
    with reading(place) as reader:
        assert reader.histories([ACME]) == {ACME: history}


def several_looks_at_once_count_one_after_the_other(place: Place) -> None:
    with opened(place) as journal:
        journal.record_looks([look(OLD_MX), look(EU), look(OLD_MX, domain=OTHER), look(OLD_MX)], NOW)
        found = journal.histories([ACME, OTHER])
    assert [(s.rdatas, s.gone) for s in found[ACME].mx] == [((OLD_MX,), NOW), ((EU,), NOW), ((OLD_MX,), None)]
    assert len(found[OTHER].mx) == 1


def an_open_step_keeps_the_time_when_it_was_first_seen(place: Place) -> None:
    both = frozenset({"acme.example/mx", "acme.example/verification"})
    with opened(place) as journal:
        journal.record_looks([look(OLD_MX, open_steps=both, tokens_visible=False)], NOW)
        journal.record_looks([look(OLD_MX, open_steps=frozenset({"acme.example/mx"}), tokens_visible=True)], NOW + HOUR)
        journal.record_looks([look(OLD_MX, open_steps=both, tokens_visible=None)], NOW + 2 * HOUR)
        assert journal.histories([ACME])[ACME].first_seen == {
            "acme.example/mx": NOW,
            "acme.example/verification": NOW + 2 * HOUR,
            TOKENS_VISIBLE: NOW + HOUR,
        }
        journal.record_looks([look(OLD_MX, tokens_visible=False)], NOW + 3 * HOUR)
        assert journal.histories([ACME])[ACME].first_seen == {}


def next_hops_that_change_are_remembered(place: Place) -> None:
    with opened(place) as journal:
        journal.record_looks([look(OLD_MX)], NOW)
        history = journal.histories([ACME])[ACME]
        assert (history.next_hops, history.next_hops_since) == ((), NOW)
        journal.record_looks([look(OLD_MX, next_hops=(NEW_HOP, HOP))], NOW + HOUR)
        journal.record_looks([look(OLD_MX, next_hops=(HOP, NEW_HOP))], NOW + 2 * HOUR)
        history = journal.histories([ACME])[ACME]
        assert (history.next_hops, history.next_hops_since) == ((HOP,), NOW + HOUR)


def written_values_follow_what_was_applied(place: Place) -> None:
    foreign = Rdata('"theirs \\" \\\\ \\255"')
    with opened(place) as journal:
        journal.record_applied(
            [
                applied(),
                applied(key=TXT_KEY, before=(), after=(PRIMARY,), foreign=(foreign,), ttl_before=None, commit=None),
            ]
        )
        assert journal.histories([ACME])[ACME].written == {(MX_KEY, EU), (TXT_KEY, PRIMARY)}
        back = applied(before=(EU,), after=(OLD_MX,), run_id="run-2", at=NOW + HOUR, plan_id=None)
        journal.record_applied([back])
        assert journal.histories([ACME])[ACME].written == {(MX_KEY, OLD_MX), (TXT_KEY, PRIMARY)}
        assert journal.applied_in("run-2") == [back]
        assert back.change.added == (OLD_MX,)
        first, second = journal.applied_in("run-1")
        assert (first, second.foreign, second.commit) == (applied(), (foreign,), None)


def the_timeline_tells_everything_in_its_order(place: Place) -> None:
    with opened(place) as journal:
        journal.record_looks([look(OLD_MX, open_steps=frozenset({"acme.example/mx"}), tokens_visible=True)], NOW)
        journal.record_applied([applied(at=NOW)])
        journal.record_looks([look(EU, ttl=300, next_hops=(NEW_HOP,), tokens_visible=False)], NOW)
        journal.record_looks([look(EU, domain=OTHER)], NOW)
        events = journal.timeline(ACME)
    assert [(e.kind, e.step_id, e.values, e.ttl) for e in events] == [
        (EventKind.DIFFERENCE_SEEN, "acme.example/mx", (), None),
        (EventKind.TOKENS_VISIBLE, "", (), None),
        (EventKind.MX_SEEN, "", (OLD_MX,), 3600),
        (EventKind.APPLIED, "acme.example/mx", (), None),
        (EventKind.DIFFERENCE_CLOSED, "acme.example/mx", (), None),
        (EventKind.TOKENS_HIDDEN, "", (), None),
        (EventKind.MX_GONE, "", (OLD_MX,), 3600),
        (EventKind.MX_SEEN, "", (EU,), 300),
        (EventKind.NEXT_HOPS_CHANGED, "", (NEW_HOP,), None),
    ]
    assert [e.change for e in events if e.change] == [applied()]


def known_domains_are_there_until_they_are_forgotten(place: Place) -> None:
    with opened(place) as journal:
        journal.record_looks([look(OLD_MX, is_switched=True), look(OLD_MX, domain=OTHER, is_gone=True)], NOW)
        journal.record_applied([applied(), applied(domain=Name("third.example."), organization="third")])
        known = journal.known_domains()
        assert [(n, k.organization, k.is_switched, k.is_gone) for n, k in known.items()] == [
            (ACME, "acme", True, False),
            (OTHER, "acme", False, True),
            ("third.example.", "third", False, False),
        ]
        assert known[ACME].written == {(MX_KEY, EU)}
        assert known[ACME].last_seen == NOW
        told = journal.timeline(ACME)
        journal.forget(ACME)
        assert sorted(journal.known_domains()) == [OTHER, "third.example."]
        assert journal.histories([ACME])[ACME] == NO_HISTORY
        assert journal.timeline(ACME) == told


def a_plan_is_used_once(place: Place) -> None:
    with opened(place) as journal:
        with pytest.raises(RuntimeError), journal.claim_plan(PLAN, "a run", NOW):
            pass
        with journal.lock("a run", LEASE, NONE):
            with pytest.raises(KeyboardInterrupt), journal.claim_plan(PLAN, "a run", NOW):
                raise KeyboardInterrupt
            with journal.claim_plan(PLAN, "a run", NOW) as claim:
                claim.is_kept_open = True
            with journal.claim_plan(PLAN, "the last run", NOW):
                pass
            with pytest.raises(StalePlanError, match="before, by the last run at 2026-11-21 12:00 UTC") as caught:
                journal.claim_plan(PLAN, "a run", NOW).__enter__()
            assert caught.value.exit_code is ExitCode.STALE
            with journal.claim_plan(PLAN.replace("a", "b"), "a run", NOW):
                pass


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
        assert SHORT.total_seconds() <= time.monotonic() - begun < _PATIENCE
        assert diagnostic(caught)[0] == "journal-locked"
        assert len(told) == 1
        assert "the other has it since" in told[0]
        assert answer(other) == "still held"
        other.wait(_PATIENCE)
        with journal.lock("me", LEASE, NONE) as lock:
            lock.assert_held()


def a_lease_is_renewed_while_it_is_held(place: Place) -> None:
    with worker(place, HOLD, SHORT.total_seconds()) as other, opened(place) as journal:
        assert line(other) == "held"
        with pytest.raises(JournalLockedError), journal.lock("me", LEASE, 3 * SHORT):
            pass
        assert answer(other) == "still held"


def a_dead_holders_lease_ends(place: Place) -> None:
    with worker(place, HOLD, 2 * SHORT.total_seconds()) as other, opened(place) as journal:
        assert line(other) == "held"
        other.kill()
        other.wait(_PATIENCE)
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
            other.wait(_PATIENCE)
            # what it gave back at its end was not the lock of another
            lock.assert_held()


def a_lease_that_ran_out_and_that_nobody_took_is_renewed(place: Place) -> None:
    with opened(place) as journal, journal.lock("me", LEASE, NONE) as lock:
        place.execute("UPDATE reconciler_lock SET expires = since")
        lock.assert_held()
        with pytest.raises(JournalLockedError), journal.lock("another", LEASE, NONE):
            pass


def nothing_is_written_once_the_lock_is_lost(place: Place) -> None:
    with opened(place) as journal:
        with journal.lock("me", LEASE, NONE) as lock:
            with journal.claim_plan(PLAN, "me", NOW) as claim:
                claim.is_kept_open = True
            place.execute("UPDATE reconciler_lock SET token = 'theirs', holder = 'another'")
            for write in (
                lambda: journal.record_looks([look(OLD_MX)], NOW),
                lambda: journal.record_applied([applied()]),
                lambda: journal.forget(ACME),
                lambda: journal.claim_plan(PLAN, "me", NOW).__enter__(),
                lock.assert_held,
            ):
                with pytest.raises(JournalLockLostError, match="another has it now"):
                    write()
        place.execute("UPDATE reconciler_lock SET token = NULL")
        assert journal.known_domains() == {}


def two_processes_are_never_in_it_at_once(place: Place) -> None:
    number = place.directory / "number"
    number.write_text("0")
    with opened(place), worker(place, COUNT, 15) as one, worker(place, COUNT, 15) as other:
        assert (one.wait(_PATIENCE), other.wait(_PATIENCE)) == (0, 0)
    assert number.read_text() == "30"


def a_restored_copy_is_noticed_and_its_sightings_are_closed(place: Place) -> None:
    with opened(place) as journal:
        journal.record_looks([look(OLD_MX), look(OLD_MX, domain=OTHER)], NOW)
        journal.record_applied([applied()])
    place.back_up()
    with opened(place) as journal:
        assert journal.diagnostics == ()
        journal.record_looks([look(EU)], NOW + HOUR)
    place.restore()
    with reading(place) as reader:
        assert [d.code for d in reader.diagnostics] == ["journal-restored"]
        assert reader.histories([ACME])[ACME].mx == ()
    with opened(place) as journal:
        assert [(d.code, d.severity) for d in journal.diagnostics] == [("journal-restored", Severity.WARNING)]
        found = journal.histories([ACME, OTHER])
        assert [h.mx for h in found.values()] == [(), ()]
        assert found[ACME].written == {(MX_KEY, EU)}
        journal.record_looks([look(EU)], NOW + 2 * HOUR)
    with opened(place) as journal:
        assert journal.diagnostics == ()
        assert len(journal.histories([ACME])[ACME].mx) == 1


def one_lost_write_is_enough_for_a_copy_to_be_noticed(place: Place) -> None:
    with opened(place) as journal:
        place.back_up()
        journal.record_looks([look(OLD_MX)], NOW)
    place.restore()
    with opened(place) as journal:
        assert [d.code for d in journal.diagnostics] == ["journal-restored"]


def a_missing_or_unreadable_mark_is_normal(place: Place) -> None:
    with opened(place) as journal:
        journal.record_looks([look(OLD_MX)], NOW)
    for text in ("", "{", "[]", '{"journal": 1, "counter": "x"}', '{"journal": "another", "counter": 999999}'):
        (place.directory / "state" / "journal.mark").write_text(text)
        with opened(place) as journal:
            assert (journal.diagnostics, len(journal.histories([ACME])[ACME].mx)) == ((), 1)
    (place.directory / "state" / "journal.mark").unlink()
    with opened(place) as journal:
        assert (journal.diagnostics, len(journal.histories([ACME])[ACME].mx)) == ((), 1)


def a_journal_of_a_newer_version_is_refused(place: Place) -> None:
    with opened(place) as journal:
        journal.record_looks([look(OLD_MX)], NOW)
    place.execute("UPDATE reconciler_meta SET schema_version = 2")
    counter = place.execute("SELECT counter FROM reconciler_meta")
    for way in (opened, reading):
        with pytest.raises(JournalError, match="newer program") as caught, way(place):
            pass
        assert diagnostic(caught)[0] == "journal-version"
    assert place.execute("SELECT counter FROM reconciler_meta") == counter


def what_no_journal_writes_is_refused(place: Place) -> None:
    with opened(place) as journal:
        journal.record_looks([look(OLD_MX)], NOW)
        journal.record_applied([applied()])
    for table, column, value in (
        ("events", "kind", "x"),
        ("domains", "lifecycle", "x"),
        ("mx_sightings", "rdatas", "{}"),
        ("mx_sightings", "rdatas", "["),
        ("applied", "name", "UPPER.example"),
        ("domains", "next_hops", '["a..b"]'),
    ):
        before = place.execute(f"SELECT {column} FROM reconciler_{table}")[0][0]  # noqa: S608 - from above
        place.execute(f"UPDATE reconciler_{table} SET {column} = '{value}'")  # noqa: S608 - from above
        with reading(place) as reader, pytest.raises(JournalError) as caught:
            _ = reader.histories([ACME]), reader.timeline(ACME)
        assert diagnostic(caught)[0] == "journal-damaged"
        place.execute(f"UPDATE reconciler_{table} SET {column} = '{before}'")  # noqa: S608 - from above
    place.execute("DELETE FROM reconciler_meta")
    with pytest.raises(JournalError) as caught, opened(place):
        pass
    assert diagnostic(caught)[0] == "journal-damaged"


def a_big_fleet_is_quick(place: Place) -> None:
    """Ten thousand domains: bounds that hold on a slow machine, and that one query for each domain would break."""
    names = [canonical_name(f"d{n}.example") for n in range(10_000)]
    steps = frozenset({"mx", "verification"})
    with opened(place) as journal:
        begun = time.monotonic()
        journal.record_looks([look(OLD_MX, domain=n, open_steps=steps) for n in names], NOW)
        journal.record_looks([look(OLD_MX, domain=n, open_steps=steps) for n in names], NOW + HOUR)
        looked = time.monotonic()
        found = journal.histories(names)
        loaded = time.monotonic()
    assert len(found) == len(names)
    assert all(h.mx == (MxSighting((OLD_MX,), 3600, NOW, NOW + HOUR),) for h in found.values())
    assert loaded - looked < 3
    assert looked - begun < 20


def a_run_that_is_killed_leaves_a_journal_that_can_be_read(place: Place) -> None:
    """Fifty domains in each transaction: all of them were looked at as often."""
    names = [Name(f"d{n}.example.") for n in range(50)]
    for delay in (0.0, 0.017, 0.041):
        with worker(place, LOOK) as other:
            assert line(other) == "looking"
            time.sleep(delay)
            other.kill()
            other.wait(_PATIENCE)
        with reading(place) as reader:
            assert len({h.mx for h in reader.histories(names).values()}) == 1
        with opened(place) as journal:
            assert journal.diagnostics == ()
            assert len({h.mx for h in journal.histories(names).values()}) == 1


def looks_of_two_processes_come_one_after_the_other(place: Place) -> None:
    """Without the lock too: neither overwrites what the other adds."""
    with opened(place), worker(place, SEE, "one.example") as one, worker(place, SEE, "other.example") as other:
        assert (one.wait(_PATIENCE), other.wait(_PATIENCE)) == (0, 0)
    with reading(place) as reader:
        assert len({s.rdatas for s in reader.histories([ACME])[ACME].mx}) == 40


def many_may_create_it_at_once(place: Place) -> None:
    together = threading.Barrier(6)

    def create(_: int) -> None:
        together.wait(_PATIENCE)
        with opened(place) as journal:
            journal.record_looks([look(OLD_MX)], NOW)

    with ThreadPoolExecutor(together.parties) as pool:
        list(pool.map(create, range(together.parties)))
    assert place.execute("SELECT count(*) FROM reconciler_meta")[0][0] == 1


SCENARIOS: tuple[Callable[[Place], None], ...] = (
    nothing_is_known_of_a_name_that_was_never_seen,
    reading_creates_nothing,
    a_look_is_remembered_by_the_next_run,
    several_looks_at_once_count_one_after_the_other,
    an_open_step_keeps_the_time_when_it_was_first_seen,
    next_hops_that_change_are_remembered,
    written_values_follow_what_was_applied,
    the_timeline_tells_everything_in_its_order,
    known_domains_are_there_until_they_are_forgotten,
    a_plan_is_used_once,
    a_lease_that_ran_out_and_that_nobody_took_is_renewed,
    nothing_is_written_once_the_lock_is_lost,
    a_restored_copy_is_noticed_and_its_sightings_are_closed,
    one_lost_write_is_enough_for_a_copy_to_be_noticed,
    a_missing_or_unreadable_mark_is_normal,
    a_journal_of_a_newer_version_is_refused,
    what_no_journal_writes_is_refused,
    many_may_create_it_at_once,
)
"""What one process sees."""

LONG_SCENARIOS: tuple[Callable[[Place], None], ...] = (
    a_second_writer_gives_up_with_the_holders_name,
    a_lease_is_renewed_while_it_is_held,
    a_dead_holders_lease_ends,
    a_holder_that_was_paused_learns_that_it_lost_the_lock,
    two_processes_are_never_in_it_at_once,
    looks_of_two_processes_come_one_after_the_other,
    a_run_that_is_killed_leaves_a_journal_that_can_be_read,
    a_big_fleet_is_quick,
)
"""What several processes do to each other, and what takes a while."""
