"""What is told before a long look is what servers are then asked, by their own count."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from builders import catalog, domain
from servers.nsd import run_nsd
from servers.processes import free_port

from reconciler.desired import build_desired
from reconciler.history import NO_HISTORY
from reconciler.names import Name
from reconciler.observe import Question
from reconciler.observe.dns import LiveObserver
from reconciler.observe.estimate import estimate_observing
from reconciler.settings import DnsSettings
from reconciler.state import Present

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers.nsd import Nsd

pytestmark = pytest.mark.integration

NAMES = [Name(f"d{number}.example.") for number in range(25)]
RESOLVER, SERVER = "127.0.0.1", "127.0.0.2"
ZONE = """$TTL 300
@ SOA ns.servers.example. hostmaster 1 3600 600 86400 60
@ NS ns.servers.example.
@ MX 0 eu.mx-pp.com.
_amazonses TXT "primary-token"
"""
SERVERS_ZONE = f"""$TTL 300
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A {SERVER}
"""
ZONES = {**{str(name): ZONE for name in NAMES}, "servers.example.": SERVERS_ZONE}
SLOW = 0.5  # queries a second: nothing is asked at this rate


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Nsd, Nsd]]:
    """One that is asked for the zones, and the one that their NS rrsets name; at one port."""
    port = free_port(SERVER)
    with (
        run_nsd(ZONES, directory=tmp_path_factory.mktemp("resolver"), address=RESOLVER, port=port) as resolver,
        run_nsd(ZONES, directory=tmp_path_factory.mktemp("server"), address=SERVER, port=port) as server,
    ):
        yield resolver, server


def _questions() -> list[Question]:
    """What a run asks of domains that are in sync, and in its order."""
    declared = [domain(name=name, written=str(name)) for name in NAMES]
    desired = [build_desired(each, catalog(), NO_HISTORY) for each in declared]
    return [Question(r.key, d.domain.name, d.domain.zone) for d in desired for r in reversed(d.rrsets)]


def _told(settings: DnsSettings) -> list[int]:
    """How often it says that servers are asked."""
    told = estimate_observing(_questions(), settings)
    assert told is not None
    return [int(number.replace(",", "")) for number in re.findall(r"is asked ([\d,]+) times", told)]


def _asked(settings: DnsSettings, port: int, *counting: Nsd) -> list[int]:
    """How often servers are, by the count of each."""
    before = [server.queries() for server in counting]
    observations = list(LiveObserver(settings, port=port).observe(_questions()))
    assert len(observations) == 2 * len(NAMES)
    assert all(isinstance(o.observed, Present) for o in observations)
    return [server.queries() - count for server, count in zip(counting, before, strict=True)]


def test_servers_of_ones_own_are_asked_as_often_as_told(servers: tuple[Nsd, Nsd]) -> None:
    resolver, server = servers
    settings = DnsSettings(servers=((resolver.address, resolver.port), (server.address, server.port)))
    assert _told(settings._replace(rate=SLOW)) == [3 * len(NAMES)]
    assert _asked(settings, server.port, resolver, server) == [3 * len(NAMES)] * 2


def test_a_resolver_and_the_servers_that_it_finds_are_asked_as_often_as_told(servers: tuple[Nsd, Nsd]) -> None:
    """And the resolver for the addresses of the name server, whose name is in no estimate."""
    resolver, server = servers
    settings = DnsSettings(resolvers=((resolver.address, resolver.port),), rate=1000.0)
    assert _told(settings._replace(rate=SLOW)) == [2 * len(NAMES), 3 * len(NAMES)]
    assert _asked(settings, server.port, resolver, server) == [2 * len(NAMES) + 2, 3 * len(NAMES)]
