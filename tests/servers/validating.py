"""A zone signed by BIND's tools, and unbound as the resolver that validates it."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode

from servers.processes import free_port, require, running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_TOOL_SECONDS = 30
_QUERY_SECONDS = 2


def signed_zone(apex: str, text: str, directory: Path) -> tuple[str, str]:
    """The signed zone's text, and the DS rrset that its parent has to hold, both in presentation format."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "zone").write_text(text, encoding="ascii")
    keygen = [require("dnssec-keygen"), "-q", "-K", str(directory), "-a", "ECDSAP256SHA256", "-f", "KSK", apex]
    _ran(keygen, directory)
    signzone = ["-S", "-z", "-K", str(directory), "-d", str(directory), "-o", apex, "-f", "signed", "zone"]
    _ran([require("dnssec-signzone"), *signzone], directory)
    (ds_set,) = directory.glob("dsset-*")
    return (directory / "signed").read_text(encoding="ascii"), ds_set.read_text(encoding="ascii")


def _ran(command: Sequence[str], directory: Path) -> None:
    subprocess.run(command, cwd=directory, check=True, capture_output=True, timeout=_TOOL_SECONDS)


@contextmanager
def run_unbound(
    stubs: Mapping[str, tuple[str, int]], *, directory: Path, trust_anchors: Sequence[str] = ()
) -> Iterator[tuple[str, int]]:
    """Unbound that asks the servers of `stubs` (zone -> endpoint), and validates below the trust anchors (DS)."""
    unbound = require("unbound")
    directory.mkdir(parents=True, exist_ok=True)
    address, port = "127.0.0.1", free_port("127.0.0.1")
    configuration = directory / "unbound.conf"
    configuration.write_text(_configuration(stubs, directory, (address, port), trust_anchors), encoding="ascii")
    log = directory / "unbound.log"
    command = [unbound, "-d", "-p", "-c", str(configuration)]
    probe = next(iter(stubs))
    with running(command, log=log, is_ready=lambda: _answers(address, port, probe)):
        yield address, port


def _configuration(
    stubs: Mapping[str, tuple[str, int]], directory: Path, listen: tuple[str, int], trust_anchors: Sequence[str]
) -> str:
    address, port = listen
    validating = "validator iterator" if trust_anchors else "iterator"
    lines = [
        "server:",
        f'  directory: "{directory}"',
        '  username: ""',
        '  chroot: ""',
        "  use-syslog: no",
        "  do-ip6: no",
        f"  interface: {address}@{port}",
        f'  module-config: "{validating}"',
        "  do-not-query-localhost: no",
        *(f'  trust-anchor: "{anchor}"' for anchor in trust_anchors),
        *(f'  local-zone: "{zone}" nodefault' for zone in stubs),
        "remote-control:",
        "  control-enable: no",
    ]
    for zone, (host, stub_port) in stubs.items():
        lines += ["stub-zone:", f'  name: "{zone}"', f"  stub-addr: {host}@{stub_port}"]
    return "\n".join(lines) + "\n"


def _answers(address: str, port: int, zone: str) -> bool:
    question = dns.message.make_query(zone, "SOA", flags=dns.flags.RD | dns.flags.CD)
    try:
        reply = dns.query.udp(question, address, port=port, timeout=_QUERY_SECONDS)
    except (OSError, dns.exception.DNSException):
        return False
    return reply.rcode() == dns.rcode.NOERROR
