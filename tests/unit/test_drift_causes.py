"""The class of a difference follows from the journal, and is not certain where the journal does not show it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from builders import EU, EU_MULTI, MX_KEY, NOW, OLD_MX, PRIMARY, SECONDARY, TXT_KEY, settled

from reconciler.diff import Change
from reconciler.drift.cause import cause_of
from reconciler.drift.finding import Cause, DriftClass
from reconciler.drift.remembered import Remembered
from reconciler.history import NO_HISTORY, History, MxSighting
from reconciler.journal.entries import AppliedChange, Event, EventKind
from reconciler.names import Name
from reconciler.plan import Status

if TYPE_CHECKING:
    from reconciler.state import Key, Rdata

HOUR = timedelta(hours=1)
ZONE = Name("acme.example.")
COMMIT = "a" * 40
FILE = "manifests/acme.yaml"


def change(key: Key, before: list[Rdata], after: list[Rdata], **changes: Any) -> Change:  # noqa: ANN401
    given: dict[str, Any] = {"foreign": (), "ttl_before": 3600 if before else None, "ttl": 3600} | changes
    return Change(key, ZONE, tuple(sorted(before)), tuple(sorted(after)), **given)


def applied(what: Change, at: datetime = NOW - HOUR) -> Event:
    entry = AppliedChange(
        domain=ZONE,
        organization="acme",
        step_id="acme.example/x",
        change=what,
        provider="bind",
        commit=COMMIT,
        run_id="r",
        plan_id=None,
        at=at,
    )
    return Event(at, EventKind.APPLIED, entry.step_id, change=entry)


def seen(*values: Rdata, at: datetime) -> Event:
    return Event(at, EventKind.MX_SEEN, values=values, ttl=3600)


def cause(
    now: Change,
    *events: Event,
    status: Status = Status.READY,
    history: History = NO_HISTORY,
    **changes: Any,  # noqa: ANN401
) -> Cause:
    remembered = Remembered(NOW, history, events, changes.pop("is_whole", True))
    given: dict[str, Any] = {"since": NOW, "file": FILE, "unchanged": frozenset()} | changes
    return cause_of(now, remembered, is_waiting=status is Status.HELD, **given)


WROTE_TOKEN = applied(change(TXT_KEY, [], [PRIMARY]))
WROTE_MX = applied(change(MX_KEY, [OLD_MX], [EU]))


@pytest.mark.parametrize("status", [Status.READY, Status.HELD, Status.MANUAL])
@pytest.mark.parametrize(
    ("now", "event", "told"),
    [
        (change(TXT_KEY, [], [PRIMARY]), WROTE_TOKEN, f"somebody else removed {PRIMARY}"),
        (change(MX_KEY, [EU, OLD_MX], [EU]), WROTE_MX, f"somebody else added {OLD_MX}"),
        (change(MX_KEY, [OLD_MX], [EU]), WROTE_MX, f"removed {EU} and added {OLD_MX}"),
        (change(MX_KEY, [EU], [EU], ttl_before=60), WROTE_MX, "with TTL 3600, somebody else set 60"),
    ],
)
def test_what_is_not_as_it_was_written_was_changed_by_somebody(
    now: Change, event: Event, told: str, status: Status
) -> None:
    """Whatever the step waits for."""
    found = cause(now, event, status=status)
    assert (found.drift_class, found.is_certain) == (DriftClass.OUT_OF_BAND, True)
    assert told in found.text


def test_what_was_never_wanted_before_is_unapplied() -> None:
    found = cause(change(TXT_KEY, [PRIMARY], [PRIMARY, SECONDARY]), WROTE_TOKEN)
    assert (found.drift_class, found.is_certain) == (DriftClass.UNAPPLIED, True)


def test_a_declared_ttl_that_was_not_written_is_unapplied() -> None:
    assert cause(change(MX_KEY, [EU], [EU], ttl=600), WROTE_MX).drift_class is DriftClass.UNAPPLIED


@pytest.mark.parametrize("status", [Status.READY, Status.HELD])
def test_another_host_for_an_unchanged_manifest_is_the_catalogs_doing(status: Status) -> None:
    now = change(MX_KEY, [EU], [EU_MULTI])
    assert cause(now, WROTE_MX, status=status, unchanged=frozenset({(COMMIT, FILE)})).drift_class is DriftClass.CATALOG
    assert cause(now, WROTE_MX, unchanged=frozenset({("b" * 40, FILE)})).drift_class is DriftClass.UNAPPLIED


def test_what_is_as_it_was_left_and_waits_is_pending() -> None:
    both = applied(change(TXT_KEY, [PRIMARY], [PRIMARY, SECONDARY]))
    found = cause(change(TXT_KEY, [PRIMARY, SECONDARY], [PRIMARY]), both, status=Status.HELD)
    assert (found.drift_class, found.is_certain) == (DriftClass.PENDING, True)


def test_only_the_last_write_counts() -> None:
    back = applied(change(MX_KEY, [EU], [OLD_MX]), NOW - HOUR / 2)
    assert cause(change(MX_KEY, [OLD_MX], [EU]), WROTE_MX, back).drift_class is DriftClass.UNAPPLIED


def test_where_nothing_was_written_nothing_is_certain() -> None:
    found = cause(change(TXT_KEY, [], [PRIMARY]))
    assert (found.drift_class, found.is_certain) == (DriftClass.UNAPPLIED, False)
    assert cause(change(TXT_KEY, [], [PRIMARY]), status=Status.HELD).drift_class is DriftClass.PENDING


def test_a_journal_that_is_an_older_copy_accuses_nobody() -> None:
    found = cause(change(TXT_KEY, [], [PRIMARY]), WROTE_TOKEN, is_whole=False)
    assert (found.drift_class, found.is_certain) == (DriftClass.UNAPPLIED, False)


MOVED = change(MX_KEY, [OLD_MX], [EU])


def test_an_mx_that_nobody_wrote_and_that_was_another_one_was_changed_by_somebody() -> None:
    """Adopted as it was: the journal saw the gateway's MX and wrote none."""
    found = cause(MOVED, seen(EU, at=NOW - HOUR), history=settled(EU))
    assert (found.drift_class, found.is_certain) == (DriftClass.OUT_OF_BAND, True)


def test_that_is_still_so_after_the_change_was_recorded() -> None:
    sightings = (
        MxSighting((EU,), 3600, NOW - 9 * HOUR, NOW - 2 * HOUR, NOW - HOUR),
        MxSighting((OLD_MX,), 3600, NOW - HOUR, NOW - HOUR),
    )
    events = (seen(EU, at=NOW - 9 * HOUR), seen(OLD_MX, at=NOW - HOUR))
    found = cause(MOVED, *events, history=History(mx=sightings), since=NOW - HOUR)
    assert (found.drift_class, found.is_certain) == (DriftClass.OUT_OF_BAND, True)


def test_an_mx_that_is_older_than_the_difference_was_declared_otherwise() -> None:
    found = cause(MOVED, seen(OLD_MX, at=NOW - 9 * HOUR), history=settled(OLD_MX))
    assert (found.drift_class, found.is_certain) == (DriftClass.UNAPPLIED, True)


def test_an_mx_that_differed_at_the_first_look_tells_nothing() -> None:
    sighting = MxSighting((OLD_MX,), 3600, NOW - HOUR, NOW - HOUR)
    found = cause(MOVED, seen(OLD_MX, at=NOW - HOUR), history=History(mx=(sighting,)), since=NOW - HOUR)
    assert (found.drift_class, found.is_certain) == (DriftClass.UNAPPLIED, False)
