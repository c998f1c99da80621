"""A real NSD, primary for the zones given: it makes its answers ahead, unlike the others."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from servers.processes import NameServer, free_port, require, running, serves, zone_file_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Nsd(NameServer):
    """A running NSD."""


@contextmanager
def run_nsd(
    zones: Mapping[str, str], *, directory: Path, address: str = "127.0.0.1", port: int | None = None
) -> Iterator[Nsd]:
    """NSD with `zones` (apex -> master file text) in `directory`, without limits on its responses."""
    nsd = require("nsd")
    directory.mkdir(parents=True, exist_ok=True)
    for apex, text in zones.items():
        (directory / zone_file_name(apex)).write_text(text, encoding="ascii")
    chosen = port or free_port(address)
    configuration = directory / "nsd.conf"
    configuration.write_text(_configuration(zones, directory, (address, chosen)))
    log = directory / "nsd.log"
    command = [nsd, "-d", "-c", str(configuration)]
    with running(command, log=log, is_ready=lambda: serves(address, chosen, zones)) as process:
        yield Nsd(address, chosen, directory, process, log)


def _configuration(zones: Mapping[str, str], directory: Path, listen: tuple[str, int]) -> str:
    address, port = listen
    listed = "".join(f'zone:\n  name: "{apex}"\n  zonefile: "{zone_file_name(apex)}"\n' for apex in zones)
    return f"""server:
  ip-address: {address}@{port}
  username: ""
  server-count: 1
  rrl-ratelimit: 0
  minimal-responses: no
  database: ""
  zonesdir: "{directory}"
  pidfile: "{directory}/nsd.pid"
  xfrdfile: "{directory}/xfrd.state"
  zonelistfile: "{directory}/zone.list"
  xfrdir: "{directory}"
remote-control:
  control-enable: no
{listed}"""
