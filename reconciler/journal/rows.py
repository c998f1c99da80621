"""Records to rows and back; and writing what differs, in batches."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Column, ColumnElement, Connection, Row, Table, Text, bindparam, cast, func, literal, select

from reconciler.history import History, MxSighting
from reconciler.journal.record import Record
from reconciler.journal.tables import DOMAINS, FIRST_SEEN, MX_SIGHTINGS, WRITTEN, DamagedValueError
from reconciler.manifest.fleet import Lifecycle
from reconciler.names import InvalidNameError, Name, canonical_name
from reconciler.state import Key, Rdata

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

Rows = dict[tuple[Any, ...], dict[str, Any]]
"""Rows of one table by their primary key."""

_STATE_TABLES = (DOMAINS, MX_SIGHTINGS, FIRST_SEEN, WRITTEN)


def checked_name(text: object) -> Name:
    """A name that comes out of the database.

    Raises:
        DamagedValueError: it is no name in its universal form.

    """
    try:
        name = canonical_name(str(text))
    except InvalidNameError as exc:
        raise DamagedValueError("no domain name") from exc
    if name != text:
        raise DamagedValueError("no domain name in its universal form")
    return name


def load_records(connection: Connection, names: Iterable[Name] | None) -> dict[Name, Record]:
    """The records of the domains that the journal knows among `names`; of all that it knows where that is None."""
    # one parameter, however many there are: a statement may not have thousands
    wanted = None if names is None else json.dumps(sorted(set(names)))
    mx: dict[str, list[MxSighting]] = defaultdict(list)
    first_seen: dict[str, dict[str, datetime]] = defaultdict(dict)
    for domain, _, rdatas, ttl, seen_first, seen_last, gone in _select(connection, MX_SIGHTINGS, wanted):
        mx[domain].append(MxSighting(rdatas, ttl, seen_first, seen_last, gone))
    for domain, what, since in _select(connection, FIRST_SEEN, wanted):
        first_seen[domain][what] = since
    written = load_written(connection, wanted)
    records = {}
    for row in _select(connection, DOMAINS, wanted):
        name = checked_name(row.domain)
        history = History(
            mx=tuple(mx[name]),
            written=written.get(name, frozenset()),
            first_seen=first_seen[name],
            next_hops=_names(row.next_hops_before),
            next_hops_since=row.next_hops_since,
        )
        records[name] = _record(row, history)
    return records


def load_written(connection: Connection, names: str | None) -> dict[str, frozenset[tuple[Key, Rdata]]]:
    """The values that were written and not removed since, by domain; `names` is a JSON array, None for all."""
    written: dict[str, set[tuple[Key, Rdata]]] = defaultdict(set)
    for row in _select(connection, WRITTEN, names):
        written[row.domain].add((Key(checked_name(row.name), row.type), Rdata(row.rdata)))
    return {name: frozenset(values) for name, values in written.items()}


def _select(connection: Connection, table: Table, names: str | None) -> Sequence[Any]:
    statement = select(table)
    if table is MX_SIGHTINGS:
        statement = statement.order_by(MX_SIGHTINGS.c.position)
    if names is not None:
        statement = statement.where(_is_among(connection, table.c.domain, names))
    return connection.execute(statement).all()


def select_domains(connection: Connection, table: Table, names: Iterable[Name]) -> Sequence[Row[Any]]:
    """The rows of a table with a column `domain`, of these domains."""
    # one parameter, however many there are: a statement may not have thousands
    wanted = json.dumps(sorted(set(names)))
    return connection.execute(select(table).where(_is_among(connection, table.c.domain, wanted))).all()


def _is_among(connection: Connection, column: Column[str], names: str) -> ColumnElement[bool]:
    if connection.dialect.name == "postgresql":
        return column.in_(select(func.json_array_elements_text(cast(literal(names, Text), JSON))))
    return column.in_(select(func.json_each(names).table_valued("value").c.value))


def _record(row: Row[Any], history: History) -> Record:
    next_hops = None if row.next_hops is None else _names(row.next_hops)
    lifecycle = checked_lifecycle(row.lifecycle)
    return Record(history, row.organization, lifecycle, row.is_switched, row.is_gone, row.last_seen, next_hops)


def checked_lifecycle(text: object) -> Lifecycle:
    """A lifecycle that comes out of the database.

    Raises:
        DamagedValueError: there is none of that name.

    """
    try:
        return Lifecycle(str(text))
    except ValueError as exc:
        raise DamagedValueError("no lifecycle") from exc


@lru_cache(maxsize=4096)  # thousands of domains share their next hops
def _names(texts: tuple[str, ...]) -> tuple[Name, ...]:
    return tuple(checked_name(text) for text in texts)


def _rows(records: Mapping[Name, Record]) -> dict[Table, Rows]:
    rows: dict[Table, Rows] = {table: {} for table in _STATE_TABLES}
    for domain, record in records.items():
        history = record.history
        rows[DOMAINS][domain,] = {
            "domain": domain,
            "organization": record.organization,
            "lifecycle": record.lifecycle.value,
            "is_switched": record.is_switched,
            "is_gone": record.is_gone,
            "last_seen": record.last_seen,
            "next_hops": record.next_hops,
            "next_hops_before": history.next_hops,
            "next_hops_since": history.next_hops_since,
        }
        for position, sighting in enumerate(history.mx):
            rows[MX_SIGHTINGS][domain, position] = {
                "domain": domain,
                "position": position,
                "rdatas": sighting.rdatas,
                "ttl": sighting.ttl,
                "first_seen": sighting.first_seen,
                "last_seen": sighting.last_seen,
                "gone": sighting.gone,
            }
        for what, since in history.first_seen.items():
            rows[FIRST_SEEN][domain, what] = {"domain": domain, "what": what, "since": since}
        for key, rdata in history.written:
            row = {"domain": domain, "name": key.name, "type": key.type, "rdata": rdata}
            rows[WRITTEN][domain, key.name, key.type, rdata] = row
    return rows


def write_difference(connection: Connection, before: Mapping[Name, Record], after: Mapping[Name, Record]) -> None:
    """Make the rows of `before` those of `after`; what is equal is not written."""
    rows_before, rows_after = _rows(before), _rows(after)
    for table in _STATE_TABLES:
        old, new = rows_before[table], rows_after[table]
        if gone := [key for key in old if key not in new]:
            columns = list(table.primary_key.columns)
            statement = table.delete().where(*(column == bindparam(f"key_{column.name}") for column in columns))
            connection.execute(
                statement, [{f"key_{c.name}": v for c, v in zip(columns, key, strict=True)} for key in gone]
            )
        if changed := [row for key, row in new.items() if old.get(key) != row]:
            upsert(connection, table, changed)


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, each with every column; one whose primary key is there replaces that one."""
    if not rows:
        return
    # two functions of one shape, and half of the time that the journal takes to import: the one that is needed
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]  # noqa: PLC0415
    statement = insert(table)
    if others := {c.name: statement.excluded[c.name] for c in table.columns if not c.primary_key}:
        statement = statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=others)
    else:
        statement = statement.on_conflict_do_nothing()
    connection.execute(statement, rows)
