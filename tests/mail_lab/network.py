"""The laboratory's network: three namespaces and two links, gone when the block ends."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from servers.namespaces import Namespace, network_namespace
from servers.processes import require

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

NAME_SERVER = "192.0.2.53"
RESOLVERS = ("192.0.2.54", "192.0.2.55")
ORIGIN = "198.51.100.25"
SENDERS = tuple(f"203.0.113.{host}" for host in range(10, 18))
BOUNCES = "203.0.113.25"
ATTACKER = "203.0.113.66"
COMMAND_SECONDS = 120.0
_LISTENING = "0A"  # TCP_LISTEN, proc(5) /proc/net/tcp


@dataclass(frozen=True)
class Site:
    """One namespace, as the programs in it see the network and their resolver."""

    namespace: Namespace
    resolv_conf: Path

    def command(self, *command: str) -> list[str]:
        """The command as it is started from outside; the process is the command's own, and ends with the test's."""
        bind = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
        inside = ["unshare", "--mount", "sh", "-c", bind, str(self.resolv_conf), *command]
        entry = ["nsenter", "--target", str(self.namespace.pid), "--net", *inside]
        return [require("setpriv"), "--pdeathsig", "TERM", *entry]

    def run(
        self, *command: str, text: str = "", folder: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """What a command inside does and prints; `text` is its standard input."""
        return subprocess.run(
            self.command(*command),
            input=text,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
            cwd=folder,
            env={**os.environ, **(environment or {})},
        )

    def check(
        self, *command: str, text: str = "", folder: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> str:
        """What a command prints that has to succeed."""
        ran = self.run(*command, text=text, folder=folder, environment=environment)
        if ran.returncode:
            pytest.fail(f"{' '.join(command)}: exit {ran.returncode}: {ran.stderr}{ran.stdout}")
        return ran.stdout

    def is_listening(self, address: str, port: int) -> bool:
        """Whether something inside listens on TCP; nobody is connected to."""
        octets = bytes(int(part) for part in reversed(address.split(".")))
        wanted = f"{octets.hex().upper()}:{port:04X}"
        lines = Path(f"/proc/{self.namespace.pid}/net/tcp").read_text().splitlines()[1:]
        return any(fields[1] == wanted and fields[3] == _LISTENING for fields in map(str.split, lines))


@dataclass(frozen=True)
class Network:
    """The three namespaces."""

    internet: Site
    gateway: Site
    origin: Site


def require_root() -> None:
    """Postfix changes between users of its own: skip without root's rights, or fail where servers are required."""
    if os.geteuid() == 0:
        return
    reason = "the laboratory's mail servers need root's rights"
    if os.environ.get("RECONCILER_REQUIRE_SERVERS") == "1":
        pytest.fail(f"{reason}, and RECONCILER_REQUIRE_SERVERS is 1")
    pytest.skip(reason)


@contextmanager
def lab_network(directory: Path, gateway_addresses: Sequence[str]) -> Iterator[Network]:
    """The namespaces with their addresses and routes; `gateway_addresses` are those of the gateway's interfaces."""
    require_root()
    resolv_conf = directory / "resolv.conf"
    resolv_conf.write_text(f"nameserver {RESOLVERS[0]}\noptions timeout:2 attempts:2\n")
    with network_namespace() as internet, network_namespace() as gateway, network_namespace() as origin:
        network = Network(*(Site(each, resolv_conf) for each in (internet, gateway, origin)))
        own = [NAME_SERVER, *RESOLVERS, *SENDERS, BOUNCES, ATTACKER]
        _ip(internet, "link set lo up", *(f"address add {address}/32 dev lo" for address in own))
        internet.run(["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"])
        _link(internet, gateway, "gateway", "10.99.1", gateway_addresses)
        _link(internet, origin, "origin", "10.99.2", [ORIGIN])
        yield network


def _link(internet: Namespace, leaf: Namespace, name: str, block: str, addresses: Sequence[str]) -> None:
    _ip(internet, f"link add {name} type veth peer name uplink netns {leaf.pid}")
    _ip(leaf, "link set lo up", *(f"address add {address}/32 dev lo" for address in addresses))
    _ip(leaf, f"address add {block}.2/30 dev uplink", "link set uplink up")
    _ip(internet, f"address add {block}.1/30 dev {name}", f"link set {name} up")
    _ip(leaf, f"route add default via {block}.1 src {addresses[0]}")
    _ip(internet, *(f"route add {address}/32 via {block}.2" for address in addresses))


def _ip(namespace: Namespace, *commands: str) -> None:
    namespace.run([require("ip"), "-batch", "-"], text="".join(f"{command}\n" for command in commands))
