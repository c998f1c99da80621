"""Documents that people are told of, and records as the journal keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from builders import NOW
from hostile import HOSTILE
from notify_builders import DAY, applied, applied_json, drift, drift_json, finding, result

from reconciler.document.applied import ApplyDocument
from reconciler.drift import DriftDocument
from reconciler.journal.entries import Told
from reconciler.notify.documents import DocumentError, load_documents
from reconciler.notify.look import look_of_apply, look_of_drift
from reconciler.notify.record import KEYS, Record, Standing
from reconciler.notify.remembered import read_records, told_of

if TYPE_CHECKING:
    from pathlib import Path


def test_documents_are_told_apart_by_their_kind(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(applied_json(result()))
    (tmp_path / "b").write_text(drift_json(finding()))
    found = load_documents([tmp_path / "a", tmp_path / "b"])
    first, second = found
    assert isinstance(first, ApplyDocument)
    assert isinstance(second, DriftDocument)


def test_unknown_fields_and_minor_versions_are_read(tmp_path: Path) -> None:
    text = applied_json().replace('"1.0"', '"1.7","later":{}')
    (tmp_path / "a").write_text(text)
    assert load_documents([tmp_path / "a"])


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "no complete JSON"),
        ("{", "no complete JSON"),
        ("[" * 100_000, "no complete JSON"),
        ("[]", "neither an apply document nor a drift document"),
        ('{"kind": "plan"}', "neither"),
        ('{"kind": ["drift"]}', "neither"),
        ('{"kind": "drift", "format_version": "2.0"}', "not 1.x"),
        ('{"kind": "drift"}', "not 1.x"),
        ('{"kind": "apply", "format_version": "1.0"}', "not as it was written"),
    ],
)
def test_what_is_no_document_is_refused(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(DocumentError) as caught:
        load_documents([path, tmp_path / "gone.json"])
    first, second = caught.value.diagnostics
    assert word in first.summary
    assert first.detail
    assert first.file == str(path)
    assert "No such file" in second.summary


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
