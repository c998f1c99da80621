"""A real Knot DNS, primary for the zones given."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from servers.processes import NameServer, TsigKey, free_port, require, running, serves, zone_file_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Knot(NameServer):
    """A running Knot DNS."""


@contextmanager
def run_knot(
    zones: Mapping[str, str],
    *,
    directory: Path,
    key: TsigKey | None = None,
    address: str = "127.0.0.1",
    port: int | None = None,
    allow_update: bool = True,
) -> Iterator[Knot]:
    """Knot with `zones` (apex -> master file text) in `directory`.

    Updates need `key` where one is given, else anybody's are taken; transfers are open.
    """
    knotd = require("knotd")
    directory.mkdir(parents=True, exist_ok=True)
    for apex, text in zones.items():
        (directory / zone_file_name(apex)).write_text(text, encoding="ascii")
    chosen = port or free_port(address)
    configuration = directory / "knot.conf"
    configuration.write_text(_configuration(zones, directory, key, (address, chosen), allow_update=allow_update))
    log = directory / "knot.log"
    command = [knotd, "-c", str(configuration)]
    with running(command, log=log, is_ready=lambda: serves(address, chosen, zones)) as process:
        yield Knot(address, chosen, directory, process, log)


def _configuration(
    zones: Mapping[str, str], directory: Path, key: TsigKey | None, listen: tuple[str, int], *, allow_update: bool
) -> str:
    address, port = listen
    key_id = f"\n    key: {key.name}" if key else ""
    keys = f"key:\n  - id: {key.name}\n    algorithm: {key.algorithm}\n    secret: {key.secret}\n" if key else ""
    acls = "[transfer, update]" if allow_update else "[transfer]"
    listed = "".join(f"  - domain: {apex}\n    file: {zone_file_name(apex)}\n" for apex in zones)
    return f"""server:
    listen: {address}@{port}
    rundir: "{directory}"
    background-workers: 1
    udp-workers: 1
    tcp-workers: 2
    tcp-idle-timeout: 5
log:
  - target: stderr
    any: info
database:
    storage: "{directory}"
    journal-db-max-size: 8M
    kasp-db-max-size: 8M
    timer-db-max-size: 1M
{keys}acl:
  - id: transfer
    address: 127.0.0.0/8
    action: transfer
  - id: update
    address: 127.0.0.0/8
    action: update{key_id}
template:
  - id: default
    storage: "{directory}"
    semantic-checks: soft
    acl: {acls}
zone:
{listed}"""
