"""A real NSD, primary for the zones given: it makes its answers ahead, unlike the others."""

from __future__ import annotations

import re
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from servers.processes import NameServer, free_port, require, running, serves, zone_file_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_COUNTED = re.compile(r"^num\.queries=(\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Nsd(NameServer):
    """A running NSD; `control` is the socket that `nsd-control` reaches it by."""

    control: Path

    def queries(self) -> int:
        """How many queries it has received, by its own count."""
        command = [require("nsd-control"), "-c", str(self.directory / "nsd.conf"), "-s", str(self.control)]
        told = subprocess.run([*command, "stats_noreset"], check=True, capture_output=True, text=True, timeout=20)
        found = _COUNTED.search(told.stdout)
        assert found is not None, told.stdout
        return int(found[1])


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
    log = directory / "nsd.log"
    command = [nsd, "-d", "-c", str(configuration)]
    # a socket's path has no more than 107 octets, and a test's folder may be deep
    with tempfile.TemporaryDirectory() as short:
        control = Path(short) / "nsd.ctl"
        configuration.write_text(_configuration(zones, directory, (address, chosen), control))
        with running(command, log=log, is_ready=lambda: serves(address, chosen, zones)) as process:
            yield Nsd(address, chosen, directory, process, log, control)


def _configuration(zones: Mapping[str, str], directory: Path, listen: tuple[str, int], control: Path) -> str:
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
  control-enable: yes
  control-interface: {control}
{listed}"""
