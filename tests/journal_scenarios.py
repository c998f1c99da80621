"""What must hold of a journal in any database, as one process sees it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from builders import EU, MX_KEY, NOW, OLD_MX, PRIMARY, TXT_KEY
from journal_lab import ACME, HOP, HOUR, LEASE, NEW_HOP, NONE, OTHER, PLAN, applied, diagnostic, look, opened, reading

from reconciler.errors import ExitCode, JournalError, JournalLockedError, JournalLockLostError, Severity, StalePlanError
from reconciler.history import NO_HISTORY, TOKENS_VISIBLE, MxSighting
from reconciler.journal import EventKind, read_histories
from reconciler.names import Name
from reconciler.state import Rdata

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal_lab import Place


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
        assert (first, second.change.foreign, second.commit) == (applied(), (foreign,), None)


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
    mark = place.directory / "state" / "journal.mark"
    beyond = json.dumps(json.loads(mark.read_text()) | {"counter": 10**30})
    odd = ("", "{", "[]", "[" * 5000, '{"journal": 1, "counter": "x"}', '{"journal": "another", "counter": 999999}')
    for text in (*odd, beyond):
        mark.write_text(text)
        with opened(place) as journal:
            assert (journal.diagnostics, len(journal.histories([ACME])[ACME].mx)) == ((), 1)
    mark.unlink()
    with opened(place) as journal:
        assert (journal.diagnostics, len(journal.histories([ACME])[ACME].mx)) == ((), 1)


def a_journal_of_a_newer_version_is_refused(place: Place) -> None:
    with opened(place) as journal:
        journal.record_looks([look(OLD_MX)], NOW)
    place.execute("UPDATE reconciler_meta SET schema_version = 3")
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
)
"""All of them."""
