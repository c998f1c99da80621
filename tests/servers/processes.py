"""Starting, watching and ending a real server: loopback alone, free ports, ended by its own process handle."""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.zone
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

READY_SECONDS = 20.0
QUERY_SECONDS = 5.0
_OUTPUT_SHOWN = 4000
_PORT_ATTEMPTS = 50


def require(binary: str) -> str:
    """The path of a server's binary; without it the test is skipped, or fails where servers are required."""
    found = shutil.which(binary) or shutil.which(binary, path="/usr/sbin:/usr/local/sbin:/sbin")
    if found is None:
        reason = f"{binary} is not installed"
        if os.environ.get("RECONCILER_REQUIRE_SERVERS") == "1":
            pytest.fail(f"{reason}, and RECONCILER_REQUIRE_SERVERS is 1")
        pytest.skip(reason)
    return found


@dataclass(frozen=True)
class TsigKey:
    """A TSIG key: `secret` in base64, `algorithm` as BIND, Knot and PowerDNS spell it."""

    name: str = "reconciler"
    secret: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(32)).decode())
    algorithm: str = "hmac-sha256"


@dataclass(frozen=True)
class NameServer:
    """A running server: asked directly, over TCP."""

    address: str
    port: int
    directory: Path
    process: subprocess.Popen[bytes]
    log: Path

    def query(self, name: str, rdtype: str) -> dns.message.Message:
        """The server's own answer."""
        return ask(self.address, self.port, name, rdtype)

    def axfr(self, zone: str) -> dns.zone.Zone:
        """The whole zone with absolute names, as a transfer shows it."""
        transferred = dns.zone.Zone(zone, relativize=False)
        dns.query.inbound_xfr(self.address, transferred, port=self.port, timeout=QUERY_SECONDS, lifetime=QUERY_SECONDS)
        return transferred

    def output(self) -> str:
        """The end of what the server has logged."""
        return self.log.read_text(errors="replace")[-_OUTPUT_SHOWN:]


def ask(address: str, port: int, name: str, rdtype: str) -> dns.message.Message:
    """One question over TCP without recursion."""
    question = dns.message.make_query(name, rdtype, flags=0)
    return dns.query.tcp(question, address, port=port, timeout=QUERY_SECONDS)


def free_port(address: str) -> int:
    """A port that is free for both UDP and TCP at the moment."""
    for _ in range(_PORT_ATTEMPTS):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind((address, 0))
            port = int(tcp.getsockname()[1])
            try:
                udp.bind((address, port))
            except OSError:
                continue
            return port
    pytest.fail(f"no port of {address} is free for both UDP and TCP")


def serves(address: str, port: int, zones: Iterable[str]) -> bool:
    """Whether the server answers with authority for every zone."""
    try:
        answers = [ask(address, port, zone, "SOA") for zone in zones]
    except (OSError, EOFError, dns.exception.DNSException):
        return False
    return all(a.rcode() == dns.rcode.NOERROR and a.flags & dns.flags.AA for a in answers)


@contextmanager
def running(
    command: Sequence[str],
    *,
    log: Path,
    is_ready: Callable[[], bool],
    stop_seconds: float = 10.0,
    user: str | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A server from its readiness to the end of the block; its output is in `log` and in failures.

    `user` is the account that it runs as, None for our own.
    """
    with (
        log.open("ab") as output,
        subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, user=user) as process,
    ):
        try:
            _await_ready(process, is_ready, log)
            yield process
        finally:
            end(process, stop_seconds)


def _await_ready(process: subprocess.Popen[bytes], is_ready: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            ended = "it ended" if process.returncode is not None else f"not ready after {READY_SECONDS} s"
            shown = log.read_text(errors="replace")[-_OUTPUT_SHOWN:]
            pytest.fail(f"{process.args!r}: {ended}; its output:\n{shown}")
        time.sleep(0.05)


def end(process: subprocess.Popen[bytes] | subprocess.Popen[str], stop_seconds: float = 10.0) -> None:
    """End a server: politely, then by force."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(stop_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(stop_seconds)


def zone_file_name(apex: str) -> str:
    """A zone's file name inside a server's folder."""
    return f"{apex.rstrip('.').replace('/', '_')}.zone"
