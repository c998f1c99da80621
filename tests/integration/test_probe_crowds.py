"""Many hosts behind one address, and many that are dead: few visits at once, and an end in bounded time."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from servers.bind import run_bind
from servers.mail_peers import GREETING, ehlo_reply, run_peer, silent_port
from servers.observing import Asking
from servers.probing import Probing, look_around, wanted
from servers.scripted import reply_to, run_scripted

from reconciler.observe.exchange import Exchanger, Query
from reconciler.state import Cause, Unknown
from reconciler.surroundings import SmtpSight

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dns.message
    from servers.mail_peers import Conversation
    from servers.processes import NameServer
    from servers.scripted import Transport

pytestmark = pytest.mark.integration

HEAD = "$TTL 300\n@ IN SOA ns1 hostmaster 1 3600 600 86400 60\n@ IN NS ns1\nns1 IN A 127.0.0.1\n"
CROWD = 60
HOSTS = [f"h{n}.shared" for n in range(CROWD)]
ZONES = {
    "shared.": HEAD + "".join(f"h{n} IN A 127.0.0.2\n" for n in range(CROWD)),
    **{f"d{n}.many.": HEAD for n in range(CROWD)},
}
DOMAINS = [wanted(f"d{n}.many", next_hops=HOSTS[n]) for n in range(CROWD)]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameServer]:
    with run_bind(ZONES, directory=tmp_path_factory.mktemp("bind")) as server:
        yield server


class Crowd:
    """An honest mail server that counts how many visitors it has at the same time."""

    def __init__(self) -> None:
        """Nobody is there."""
        self.most = self._now = 0
        self._lock = threading.Lock()

    def __call__(self, conversation: Conversation) -> None:
        """One visit; it counts until the goodbye, after which the next one may come."""
        self._count(1)
        time.sleep(0.02)
        conversation.say(GREETING)
        conversation.hear()
        conversation.say(ehlo_reply("SIZE 5"))
        conversation.hear()
        self._count(-1)
        conversation.say(b"221 bye\r\n")

    def _count(self, more: int) -> None:
        with self._lock:
            self._now += more
            self.most = max(self.most, self._now)


@pytest.mark.parametrize("per_address", [1, 2])
def test_hosts_that_share_an_address_are_visited_few_at_once(names: NameServer, per_address: int) -> None:
    crowd = Crowd()
    with run_peer(crowd, address="127.0.0.2") as peer:
        settings = Probing(smtp_port=peer.port, timeout=10, per_address=per_address)
        found = look_around(names, settings, *DOMAINS, seconds=60)
    seen = [sight for one in found.values() for sight in one.smtp.values()]
    assert len(seen) == len(peer.conversations) == CROWD
    assert all(isinstance(sight, SmtpSight) for sight in seen)
    assert crowd.most == per_address


def mute(conversation: Conversation) -> None:
    """Accepts the connection, and never says a word."""
    conversation.hear()


@pytest.mark.parametrize("kind", ["drops", "mute"])
def test_a_silent_address_costs_two_time_outs_however_many_hosts_it_has(names: NameServer, kind: str) -> None:
    timeout = 1.0
    with silent_port("127.0.0.2") if kind == "drops" else run_peer(mute, address="127.0.0.2") as peer:
        port = peer[1] if isinstance(peer, tuple) else peer.port
        settings = Probing(smtp_port=port, timeout=timeout, per_address=1)
        begun = time.monotonic()
        found = look_around(names, settings, *DOMAINS, seconds=CROWD * timeout / 2)
        took = time.monotonic() - begun
    seen = [sight for one in found.values() for sight in one.smtp.values()]
    assert len(seen) == CROWD
    assert all(isinstance(sight, Unknown) and sight.cause is Cause.TIMEOUT for sight in seen)
    waited = [sight for sight in seen if isinstance(sight, Unknown) and "within" in sight.detail]
    assert len(waited) == 2
    assert took > 2 * timeout


def test_a_server_is_asked_no_faster_than_the_settings_say() -> None:
    """A pause saves up a tenth of a second."""
    times: list[float] = []

    def timed(request: dns.message.Message, _transport: Transport, _before: int) -> list[bytes]:
        times.append(time.monotonic())
        return [reply_to(request).to_wire()]

    async def ask(exchanger: Exchanger, address: tuple[str, int]) -> None:
        questions = (Query(f"q{n}.acme.example.", "TXT") for n in range(250))
        await asyncio.gather(*(exchanger.reply([address], question) for question in questions))

    with run_scripted(timed) as server:
        settings = Asking(servers=(server.endpoint,), timeout=5)
        asyncio.run(ask(Exchanger(replace(settings, rate=100.0)), server.endpoint))
    assert len(times) == 250
    assert times[-1] - times[0] > 2.2
