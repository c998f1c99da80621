"""The laboratory's DNS: a BIND that is authoritative for everything there is, and unbound before the senders."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from servers.processes import TsigKey, require, running

from mail_lab.network import NAME_SERVER, RESOLVERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mail_lab.network import Site

_HEAD = """$TTL {ttl}
@ SOA ns.lab. hostmaster.lab. 1 60 30 600 {ttl}
@ NS ns.lab.
"""


@dataclass(frozen=True)
class LabDns:
    """The authoritative server, asked and written to from inside the Internet's namespace."""

    internet: Site
    key: TsigKey
    key_file: Path

    def values(self, name: str, rdtype: str) -> list[str]:
        """The rrset's values as the authoritative server shows them, sorted."""
        out = self.internet.check("dig", "+short", "+norecurse", f"@{NAME_SERVER}", name, rdtype)
        return sorted(out.splitlines())

    def update(self, *lines: str) -> None:
        """Somebody writes: lines of nsupdate(1)."""
        text = "\n".join((f"server {NAME_SERVER}", *lines, "send", ""))
        self.internet.check("nsupdate", "-k", str(self.key_file), text=text)


def zone_text(ttl: int, *lines: str) -> str:
    """A master file's text: SOA and NS of the laboratory, then the lines; `ttl` (seconds) is that of absence too."""
    return _HEAD.format(ttl=ttl) + "".join(f"{line}\n" for line in lines)


@contextmanager
def run_name_servers(internet: Site, zones: Mapping[str, str], directory: Path) -> Iterator[LabDns]:
    """BIND with `zones` (apex -> text) and a root of its own, and the resolvers."""
    root = [f"{apex} NS ns.lab." for apex in zones if apex != "."]
    text = {
        ".": zone_text(60, "ns.lab. A " + NAME_SERVER, *root),
        "lab.": zone_text(60, f"ns A {NAME_SERVER}"),
        **zones,
    }
    key = TsigKey()
    with _run_bind(internet, text, directory / "bind", key) as dns, _run_unbound(internet, directory, RESOLVERS):
        yield dns


@contextmanager
def _run_bind(internet: Site, zones: Mapping[str, str], directory: Path, key: TsigKey) -> Iterator[LabDns]:
    directory.mkdir()
    key_text = f'key "{key.name}" {{ algorithm {key.algorithm}; secret "{key.secret}"; }};\n'
    key_file = directory / "update.key"
    key_file.write_text(key_text)
    files = {apex: directory / f"{apex.rstrip('.') or 'root'}.zone" for apex in zones}
    for apex, file in files.items():
        file.write_text(zones[apex])
    blocks = "".join(f'zone "{apex}" {{ type primary; file "{file}"; }};\n' for apex, file in files.items())
    configuration = directory / "named.conf"
    configuration.write_text(
        f"""{key_text}controls {{ }};
options {{
  directory "{directory}"; pid-file none; session-keyfile none; managed-keys-directory "{directory}";
  listen-on {{ {NAME_SERVER}; }}; listen-on-v6 {{ none; }}; recursion no; dnssec-validation no; notify no;
  empty-zones-enable no; check-integrity no; allow-update {{ key "{key.name}"; }};
}};
{blocks}"""
    )
    command = internet.command(require("named"), "-g", "-n", "1", "-c", str(configuration))
    dns = LabDns(internet, key, key_file)

    def is_ready() -> bool:
        return internet.is_listening(NAME_SERVER, 53) and all(dns.values(apex, "SOA") for apex in zones)

    with running(command, log=directory / "named.log", is_ready=is_ready):
        yield dns


@contextmanager
def _run_unbound(internet: Site, directory: Path, addresses: tuple[str, ...]) -> Iterator[None]:
    if not addresses:
        yield
        return
    first, *rest = addresses
    folder = directory / f"unbound-{first}"
    folder.mkdir()
    configuration = folder / "unbound.conf"
    # nothing is kept longer than its TTL says, and nothing is fetched ahead
    configuration.write_text(
        f"""server:
  interface: {first}
  access-control: 0.0.0.0/0 allow
  do-daemonize: no
  use-syslog: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  num-threads: 1
  module-config: "iterator"
  cache-min-ttl: 0
  prefetch: no
  serve-expired: no
  do-not-query-localhost: no
  local-zone: "test." nodefault
  aggressive-nsec: no
  infra-host-ttl: 1
remote-control:
  control-enable: no
stub-zone:
  name: "."
  stub-addr: {NAME_SERVER}
"""
    )
    command = internet.command(require("unbound"), "-d", "-c", str(configuration))
    log = folder / "unbound.log"
    with (
        running(command, log=log, is_ready=lambda: internet.is_listening(first, 53)),
        _run_unbound(internet, directory, tuple(rest)),
    ):
        yield
