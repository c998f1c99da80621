"""A real BIND, primary for the zones given."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from servers.processes import NameServer, TsigKey, free_port, require, running, serves, zone_file_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path


class Bind(NameServer):
    """A running BIND."""


@contextmanager
def run_bind(
    zones: Mapping[str, str],
    *,
    directory: Path,
    key: TsigKey | None = None,
    address: str = "127.0.0.1",
    port: int | None = None,
    allow_update: bool = True,
    unloadable: Collection[str] = (),
) -> Iterator[Bind]:
    """BIND with `zones` (apex -> master file text) in `directory`.

    Updates need `key` where one is given, else anybody's are taken; transfers are open. `unloadable` are
    apexes without a file: SERVFAIL.
    """
    named = require("named")
    directory.mkdir(parents=True, exist_ok=True)
    for apex, text in zones.items():
        (directory / zone_file_name(apex)).write_text(text, encoding="ascii")
    chosen = port or free_port(address)
    configuration = directory / "named.conf"
    configuration.write_text(
        _configuration([*zones, *unloadable], directory, key, (address, chosen), allow_update=allow_update)
    )
    command = [named, "-g", "-n", "1", "-c", str(configuration)]
    log = directory / "named.log"
    with running(command, log=log, is_ready=lambda: serves(address, chosen, zones)) as process:
        yield Bind(address, chosen, directory, process, log)


def _configuration(
    zones: Collection[str], directory: Path, key: TsigKey | None, listen: tuple[str, int], *, allow_update: bool
) -> str:
    address, port = listen
    updaters = (f'key "{key.name}"' if key else "any") if allow_update else "none"
    parts = [
        f'key "{key.name}" {{ algorithm {key.algorithm}; secret "{key.secret}"; }};' if key else "",
        f"""options {{
            directory "{directory}"; pid-file none; session-keyfile none; managed-keys-directory "{directory}";
            listen-on port {port} {{ {address}; }}; listen-on-v6 {{ none; }};
            recursion no; dnssec-validation no; notify no; allow-query {{ any; }}; allow-transfer {{ any; }};
            allow-update {{ {updaters}; }}; check-names primary ignore; check-integrity no; check-mx ignore;
            check-mx-cname ignore; check-srv-cname ignore; check-spf ignore; empty-zones-enable no;
        }};""",
        "controls { };",
        *(f'zone "{apex}" {{ type primary; file "{zone_file_name(apex)}"; }};' for apex in zones),
    ]
    return "\n".join(parts)
