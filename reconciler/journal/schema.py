"""Creating a journal's tables, once, whoever comes first; and refusing those of another version."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, func, insert, inspect, select, update

from reconciler.errors import JournalError, error
from reconciler.journal.database import check_integrity, damaged
from reconciler.journal.tables import LOCK, META, METADATA, OLDEST_VERSION, ONLY, SCHEMA_VERSION

if TYPE_CHECKING:
    from reconciler.journal.database import Location

_CREATION_LOCK = 0x7265636F6E63696C  # "reconcil": a number that other programs hardly use for their advisory locks


class Identity(NamedTuple):
    """Which journal it is, and how often it was written to."""

    journal: str
    counter: int

    @property
    def text(self) -> str:
        """As it is told; empty for a journal that nobody has opened to write to."""
        return f"{self.journal}:{self.counter}" if self.counter else ""


def has_tables(connection: Connection) -> bool:
    """Whether there is a journal."""
    return inspect(connection).has_table(META.name)


def read_identity(connection: Connection, location: Location) -> Identity:
    """Which journal it is.

    Raises:
        JournalError: it is of another version, or damaged.

    """
    row = connection.execute(select(META).where(META.c.id == ONLY)).one_or_none()
    if row is None or not isinstance(row.schema_version, int) or not isinstance(row.counter, int):
        raise damaged(location, f"its table {META.name} does not say which version it is")
    if row.schema_version > SCHEMA_VERSION:
        summary = (
            f"the journal {location.shown} was written by a newer program: its tables are version "
            f"{row.schema_version}, and this one knows version {SCHEMA_VERSION}"
        )
        detail = "Install the newer program here too, or name another journal in the settings."
        raise JournalError([error("journal-version", summary, detail)])
    if row.schema_version < OLDEST_VERSION:
        raise damaged(location, f"there is no version {row.schema_version} of its tables")
    return Identity(str(row.journal), row.counter)


def prepare_tables(connection: Connection, location: Location) -> Identity:
    """Make sure of the journal's tables, inside a transaction that may write.

    Raises:
        JournalError: a newer version, damage, or an SQLite file of something else.

    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_CREATION_LOCK)))
    check_integrity(connection, location)
    refuse_other_database(connection, location)
    if not has_tables(connection):
        METADATA.create_all(connection)
        first = {"id": ONLY, "schema_version": SCHEMA_VERSION, "journal": uuid.uuid4().hex, "counter": 0}
        connection.execute(insert(META), first)
        connection.execute(insert(LOCK), {"id": ONLY})
    identity = read_identity(connection, location)
    METADATA.create_all(connection)  # what an older version lacks
    connection.execute(update(META).where(META.c.schema_version < SCHEMA_VERSION).values(schema_version=SCHEMA_VERSION))
    return identity


def refuse_other_database(connection: Connection, location: Location) -> None:
    """Refuse an SQLite file with tables of something else: a journal has its file to itself.

    Raises:
        JournalError: it is such a file.

    """
    if connection.dialect.name == "sqlite" and not has_tables(connection) and inspect(connection).get_table_names():
        raise damaged(location, "it is a database of something else")
