"""A real PostgreSQL: a cluster of its own in a temporary folder, a free loopback port, ended by its process handle."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from servers.processes import free_port, running

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "s3cret:/@word"  # noqa: S105 - of a server that lives as long as the test; with what URLs must escape
_ADDRESS = "127.0.0.1"
_INITDB_SECONDS = 60
_INITDB_OPTIONS = ("-A", "scram-sha-256", "-E", "UTF8", "--no-locale", "--no-sync")


@dataclass(frozen=True)
class Postgresql:
    """A running server that asks for a password."""

    port: int
    user: str
    process: subprocess.Popen[bytes]

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A connection of the test's own, without a transaction around each statement."""
        return psycopg.connect(
            host=_ADDRESS, port=self.port, user=self.user, password=PASSWORD, dbname=database, autocommit=True
        )

    def create_database(self) -> str:
        """The name of a new, empty database."""
        name = f"journal_{uuid.uuid4().hex}"
        with closing(self.connect()) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name


def _binary(name: str) -> str:
    """A binary of the newest PostgreSQL; Debian keeps them out of the PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name), reverse=True)
    found = shutil.which(name, path=os.pathsep.join([*map(str, folders), os.environ.get("PATH", "")]))
    if found is None:
        reason = f"PostgreSQL's {name} is not installed"
        if os.environ.get("RECONCILER_REQUIRE_SERVERS") == "1":
            pytest.fail(f"{reason}, and RECONCILER_REQUIRE_SERVERS is 1")
        pytest.skip(reason)
    return found


def _account() -> str | None:
    """Whom it runs as where we are root, which it refuses to run as; None: as ourselves."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)


@contextmanager
def run_postgresql() -> Iterator[Postgresql]:
    """PostgreSQL until the end of the block; nothing is synced to disk, because nothing here outlives it."""
    initdb, postgres = _binary("initdb"), _binary("postgres")
    account = _account()
    # not below pytest's folders: those are closed to other accounts
    with tempfile.TemporaryDirectory(prefix="postgresql-") as name:
        folder = Path(name)
        (folder / "password").write_text(f"{PASSWORD}\n")
        if account is not None:
            shutil.chown(folder, account)
            shutil.chown(folder / "password", account)
        user = account or getpass.getuser()
        data = str(folder / "data")
        subprocess.run(
            [initdb, "-D", data, "-U", user, *_INITDB_OPTIONS, f"--pwfile={folder / 'password'}"],
            check=True,
            capture_output=True,
            timeout=_INITDB_SECONDS,
            cwd=folder,
            user=account,
        )
        port = free_port(_ADDRESS)
        command = [postgres, "-D", data, "-h", _ADDRESS, "-p", str(port), "-k", "", "-F"]

        def answers() -> bool:
            try:
                psycopg.connect(host=_ADDRESS, port=port, user=user, password=PASSWORD, dbname="postgres").close()
            except psycopg.OperationalError:
                return False
            return True

        with running(command, log=folder / "postgresql.log", is_ready=answers, user=account) as process:
            yield Postgresql(port, user, process)
            process.send_signal(signal.SIGQUIT)  # nothing needs to be written down any more
