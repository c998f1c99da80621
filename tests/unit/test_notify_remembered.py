"""Records of what people were told, as the journal keeps them."""

from __future__ import annotations

import pytest
from builders import NOW
from hostile import HOSTILE
from notify_builders import DAY, applied, drift, finding, result

from reconciler.journal.entries import Told
from reconciler.notify.look import look_of_apply, look_of_drift
from reconciler.notify.record import KEYS, Record, Standing
from reconciler.notify.remembered import read_records, told_of


@pytest.mark.parametrize("text", [t for t in HOSTILE if "\ud800" not in t])
def test_records_come_back_from_the_journal_as_they_were(text: str) -> None:
    told = drift(finding(summary=text, repair=text, held_by=[text], age_hours=30))
    looks = [look_of_drift(told, DAY), look_of_apply(applied(result(text)))]
    matters = [m for look in looks for m in (*look.drift.values(), *look.holds.values(), *look.switches)]
    assert len(matters) == 3
    records = {r.key: r for m in matters for r in [Record("e", m, Standing.WAITING, NOW, NOW)]}
    kept = told_of(records.values())
    assert all(entry.text.isascii() for entry in kept)
    assert read_records(kept) == (records, [])


def test_entries_of_others_are_let_be_and_unreadable_ones_are_told() -> None:
    entries = [Told("else", "{}", NOW), Told(f"{KEYS}a", "{}", NOW), Told(f"{KEYS}b", "no json", NOW)]
    assert read_records(entries) == ({}, [f"{KEYS}a", f"{KEYS}b"])
