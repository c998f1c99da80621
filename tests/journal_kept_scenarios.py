"""What a journal keeps beside histories, the same for SQLite and PostgreSQL: reviewed plans, what was told, counts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from builders import NOW
from journal_lab import HOUR, LEASE, NONE, PLAN, diagnostic, opened, reading

from reconciler.errors import JournalError
from reconciler.journal import DriftCounts, ReviewedPlan, Told

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal_lab import Place

DAY = timedelta(days=1)


def reviewed_plans_are_kept_until_they_are_dropped(place: Place) -> None:
    first, second = ReviewedPlan("sha256:b", '{"a": 1}', NOW), ReviewedPlan("sha256:a", "{}", NOW + HOUR)
    with opened(place) as journal:
        assert journal.reviewed_plans() == ()
        journal.keep_reviewed([second, first])
    with opened(place) as journal:
        assert journal.reviewed_plans() == (first, second)
        journal.keep_reviewed([], dropped=["sha256:b", "sha256:never"])
    with reading(place) as reader:
        assert reader.reviewed_plans() == (second,)


def what_was_told_is_kept_by_its_key(place: Place) -> None:
    with opened(place) as journal:
        journal.keep_told([Told("drift:1", "MX changed", NOW), Told("hold:2", "held", NOW + HOUR)])
        journal.keep_told([Told("drift:1", "MX changed again", NOW + 2 * HOUR)], dropped=["hold:2"])
    with reading(place) as reader:
        assert reader.told() == (Told("drift:1", "MX changed again", NOW + 2 * HOUR),)


def a_plan_is_used_when_its_apply_has_ended(place: Place) -> None:
    other, inverse = PLAN.replace("a", "b"), PLAN.replace("a", "c")
    with opened(place) as journal:
        journal.record_inverse(inverse, "a run", NOW)
        with journal.lock("a run", LEASE, NONE):
            with journal.claim_plan(PLAN, "a run", NOW):
                assert not journal.is_plan_used(PLAN)
            with journal.claim_plan(other, "a run", NOW) as claim:
                claim.is_kept_open = True
    with reading(place) as reader:
        assert [reader.is_plan_used(plan) for plan in (PLAN, other, inverse, "never")] == [True, False, False, False]


def of_old_counts_the_last_of_each_day_stays(place: Place) -> None:
    begin = NOW.replace(hour=0, minute=0)
    times = [begin + hours * HOUR for hours in (0, 12, 18, 24, 36)]
    with opened(place) as journal:
        for number, at in enumerate(times):
            journal.record_counts(DriftCounts(at, {"critical": number}))
        assert [c.at for c in journal.drift_counts()] == times
        later = begin + 30 * DAY
        journal.record_counts(DriftCounts(later, {"critical": 9, "domains": 3}))
    with reading(place) as reader:
        assert [c.at for c in reader.drift_counts()] == [times[2], times[4], later]
        assert reader.drift_counts()[-1].counts == {"critical": 9, "domains": 3}


def a_journal_of_version_1_is_read_as_it_is_and_gets_the_tables_when_it_is_written(place: Place) -> None:
    with opened(place):
        pass
    for table in ("reviewed", "told", "drift_counts"):
        place.execute(f"DROP TABLE reconciler_{table}")
    place.execute("UPDATE reconciler_meta SET schema_version = 1")
    with reading(place) as reader:
        assert (reader.reviewed_plans(), reader.told(), reader.drift_counts()) == ((), (), ())
    with opened(place) as journal:
        journal.keep_told([Told("drift:1", "MX changed", NOW)])
    assert place.execute("SELECT schema_version FROM reconciler_meta") == [(2,)]


def counts_that_no_journal_writes_are_refused(place: Place) -> None:
    with opened(place) as journal:
        journal.record_counts(DriftCounts(NOW, {"critical": 1}))
    for damaged in ("[", "[1]", '{"critical": "1"}'):
        place.execute(f"UPDATE reconciler_drift_counts SET counts = '{damaged}'")  # noqa: S608 - from above
        with reading(place) as reader, pytest.raises(JournalError) as caught:
            reader.drift_counts()
        assert diagnostic(caught)[0] == "journal-damaged"


KEPT_SCENARIOS: tuple[Callable[[Place], None], ...] = (
    reviewed_plans_are_kept_until_they_are_dropped,
    what_was_told_is_kept_by_its_key,
    a_plan_is_used_when_its_apply_has_ended,
    of_old_counts_the_last_of_each_day_stays,
    a_journal_of_version_1_is_read_as_it_is_and_gets_the_tables_when_it_is_written,
    counts_that_no_journal_writes_are_refused,
)
"""All of them."""
