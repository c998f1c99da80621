"""Journals in SQLite files: which URLs mean one, and files that are damaged, of something else, or half-written."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import EU, NOW, OLD_MX
from journal_lab import ACME, HOUR, LEASE, NONE, SqlitePlace, Where, diagnostic, look, opened, reading
from sqlalchemy.exc import SQLAlchemyError

from reconciler.errors import JournalError
from reconciler.journal.database import journal_errors, parse_location
from reconciler.names import Name

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    Way = Callable[[Where], AbstractContextManager[object]]

WAYS = pytest.mark.parametrize("way", [opened, reading])


def test_a_path_is_relative_to_the_settings(tmp_path: Path) -> None:
    assert (
        parse_location("sqlite:///.reconciler/journal.sqlite3", tmp_path).path
        == tmp_path / ".reconciler/journal.sqlite3"
    )
    assert parse_location("sqlite+pysqlite:////var/lib/j", tmp_path).path == Path("/var/lib/j")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "journal.sqlite3",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///file:j?mode=memory&uri=true",
        "sqlite:///j?cache=shared",
        "sqlite+aiosqlite:///j",
        "mysql://user:hush@host/db",
        "postgresql+psycopg2://user:hush@host/db",
        "postgresql://user:pass@host:hush/db",
    ],
)
def test_a_url_that_cannot_be_used_is_refused_with_how_to_write_it(url: str) -> None:
    with pytest.raises(JournalError) as caught:
        parse_location(url, Path())
    code, summary = diagnostic(caught)
    assert code == "journal-url"
    assert "hush" not in summary
    assert "sqlite:///FILE" in caught.value.diagnostics[0].detail
    assert caught.value.__cause__ is None


def test_a_password_in_a_message_of_the_database_is_not_passed_on() -> None:
    location = parse_location("postgresql://user:hush%3Ahush@host/db?password=psst", Path())
    assert location.shown == "postgresql://user:***@host/db"
    with pytest.raises(JournalError, match=r"no entry for \*\*\* and \*\*\*"), journal_errors(location):
        raise SQLAlchemyError("no entry for hush:hush and psst")


def test_a_name_with_what_uris_mean_something_by(tmp_path: Path) -> None:
    place = SqlitePlace(tmp_path / "a%20b#c?", "sqlite:///state/j%23%25 ü.sqlite3")
    with opened(place) as journal:
        journal.record_looks([look(OLD_MX)], NOW)
    with reading(place) as reader:
        assert list(reader.known_domains()) == [ACME]
    assert (tmp_path / "a%20b#c?" / "state" / "j#% ü.sqlite3").is_file()


@WAYS
@pytest.mark.parametrize(
    "octets", [b"x", b"SQLite format 3\0", b"organization: acme\n" * 500, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_file_that_is_no_database_is_refused_and_stays(tmp_path: Path, way: Way, octets: bytes) -> None:
    place = SqlitePlace(tmp_path)
    place.file.parent.mkdir()
    place.file.write_bytes(octets)
    with pytest.raises(JournalError) as caught, way(place):
        pass
    assert diagnostic(caught)[0] == "journal-damaged"
    assert place.file.read_bytes() == octets
    assert list(place.file.parent.iterdir()) == [place.file]


@WAYS
def test_a_database_of_something_else_is_refused_and_stays(tmp_path: Path, way: Way) -> None:
    place = SqlitePlace(tmp_path)
    place.file.parent.mkdir()
    place.execute("CREATE TABLE domains (name TEXT)")
    octets = place.file.read_bytes()
    with pytest.raises(JournalError, match="something else"), way(place):
        pass
    assert place.file.read_bytes() == octets


def test_a_file_with_a_torn_page_is_refused(tmp_path: Path) -> None:
    place = SqlitePlace(tmp_path)
    with opened(place) as journal:
        journal.record_looks([look(OLD_MX, domain=Name(f"d{n}.example.")) for n in range(500)], NOW)
    octets = bytearray(place.file.read_bytes())
    octets[-4096:] = b"\xa5" * 4096  # a page that nobody reads to begin with
    place.file.write_bytes(octets)
    with pytest.raises(JournalError) as caught, opened(place):
        pass
    assert diagnostic(caught)[0] == "journal-damaged"
    assert place.file.read_bytes() == octets


@WAYS
def test_an_empty_file_is_an_empty_journal(tmp_path: Path, way: Way) -> None:
    place = SqlitePlace(tmp_path)
    place.file.parent.mkdir()
    place.file.touch()
    with way(place), reading(place) as reader:
        assert reader.known_domains() == {}


def test_a_folder_in_its_place_is_said(tmp_path: Path) -> None:
    place = SqlitePlace(tmp_path)
    place.file.mkdir(parents=True)
    with pytest.raises(JournalError, match="unable to open database file") as caught, opened(place):
        pass
    assert diagnostic(caught)[0] == "journal-unusable"


def test_a_state_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(JournalError) as caught, opened(SqlitePlace(tmp_path)):
        pass
    assert diagnostic(caught)[0] == "journal-unusable"
    assert str(tmp_path / "state") in diagnostic(caught)[1]


def _half_written(place: SqlitePlace) -> None:
    """Leave what a process leaves that is killed after its first pages of a commit reached the file."""
    with opened(place) as journal:
        journal.record_looks([look(OLD_MX, domain=Name(f"d{n}.example.")) for n in range(500)], NOW)
    copies = place.directory / "copies"
    copies.mkdir()
    with closing(sqlite3.connect(place.file, isolation_level=None)) as connection:
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE reconciler_mx_sightings SET rdatas = '[\"half\"]'")
        connection.execute("UPDATE reconciler_domains SET organization = 'half'")
        for file in place.file.parent.glob("journal.sqlite3*"):
            shutil.copy(file, copies)
        connection.execute("ROLLBACK")
    for file in copies.iterdir():
        shutil.copy(file, place.file.parent)


@WAYS
def test_what_a_killed_process_wrote_by_halves_is_taken_back(tmp_path: Path, way: Way) -> None:
    place = SqlitePlace(tmp_path)
    _half_written(place)
    assert b"half" in place.file.read_bytes()
    with way(place), reading(place) as reader:
        assert {k.organization for k in reader.known_domains().values()} == {"acme"}
        assert len(reader.known_domains()) == 500
    assert b'"half"' not in place.file.read_bytes()


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    place = SqlitePlace(tmp_path)
    with opened(place):
        pass
    with reading(place) as reader, pytest.raises(JournalError, match="readonly"), reader._reading() as connection:  # noqa: SLF001 - what SQLite itself says of it
        connection.exec_driver_sql("DELETE FROM reconciler_meta")


def test_a_journal_that_was_put_into_wal_mode_is_one_file_again(tmp_path: Path) -> None:
    place = SqlitePlace(tmp_path)
    with opened(place) as journal:
        journal.record_looks([look(OLD_MX)], NOW)
    place.execute("PRAGMA journal_mode=WAL")
    with opened(place) as journal:
        journal.record_looks([look(EU)], NOW + HOUR)
        assert [f.name for f in place.file.parent.iterdir() if "sqlite3" in f.name] == ["journal.sqlite3"]
    assert place.execute("PRAGMA journal_mode") == [("delete",)]


def test_reading_goes_on_while_another_has_the_lock(tmp_path: Path) -> None:
    place = SqlitePlace(tmp_path)
    with opened(place) as journal, journal.lock("me", LEASE, NONE):
        journal.record_looks([look(OLD_MX)], NOW)
        with reading(place) as reader:
            assert list(reader.known_domains()) == [ACME]


def test_a_time_without_a_zone_is_refused(tmp_path: Path) -> None:
    with opened(SqlitePlace(tmp_path)) as journal:
        with pytest.raises(JournalError, match="without a time zone"):
            journal.record_looks([look(OLD_MX)], NOW.replace(tzinfo=None))
        assert journal.known_domains() == {}
