"""The laboratory as a whole: network, DNS, gateway, origin and senders, for two mail domains of one organization."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest
from servers.processes import end

from mail_lab.gateway import INBOUND, SENDER_DOMAIN, gateway_hosts, outbound_addresses, run_gateway
from mail_lab.name_servers import run_name_servers, zone_text
from mail_lab.network import ATTACKER, BOUNCES, ORIGIN, RESOLVERS, SENDERS, lab_network
from mail_lab.origin import run_origin
from mail_lab.tally import Restriction, Tally, count_messages, read_events
from reconciler.catalog import load_catalog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mail_lab.gateway import Gateway
    from mail_lab.name_servers import LabDns
    from mail_lab.network import Network
    from mail_lab.origin import Origin
    from reconciler.catalog import Catalog

DOMAINS = ("acme.example", "acme-shop.example")
NEXT_HOP = "mail.hosting.example"
TTL = 10  # seconds: of the MX, and of everything else that moves
DRAIN_SECONDS = 60.0
_TESTS = Path(__file__).parent.parent


@dataclass
class Senders:
    """The running senders."""

    process: subprocess.Popen[bytes]
    events: Path

    def sent(self) -> int:
        """How many messages they have begun to send."""
        return self.events.read_text().count('"event": "sent"')

    def stop(self) -> None:
        """Let them begin nothing new; what waits is still tried."""
        self._input.write(b"stop\n")
        self._input.flush()

    def is_idle(self) -> bool:
        """Whether no message waits any more."""
        return '"event": "idle"' in self.events.read_text()

    def leave(self) -> None:
        """Their own mail server goes too."""
        self._input.close()
        code = self.process.wait(DRAIN_SECONDS)
        if code:
            pytest.fail(f"the senders ended with {code}")

    @property
    def _input(self) -> IO[bytes]:
        assert self.process.stdin is not None
        return self.process.stdin


@dataclass
class Laboratory:
    """Everything that runs."""

    directory: Path
    catalog: Catalog
    network: Network
    dns: LabDns
    gateway: Gateway
    origin: Origin
    senders: Senders
    restriction: Restriction = field(default_factory=Restriction)

    @property
    def gateway_addresses(self) -> frozenset[str]:
        """Every address that the gateway relays from, whatever the region."""
        return frozenset(a for addresses in outbound_addresses(self.catalog).values() for a in addresses)

    def until(self, is_true: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
        """Wait for something, within a bound."""
        deadline = time.monotonic() + seconds
        while not is_true():
            if time.monotonic() > deadline:
                pytest.fail(f"{what}: not within {seconds} s\n{self.tally().table('until now')}")
            time.sleep(0.2)

    def send_more(self, number: int) -> None:
        """Let the senders go on until they have sent so many more."""
        wanted = self.senders.sent() + number
        self.until(lambda: self.senders.sent() >= wanted, f"{number} more messages", seconds=120.0)

    def finish(self) -> Tally:
        """Stop sending, let every queue run empty, and count."""
        self.senders.stop()
        self.until(self.senders.is_idle, "the senders' queues are empty", DRAIN_SECONDS)
        self.until(lambda: not self.gateway.queued(), "the gateway's queues are empty", DRAIN_SECONDS)
        self.until(lambda: not self.origin.mta.queued(), "the origin's queue is empty", DRAIN_SECONDS)
        self.senders.leave()
        return self.tally()

    def tally(self) -> Tally:
        """What became of every message until now."""
        arrivals = self.origin.arrivals()
        return count_messages(read_events(self.senders.events), arrivals, self.gateway_addresses, self.restriction)


@contextmanager
def mail_laboratory(*, rate: float) -> Iterator[Laboratory]:
    """Everything running, and mail being sent: both domains have the origin as their MX, which takes all mail."""
    catalog = load_catalog()
    # Postfix's daemons run as users of their own and cannot enter a folder that is the test's alone
    with tempfile.TemporaryDirectory(prefix="mail-lab-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        outbound = [a for addresses in outbound_addresses(catalog).values() for a in addresses]
        with (
            lab_network(directory, [*INBOUND.values(), *outbound]) as network,
            run_name_servers(network.internet, _zones(catalog), directory) as dns,
            run_gateway(network.gateway, catalog, directory / "gateway", next_hop=NEXT_HOP) as gateway,
            run_origin(network.origin, DOMAINS, directory / "origin", host=NEXT_HOP) as origin,
            _run_senders(network, directory, rate) as senders,
        ):
            yield Laboratory(directory, catalog, network, dns, gateway, origin, senders)


def _zones(catalog: Catalog) -> dict[str, str]:
    zones = {
        f"{domain}.": zone_text(
            TTL,
            f"@ MX 10 {NEXT_HOP}.",
            f'@ TXT "v=spf1 ip4:{ORIGIN} -all"',
            '_amazonses 60 TXT "somebody-elses-value"',
            "www A 198.51.100.80",
        )
        for domain in DOMAINS
    }
    host, _, hosting = NEXT_HOP.partition(".")
    zones[f"{hosting}."] = zone_text(TTL, f"{host} A {ORIGIN}")
    hosts: dict[str, list[str]] = {}
    for name, addresses in gateway_hosts(catalog).items():
        zone = ".".join(name.rstrip(".").split(".")[-2:]) + "."
        hosts.setdefault(zone, []).extend(f"{name} A {address}" for address in addresses)
    return {**zones, **{zone: zone_text(TTL, *lines) for zone, lines in hosts.items()}}


@contextmanager
def _run_senders(network: Network, directory: Path, rate: float) -> Iterator[Senders]:
    order, events = directory / "order.json", directory / "events.jsonl"
    # every resolver is shared by several; every third identity keeps what it was told itself
    identities = [(address, RESOLVERS[i % len(RESOLVERS)], i % 3 == 0) for i, address in enumerate(SENDERS)]
    order.write_text(
        json.dumps(
            {
                "rate": rate,
                "domains": DOMAINS,
                "identities": identities,
                "attacker": ATTACKER,
                "attacker_every": 0.5,
                "origin": ORIGIN,
                "bounces": BOUNCES,
                "sender_domain": SENDER_DOMAIN,
            }
        )
    )
    events.touch()
    command = network.internet.command(
        "env", f"PYTHONPATH={_TESTS}", sys.executable, "-m", "mail_lab.sender", str(order), str(events)
    )
    log = directory / "senders.log"
    with (
        log.open("ab") as output,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output) as process,
    ):
        senders = Senders(process, events)
        try:
            deadline = time.monotonic() + 20
            while not senders.sent():
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"the senders do not send:\n{log.read_text()}")
                time.sleep(0.1)
            yield senders
        finally:
            end(process)
