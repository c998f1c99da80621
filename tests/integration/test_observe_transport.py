"""Loss, silence, forgery and floods: an answer comes through, or the wait ends in bounded time."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.name
import dns.rcode
import pytest
from servers.acme import QUESTION, cause, honest, is_for, mangled, present, script_for
from servers.observing import Asking, observe_one, observed, question
from servers.scripted import framed, reply_to, run_scripted

from reconciler.names import canonical_name
from reconciler.observe.dns import LiveObserver
from reconciler.observe.exchange import EDNS_PAYLOAD, ExchangeError, Exchanger, Query
from reconciler.state import Cause, Present, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers.scripted import Scripted, Transport

    from reconciler.observe import Question

pytestmark = pytest.mark.integration


def test_every_second_datagram_lost_is_no_loss() -> None:
    with run_scripted(lambda r, _t, n: [] if n % 2 == 0 else [honest(r).to_wire()]) as server:
        assert present(observed(Asking(servers=(server.endpoint,), timeout=0.3), QUESTION)).rdatas
    udp = [request for _, request in server.asked]
    assert len({request.id for request in udp}) == len(udp), "each attempt has an id of its own"


def test_an_answer_that_comes_twice_counts_once() -> None:
    with run_scripted(lambda r, _t, _n: [honest(r).to_wire()] * 2) as server:
        assert present(observed(Asking(servers=(server.endpoint,)), QUESTION)).ttl == 300


def test_forged_datagrams_before_the_answer_do_not_matter() -> None:
    def forged_first(request: dns.message.Message, _transport: Transport, _before: int) -> list[bytes]:
        forged = [mangled(request, id=guess) for guess in range(200) if guess != request.id]
        return [*forged, mangled(request, name="evil.example."), b"\xff", honest(request).to_wire()]

    with run_scripted(forged_first) as server:
        assert present(observed(Asking(servers=(server.endpoint,)), QUESTION)).rdatas == ("10 mail.acme.example.",)
    assert len(server.asked) == 2, "one for the zone, one for the rrset"


def test_a_truncated_answer_is_asked_for_again_over_tcp() -> None:
    def truncated(request: dns.message.Message, transport: Transport, _before: int) -> list[bytes]:
        if transport == "tcp":
            return [framed(honest(request).to_wire())]
        reply = honest(request)
        reply.flags |= dns.flags.TC
        return [reply.to_wire()[:-5]]  # cut inside a record, as TC allows

    with run_scripted(script_for("MX", truncated)) as server:
        assert present(observed(Asking(servers=(server.endpoint,)), QUESTION)).rdatas == ("10 mail.acme.example.",)


def test_a_slow_answer_inside_the_time_counts() -> None:
    def slow(request: dns.message.Message, _transport: Transport, _before: int) -> list[bytes]:
        time.sleep(0.2)
        return [honest(request).to_wire()]

    with run_scripted(slow) as server:
        assert present(observed(Asking(servers=(server.endpoint,), timeout=1.0, attempts=1), QUESTION)).rdatas
        assert cause(observed(Asking(servers=(server.endpoint,), timeout=0.1, attempts=1), QUESTION)) is Cause.TIMEOUT


def test_a_server_without_edns_is_asked_without() -> None:
    def old(request: dns.message.Message, _transport: Transport, _before: int) -> list[bytes]:
        reply = honest(request) if request.edns < 0 else reply_to(request, rcode=dns.rcode.FORMERR)
        reply.use_edns(False)  # noqa: FBT003 - dnspython's way to say without
        return [reply.to_wire()]

    with run_scripted(old) as server:
        assert present(observed(Asking(servers=(server.endpoint,)), QUESTION)).rdatas


def test_queries_carry_edns_and_no_rd() -> None:
    with run_scripted(lambda r, _t, _n: [honest(r).to_wire()]) as server:
        observed(Asking(servers=(server.endpoint,)), QUESTION)
    assert all(request.payload == EDNS_PAYLOAD for _, request in server.asked)
    assert not any(request.flags & dns.flags.RD for _, request in server.asked)


def test_a_dead_server_beside_a_live_one_does_not_hide_the_answer() -> None:
    with run_scripted(lambda r, _t, _n: [honest(r).to_wire()]) as server:
        settings = Asking(servers=(("127.0.0.9", server.port), server.endpoint), timeout=0.2)
        found = observe_one(settings, QUESTION)
    assert present(found.observed).rdatas
    assert {a.server: type(a.observed) for a in found.answers} == {
        f"127.0.0.1:{server.port}": Present,
        f"127.0.0.9:{server.port}": Unknown,
    }


def test_a_black_hole_ends_in_bounded_time_for_a_thousand_domains() -> None:
    domains = [canonical_name(f"d{n}.example") for n in range(1000)]
    with run_scripted(lambda _r, _t, _n: []) as server:
        begun = time.monotonic()
        observer = LiveObserver(Asking(servers=(server.endpoint,), timeout=0.3))
        found = list(observer.observe([question(d, "MX") for d in domains]))
        took = time.monotonic() - begun
    assert {cause(o.observed) for o in found} == {Cause.TIMEOUT}
    assert len(found) == 1000
    assert took < 10
    assert len(server.asked) < 1000, "a server that is silent for long is not asked for every domain"


def test_a_server_that_comes_back_is_believed_again() -> None:
    is_back = False

    def away(request: dns.message.Message, _transport: Transport, _before: int) -> list[bytes]:
        return [honest(request).to_wire()] if is_back else []

    async def outage(server: Scripted) -> list[dns.message.Message]:
        nonlocal is_back
        exchanger = Exchanger(Asking(timeout=0.2))
        asked = Query("acme.example.", "MX")
        for most in (100, 102):  # 50 questions, two attempts each; then one probe for each time-out
            many = (exchanger.ask([server.endpoint], asked) for _ in range(50))
            failures = await asyncio.gather(*many, return_exceptions=True)
            assert all(isinstance(f, ExchangeError) and f.cause is Cause.TIMEOUT for f in failures)
            assert len(server.asked) <= most
        is_back = True
        await asyncio.sleep(0.2)
        return [await exchanger.ask([server.endpoint], asked) for _ in range(5)]

    with run_scripted(away) as server:
        assert all(reply.answer for reply in asyncio.run(outage(server)))


FLOOD = """
import socket, time
sock = socket.socket(type=socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", 0))
print(sock.getsockname()[1], flush=True)
wire, client = sock.recvfrom(65535)
forged = bytes([wire[0] ^ 1, wire[1], wire[2] | 0x80]) + wire[3:]
until = time.monotonic() + 4
while time.monotonic() < until:
    try:
        sock.sendto(forged, client)
    except ConnectionRefusedError:
        break
"""


def test_a_flood_of_forged_datagrams_does_not_stop_the_clock() -> None:
    """The flood has a process of its own, so that the socket is never empty."""
    with subprocess.Popen([sys.executable, "-c", FLOOD], stdout=subprocess.PIPE, text=True) as flood:
        assert flood.stdout is not None
        port = int(flood.stdout.readline())
        begun = time.monotonic()
        exchanger = Exchanger(Asking(timeout=0.3, attempts=1))
        with pytest.raises(ExchangeError) as raised:
            asyncio.run(exchanger.ask([("127.0.0.1", port)], Query("acme.example.", "MX")))
        took = time.monotonic() - begun
        flood.kill()
    assert raised.value.cause is Cause.TIMEOUT
    assert took < 2


def test_ending_early_leaves_nothing_behind() -> None:
    """ResourceWarnings and forgotten tasks are errors in this suite."""

    def selective(request: dns.message.Message, _transport: Transport, _before: int) -> list[bytes]:
        is_quick = request.question[0].name == dns.name.from_text("acme.example.")
        return [honest(request).to_wire()] if is_quick else []

    with run_scripted(selective) as server:
        asked = [QUESTION, *(question(f"d{n}.acme.example.", "MX") for n in range(100))]
        observations = iter(LiveObserver(Asking(servers=(server.endpoint,), timeout=5.0)).observe(asked))
        assert present(next(observations).observed).rdatas
        begun = time.monotonic()
        del observations
        gc.collect()
        assert time.monotonic() - begun < 1


def test_ctrl_c_ends_the_wait_at_once() -> None:
    with run_scripted(lambda _r, _t, _n: []) as server:
        observations = LiveObserver(Asking(servers=(server.endpoint,), timeout=20.0)).observe([QUESTION])
        timer = threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT])
        begun = time.monotonic()
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            list(observations)
        timer.join()
        assert time.monotonic() - begun < 3


def test_ipv6() -> None:
    with run_scripted(lambda r, _t, _n: [honest(r).to_wire()], address="::1") as server:
        found = observe_one(Asking(servers=(server.endpoint,)), QUESTION)
    assert [a.server for a in found.answers] == [f"[::1]:{server.port}"]
    assert present(found.observed).rdatas


def test_progress_counts_every_observation_duplicates_too() -> None:
    seen: list[int] = []
    with run_scripted(lambda r, _t, _n: [honest(r).to_wire()]) as server:
        observer = LiveObserver(Asking(servers=(server.endpoint,)), seen.append)
        found = list(observer.observe([QUESTION, QUESTION, question("acme.example.", "TXT")]))
    assert len(found) == 3
    assert seen == [1, 2, 3]
    assert sum(is_for(request, "MX") for _, request in server.asked) == 1


def test_questions_are_taken_as_there_is_room_for_them() -> None:
    """Those of a whole fleet are never in memory at the same time."""
    taken: list[str] = []

    def questions() -> Iterator[Question]:
        for number in range(100):
            taken.append(f"n{number}.acme.example.")
            yield question(taken[-1], "TXT")

    with run_scripted(lambda r, _t, _n: [honest(r).to_wire()]) as server:
        found = LiveObserver(Asking(servers=(server.endpoint,), in_flight=4)).observe(questions())
        next(found)
        assert len(taken) < 20
        assert len(list(found)) == 99
