"""What a journal keeps besides the domains' histories: reviewed plans, what people were told, and counts of drift."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Row, Table, delete, inspect, select

from reconciler.journal.entries import DriftCounts, ReviewedPlan, Told
from reconciler.journal.rows import upsert
from reconciler.journal.tables import DRIFT_COUNTS, REVIEWED, TOLD, DamagedValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from typing import Any

_EVERY_COUNT = timedelta(days=7)
"""Of what is older, the last count of each day is kept."""


def load_reviewed(connection: Connection) -> tuple[ReviewedPlan, ...]:
    """The reviewed plans of which steps are held, oldest first."""
    return tuple(ReviewedPlan(r.plan_id, r.document, r.at) for r in _rows(connection, REVIEWED))


def load_told(connection: Connection) -> tuple[Told, ...]:
    """What people were told, oldest first."""
    return tuple(Told(r.key, r.text, r.at) for r in _rows(connection, TOLD))


def load_counts(connection: Connection) -> tuple[DriftCounts, ...]:
    """The counts of drift, oldest first."""
    return tuple(DriftCounts(r.at, _counts(r.counts)) for r in _rows(connection, DRIFT_COUNTS))


def _rows(connection: Connection, table: Table) -> Sequence[Row[Any]]:
    # a journal of version 1 that no run has written to since
    if not inspect(connection).has_table(table.name):
        return ()
    return connection.execute(select(table).order_by(table.c.at)).all()


def _counts(text: str) -> dict[str, int]:
    try:
        found = json.loads(text)
    except ValueError as exc:
        raise DamagedValueError("no counts") from exc
    if not isinstance(found, dict) or not all(isinstance(n, int) for n in found.values()):
        raise DamagedValueError("no counts")
    return found


def write_reviewed(connection: Connection, plans: Iterable[ReviewedPlan], dropped: Iterable[str]) -> None:
    """Keep plans, and forget those of other ids."""
    _remove(connection, REVIEWED, "plan_id", dropped)
    upsert(connection, REVIEWED, [{"plan_id": p.plan_id, "document": p.document, "at": p.at} for p in plans])


def write_told(connection: Connection, told: Iterable[Told], dropped: Iterable[str]) -> None:
    """Remember what was told, and forget other keys."""
    _remove(connection, TOLD, "key", dropped)
    upsert(connection, TOLD, [{"key": t.key, "text": t.text, "at": t.at} for t in told])


def write_counts(connection: Connection, counts: DriftCounts) -> None:
    """Keep a count; of each day that is long past, the last one stays."""
    upsert(connection, DRIFT_COUNTS, [{"at": counts.at, "counts": json.dumps(dict(counts.counts), sort_keys=True)}])
    last: dict[object, datetime] = {}
    outdated = []
    for (at,) in connection.execute(select(DRIFT_COUNTS.c.at).order_by(DRIFT_COUNTS.c.at)):
        if at >= counts.at - _EVERY_COUNT:
            break
        if (earlier := last.get(at.date())) is not None:
            outdated.append(earlier)
        last[at.date()] = at
    _remove(connection, DRIFT_COUNTS, "at", outdated)


def _remove(connection: Connection, table: Table, column: str, values: Iterable[object]) -> None:
    for value in values:
        connection.execute(delete(table).where(table.c[column] == value))
