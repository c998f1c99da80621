"""Where the journal is, as it may stand in the settings: an SQLAlchemy URL that says no secret."""

from __future__ import annotations

import re

from reconciler.errors import RefusedValueError

_DRIVERS = ("postgresql", "postgresql+psycopg")
_SQLITE = "sqlite:///"
_VARIABLE = re.compile(r"env/([A-Za-z_][A-Za-z0-9_]*)", re.ASCII)
_EXAMPLES = (
    "Write sqlite:/// and a path, as sqlite:///.reconciler/journal.sqlite3, or postgresql://user@host:port/database."
)


def check_journal_url(url: str) -> str:
    """The URL of a journal as it may stand in the settings. No message repeats it: it may hold a secret."""
    if not url.isascii() or not url.isprintable() or " " in url:
        raise RefusedValueError("journal", "the journal's URL has characters that no URL has", _EXAMPLES)
    if url.startswith("sqlite:"):
        _check_sqlite(url)
    else:
        _check_postgresql(url)
    return url


def _check_sqlite(url: str) -> None:
    path = url.removeprefix(_SQLITE)
    if path == url or not path or path.startswith(":") or path.endswith("/"):
        raise RefusedValueError("journal", "the journal's URL names no file: it would remember nothing", _EXAMPLES)
    if set(path) & set("?#"):
        raise RefusedValueError("journal", "the journal's URL has more than a path", _EXAMPLES)


def _check_postgresql(url: str) -> None:
    # the reader is the one that opens the journal; it takes long to import, and SQLite needs none of it here
    from sqlalchemy.engine import make_url  # noqa: PLC0415
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as exc:
        raise RefusedValueError("journal", "the journal's URL is none that SQLAlchemy can read", _EXAMPLES) from exc
    if parsed.drivername not in _DRIVERS:
        raise RefusedValueError("journal", "the journal is neither SQLite nor PostgreSQL by psycopg", _EXAMPLES)
    if parsed.password is not None or any("pass" in key.lower() for key in parsed.query):
        detail = (
            "Take it out, change it, and write: journal: {url: postgresql://user@host/database, password: env/NAME}."
        )
        raise RefusedValueError(
            "journal-password", "the journal's URL says its password to everybody who reads this file", detail
        )


def check_password(value: object) -> str:
    """Where a password is: `env/NAME`. No message repeats what is written instead."""
    if not isinstance(value, str) or not _VARIABLE.fullmatch(value):
        detail = "Write env/ and the name of an environment variable, as in: env/JOURNAL_PASSWORD."
        raise RefusedValueError("journal-password", "the journal's password does not say where it is", detail)
    return value
