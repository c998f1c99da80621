"""A real PowerDNS on SQLite, with its HTTP API and dynamic updates."""

from __future__ import annotations

import secrets
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from servers.processes import NameServer, TsigKey, free_port, require, running, serves, zone_file_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SCHEMAS = (
    Path("/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql"),
    Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"),
    Path("/usr/share/doc/pdns/schema.sqlite3.sql"),
)
_TOOL_SECONDS = 30


@dataclass(frozen=True)
class PowerDns(NameServer):
    """A running PowerDNS: `api_url` is its root, without `/api/v1`; `database` is its SQLite file."""

    api_port: int
    api_key: str = field(repr=False)
    database: Path

    @property
    def api_url(self) -> str:
        """The API's root."""
        return f"http://{self.address}:{self.api_port}"

    def pdnsutil(self, *arguments: str) -> str:
        """Run pdnsutil on this server's database; its output."""
        return _pdnsutil(self.directory, *arguments)

    def sql(self, statement: str) -> str:
        """Run one statement on the database, past the server."""
        return _run([require("sqlite3"), "-cmd", ".timeout 5000", str(self.database), statement])


@contextmanager
def run_powerdns(
    zones: Mapping[str, str],
    *,
    directory: Path,
    key: TsigKey | None = None,
    address: str = "127.0.0.1",
    port: int | None = None,
    allow_update: bool = True,
) -> Iterator[PowerDns]:
    """PowerDNS with `zones` (apex -> master file text) in a fresh database in `directory`.

    Updates need `key` where one is given, else anybody's are taken; transfers are open; every cache is off.
    """
    server = require("pdns_server")
    directory.mkdir(parents=True, exist_ok=True)
    chosen, api_port = port or free_port(address), free_port(address)
    api_key = secrets.token_hex(16)
    database = directory / "pdns.sqlite3"
    _create_database(database)
    options = _options(database, (address, chosen), (api_port, api_key), allow_update=allow_update)
    (directory / "pdns.conf").write_text("".join(f"{name}={value}\n" for name, value in options.items()))
    _load(zones, directory, key)
    log = directory / "pdns.log"
    command = [server, f"--config-dir={directory}"]
    with running(command, log=log, is_ready=lambda: serves(address, chosen, zones)) as process:
        yield PowerDns(address, chosen, directory, process, log, api_port, api_key, database)


def _create_database(database: Path) -> None:
    sqlite3 = require("sqlite3")
    schema = next((path for path in _SCHEMAS if path.exists()), None)
    if schema is None:
        pytest.fail("PowerDNS's SQLite schema is not installed (Debian: pdns-backend-sqlite3)")
    _run([sqlite3, str(database), f".read {schema}"])


def _load(zones: Mapping[str, str], directory: Path, key: TsigKey | None) -> None:
    if key is not None:
        _pdnsutil(directory, "import-tsig-key", key.name, key.algorithm, key.secret)
    for apex, text in zones.items():
        name = apex.rstrip(".")
        file = directory / zone_file_name(apex)
        file.write_text(text, encoding="ascii")
        _pdnsutil(directory, "load-zone", name, str(file))
        if key is not None:
            _pdnsutil(directory, "set-meta", name, "TSIG-ALLOW-DNSUPDATE", key.name)


def _options(
    database: Path, listen: tuple[str, int], api: tuple[int, str], *, allow_update: bool
) -> dict[str, str | int]:
    address, port = listen
    api_port, api_key = api
    return {
        "launch": "gsqlite3",
        "gsqlite3-database": str(database),
        "gsqlite3-dnssec": "yes",
        "gsqlite3-pragma-synchronous": 0,
        "local-address": address,
        "local-port": port,
        "socket-dir": str(database.parent),
        "daemon": "no",
        "guardian": "no",
        "disable-syslog": "yes",
        "write-pid": "no",
        "security-poll-suffix": "",
        "cache-ttl": 0,
        "query-cache-ttl": 0,
        "negquery-cache-ttl": 0,
        "zone-cache-refresh-interval": 0,
        "disable-axfr": "no",
        "allow-axfr-ips": "127.0.0.0/8",
        "dname-processing": "yes",
        "dnsupdate": "yes" if allow_update else "no",
        "allow-dnsupdate-from": "127.0.0.0/8",
        "webserver": "yes",
        "webserver-address": address,
        "webserver-port": api_port,
        "webserver-allow-from": "127.0.0.0/8",
        "api": "yes",
        "api-key": api_key,
    }


def _pdnsutil(directory: Path, *arguments: str) -> str:
    return _run([require("pdnsutil"), f"--config-dir={directory}", *arguments])


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TOOL_SECONDS, check=False)
    if done.returncode != 0:
        pytest.fail(f"{command!r} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout
