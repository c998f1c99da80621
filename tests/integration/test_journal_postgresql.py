"""What must hold of every journal, in a real PostgreSQL."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from builders import NOW, OLD_MX
from journal_kept_scenarios import KEPT_SCENARIOS
from journal_lab import Place, Where, diagnostic, look, opened, reading
from journal_processes import LONG_SCENARIOS
from journal_scenarios import SCENARIOS
from psycopg import sql
from servers.postgresql import PASSWORD, Postgresql, run_postgresql
from servers.processes import free_port

from reconciler.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class PostgresqlPlace:
    """A database."""

    server: Postgresql
    directory: Path
    database: str

    @property
    def url(self) -> str:
        """Its URL, with the password."""
        password = quote(PASSWORD, safe="")
        return f"postgresql://{self.server.user}:{password}@127.0.0.1:{self.server.port}/{self.database}"

    def execute(self, statement: str) -> list[Any]:
        """Run a statement past the journal; its rows."""
        with closing(self.server.connect(self.database)) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def back_up(self) -> None:
        """Copy the database."""
        self._copy(self.database, f"{self.database}_backup")

    def restore(self) -> None:
        """Put the copy in its place."""
        with closing(self.server.connect()) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(self.database)))
        self._copy(f"{self.database}_backup", self.database)

    def _copy(self, source: str, target: str) -> None:
        with closing(self.server.connect()) as connection:
            # nobody else may be connected to what is copied: what the test itself has open is taken up again
            ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            connection.execute(ending, [source])
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(statement.format(sql.Identifier(target), sql.Identifier(source)))


def _place(server: Postgresql, directory: Path) -> PostgresqlPlace:
    return PostgresqlPlace(server, directory, server.create_database())


@pytest.fixture(scope="module")
def server() -> Iterator[Postgresql]:
    with run_postgresql() as running:
        yield running


@pytest.mark.parametrize("scenario", [*SCENARIOS, *KEPT_SCENARIOS, *LONG_SCENARIOS], ids=lambda s: s.__name__)
def test_in_postgresql(scenario: Callable[[Place], None], server: Postgresql, tmp_path: Path) -> None:
    scenario(_place(server, tmp_path))


def test_both_ways_to_write_the_url_mean_the_same(server: Postgresql, tmp_path: Path) -> None:
    place = _place(server, tmp_path)
    with opened(place) as journal:
        journal.record_looks([look(OLD_MX)], NOW)
        known = journal.known_domains()
    url = place.url.replace("postgresql://", "postgresql+psycopg://")
    with reading(_Elsewhere(url, tmp_path)) as reader:
        assert reader.known_domains() == known


def test_a_reader_cannot_write(server: Postgresql, tmp_path: Path) -> None:
    place = _place(server, tmp_path)
    with opened(place):
        pass
    with reading(place) as reader, reader._reading() as connection:  # noqa: SLF001 - what the server itself says of it
        assert connection.exec_driver_sql("SHOW transaction_read_only").scalar_one() == "on"


@dataclass(frozen=True)
class _Elsewhere:
    url: str
    directory: Path


@pytest.mark.parametrize("way", [opened, reading])
def test_no_password_gets_into_a_message(
    server: Postgresql, tmp_path: Path, way: Callable[[Where], AbstractContextManager[object]]
) -> None:
    wrong, secret = free_port("127.0.0.1"), quote("hush:/@hush", safe="")
    for url in (
        f"postgresql://{server.user}:{secret}@127.0.0.1:{server.port}/postgres",
        f"postgresql://{server.user}:{secret}@127.0.0.1:{wrong}/postgres",
        f"postgresql://{server.user}@127.0.0.1:{server.port}/postgres?password={secret}",
        f"postgresql://{server.user}:{secret}@127.0.0.1:{server.port}/postgres?sslmode=hush",
    ):
        with pytest.raises(JournalError) as caught, way(_Elsewhere(url, tmp_path)):
            pass
        code, summary = diagnostic(caught)
        assert code == "journal-unusable"
        assert f"postgresql://{server.user}" in summary
        assert "hush:/@hush" not in summary
        assert secret not in summary
        assert "hush:/@hush" not in str(caught.value.diagnostics)


def test_a_server_that_goes_away_is_an_error_of_the_journal(tmp_path: Path) -> None:
    with run_postgresql() as running:
        place = _place(running, tmp_path)
        with opened(place) as journal:
            running.process.kill()
            running.process.wait(20)
            with pytest.raises(JournalError) as caught:
                journal.record_looks([look(OLD_MX)], NOW)
    assert diagnostic(caught)[0] == "journal-unusable"


def test_tables_of_others_are_left_alone(server: Postgresql, tmp_path: Path) -> None:
    place = _place(server, tmp_path)
    place.execute("CREATE TABLE domains (name text)")
    with opened(place) as journal:
        journal.record_looks([look(OLD_MX)], NOW)
    assert place.execute("SELECT * FROM domains") == []


def test_a_user_who_may_not_create_tables_is_told_so(server: Postgresql, tmp_path: Path) -> None:
    place = _place(server, tmp_path)
    place.execute("CREATE ROLE reader_only LOGIN PASSWORD 'reader'")
    url = f"postgresql://reader_only:reader@127.0.0.1:{server.port}/{place.database}"
    with reading(_Elsewhere(url, tmp_path)) as reader:
        assert reader.known_domains() == {}
    with pytest.raises(JournalError, match="permission denied") as caught, opened(_Elsewhere(url, tmp_path)):
        pass
    assert "may create tables" in caught.value.diagnostics[0].detail
