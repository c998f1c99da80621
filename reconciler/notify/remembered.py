"""Records of what was told as the journal keeps them: by key and text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from reconciler.journal.entries import Told
from reconciler.notify.record import KEYS, Record, Records

if TYPE_CHECKING:
    from collections.abc import Iterable

_FORM: TypeAdapter[Record] = TypeAdapter(Record)


def read_records(told: Iterable[Told]) -> tuple[Records, list[str]]:
    """The records by their keys, and the keys of those that cannot be read, as another version wrote them."""
    records, unread = {}, []
    for entry in told:
        if not entry.key.startswith(KEYS):
            continue
        try:
            record = _FORM.validate_json(entry.text)
        except ValidationError:
            unread.append(entry.key)
        else:
            records[entry.key] = record
    return records, unread


def told_of(records: Iterable[Record]) -> list[Told]:
    """What the journal keeps of them."""
    return [Told(r.key, _text(r), r.at) for r in records]


def _text(record: Record) -> str:
    return _FORM.dump_json(record, ensure_ascii=True, exclude_defaults=True).decode("ascii")
