"""The journal's tables, the same in SQLite and in PostgreSQL.

All names begin with `reconciler_`, so that the journal can live in a database that has other tables. Points in time are
kept in UTC, sequences as JSON.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy import Dialect
    from sqlalchemy.types import TypeEngine

SCHEMA_VERSION = 2
OLDEST_VERSION = 1
"""Version 1 lacks the tables of reviewed plans, of what was told, and of counts."""
ONLY = 1
"""The id of the one row of a table that has one row."""


class DamagedValueError(ValueError):
    """A value in the journal that the journal never wrote."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, with microseconds: `timestamptz` in PostgreSQL, ISO 8601 text that sorts in SQLite."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The type below, by database."""
        is_postgresql = dialect.name == "postgresql"
        return dialect.type_descriptor(DateTime(timezone=True) if is_postgresql else String())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ANN401 - by database
        """To the database; a datetime without a zone is refused."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a point in time without a time zone")
        utc = value.astimezone(UTC)
        return utc if dialect.name == "postgresql" else utc.isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002 - by database
        """From the database, in UTC."""
        if value is None:
            return None
        return value.astimezone(UTC) if isinstance(value, datetime) else _parsed_time(value)


@lru_cache(maxsize=1024)  # a run looks at thousands of domains at one time
def _parsed_time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError) as exc:
        raise DamagedValueError("no point in time") from exc
    if found.tzinfo is None:
        raise DamagedValueError("a point in time without a time zone")
    return found.astimezone(UTC)


class Texts(TypeDecorator[tuple[str, ...]]):
    """A sequence of texts, as JSON; the empty one and NULL are two things."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the same in all
        """To the database."""
        return None if value is None else json.dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...] | None:  # noqa: ARG002 - the same in all
        """From the database."""
        return None if value is None else _parsed_texts(value)


@lru_cache(maxsize=4096)  # thousands of domains share their next hops and their MX
def _parsed_texts(text: str) -> tuple[str, ...]:
    try:
        found = json.loads(text)
    except (TypeError, ValueError) as exc:
        raise DamagedValueError("no sequence of texts") from exc
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise DamagedValueError("no sequence of texts")
    return tuple(found)


METADATA = MetaData()

_SEQUENCE = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself for INTEGER alone


def _time(name: str, *, is_optional: bool = False) -> Column[datetime]:
    return Column(name, UtcDateTime, nullable=is_optional)


def _domain() -> Column[str]:
    return Column("domain", Text, primary_key=True)


META = Table(
    "reconciler_meta",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("schema_version", Integer, nullable=False),
    Column("journal", Text, nullable=False),
    Column("counter", BigInteger, nullable=False),
)

LOCK = Table(
    "reconciler_lock",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("token", Text),
    Column("holder", Text),
    _time("since", is_optional=True),
    _time("expires", is_optional=True),
)

DOMAINS = Table(
    "reconciler_domains",
    METADATA,
    _domain(),
    Column("organization", Text, nullable=False),
    Column("lifecycle", Text, nullable=False),
    Column("is_switched", Boolean, nullable=False),
    Column("is_gone", Boolean, nullable=False),
    _time("last_seen"),
    Column("next_hops", Texts),
    Column("next_hops_before", Texts, nullable=False),
    _time("next_hops_since", is_optional=True),
)

MX_SIGHTINGS = Table(
    "reconciler_mx_sightings",
    METADATA,
    _domain(),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("rdatas", Texts, nullable=False),
    Column("ttl", BigInteger),
    _time("first_seen"),
    _time("last_seen"),
    _time("gone", is_optional=True),
)

FIRST_SEEN = Table(
    "reconciler_first_seen",
    METADATA,
    _domain(),
    Column("what", Text, primary_key=True),
    _time("since"),
)

WRITTEN = Table(
    "reconciler_written",
    METADATA,
    _domain(),
    Column("name", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("rdata", Text, primary_key=True),
)

EVENTS = Table(
    "reconciler_events",
    METADATA,
    Column("id", _SEQUENCE, primary_key=True),
    Column("counter", BigInteger, nullable=False),
    Column("domain", Text, nullable=False, index=True),
    _time("at"),
    Column("kind", Text, nullable=False),
    Column("step_id", Text, nullable=False),
    Column("values", Texts, nullable=False),
    Column("ttl", BigInteger),
)

APPLIED = Table(
    "reconciler_applied",
    METADATA,
    Column("id", _SEQUENCE, primary_key=True),
    Column("counter", BigInteger, nullable=False),
    Column("domain", Text, nullable=False, index=True),
    Column("organization", Text, nullable=False),
    Column("step_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("before", Texts, nullable=False),
    Column("after", Texts, nullable=False),
    Column("foreign", Texts, nullable=False),
    Column("ttl_before", BigInteger),
    Column("ttl", BigInteger, nullable=False),
    Column("provider", Text, nullable=False),
    Column("commit", Text),
    Column("run_id", Text, nullable=False),
    Column("plan_id", Text),
    _time("at"),
    Index("reconciler_applied_run", "run_id"),
)

CLAIMS = Table(
    "reconciler_claims",
    METADATA,
    Column("plan_id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("holder", Text, nullable=False),
    _time("at"),
)

REVIEWED = Table(
    "reconciler_reviewed",
    METADATA,
    Column("plan_id", Text, primary_key=True),
    Column("document", Text, nullable=False),
    _time("at"),
)

TOLD = Table(
    "reconciler_told",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("text", Text, nullable=False),
    _time("at"),
)

DRIFT_COUNTS = Table(
    "reconciler_drift_counts",
    METADATA,
    Column("at", UtcDateTime, primary_key=True),
    Column("counts", Text, nullable=False),
)
