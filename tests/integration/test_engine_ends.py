"""How questions end: once, whatever else comes in the same turn; and nothing of them is left when the engine stops."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from servers.engine_lab import asks_of, replies_of, run_answering, stream_replies, to_client, true_answer
from servers.processes import free_port

from reconciler.observe.asking import ExchangeError, Query
from reconciler.observe.attempts import Pace
from reconciler.observe.engine import Engine
from reconciler.observe.peer import Peer, Port
from reconciler.observe.reply import Reply
from reconciler.state import Cause

if TYPE_CHECKING:
    from reconciler.observe.asking import Address

pytestmark = pytest.mark.integration

NOBODY: Address = ("255.255.255.255", 53)  # no socket is ever connected to it
WORD = Query("word.example.", "TXT")


def hole() -> socket.socket:
    """A socket that never answers."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.bind(("127.0.0.1", 0))
    sock.setblocking(False)  # noqa: FBT003 - the socket's own signature
    return sock


def drained(sock: socket.socket) -> list[bytes]:
    """Whatever lies in a socket."""
    found: list[bytes] = []
    while True:
        try:
            found.append(sock.recv(65535))
        except BlockingIOError:
            return found


async def heard_after_stop(addresses: tuple[Address, ...], before: float) -> list[Reply | ExchangeError]:
    """What an engine says of a question that is stopped after so many seconds, while the loop goes on."""
    heard: list[Reply | ExchangeError] = []
    engine = Engine(Pace(timeout=0.3, attempts=3))
    engine.start(addresses, WORD, heard.append)
    await asyncio.sleep(before)
    engine.stop()
    await asyncio.sleep(0.5)
    return heard


def test_nothing_is_heard_of_a_failure_that_was_not_told_before_the_stop() -> None:
    """It lies between the turn in which no socket could be opened and the next one; another address would follow."""
    with hole() as other:
        assert asyncio.run(heard_after_stop((NOBODY, other.getsockname()), 0)) == []
        assert asyncio.run(heard_after_stop((NOBODY,), 0)) == []
        assert drained(other) == []


def test_a_question_that_pauses_is_not_asked_again_after_the_stop() -> None:
    def failed(query: bytes, _answer: bytes) -> list[bytes]:
        return [query[:2] + b"\x80\x02" + bytes(8)]

    with run_answering(to_client(failed)) as answering:
        assert asyncio.run(heard_after_stop((answering.endpoint,), 0.05)) == []
        assert len(answering.asked) == 1


def test_a_pause_ends_with_another_attempt() -> None:
    def failed_at_first(query: bytes, answer: bytes) -> list[bytes]:
        return [query[:2] + b"\x80\x02" + bytes(8) if len(answering.asked) == 1 else answer]

    with run_answering(to_client(failed_at_first)) as answering:
        [(_, result)] = replies_of(Pace(timeout=1.0, attempts=2), asks_of(1, answering.endpoint))
    assert isinstance(result, Reply)
    assert len(answering.asked) == 2


def test_a_silent_address_gives_back_the_tokens_of_what_is_not_sent() -> None:
    """Else thousands of questions to a dead name server take as long as if each had been sent."""
    with hole() as dead:
        begun = time.monotonic()
        pace = Pace(timeout=0.2, attempts=2, in_flight=100, window=100, rate=50.0)
        results = replies_of(pace, asks_of(600, dead.getsockname()))
        sent = len(drained(dead))
    assert {result.cause for _, result in results if isinstance(result, ExchangeError)} == {Cause.TIMEOUT}
    assert len(results) == 600
    assert sent < 300, "1,200 attempts; the others were known to be in vain"
    assert time.monotonic() - begun < 15, "1,200 attempts at 50 a second would take 24 seconds"


def test_places_are_neither_lost_nor_given_twice_whatever_came() -> None:
    """Each answer doubled, truncated first, garbage, late, of the wrong case, or none: afterwards as many are free."""
    kinds = 0

    def reply(query: bytes, answer: bytes) -> list[bytes]:
        nonlocal kinds
        kinds += 1
        truncated = answer[:2] + bytes((answer[2] | 0x02,)) + answer[3:]
        return [
            [answer, answer, answer],
            [truncated, answer],
            [truncated, truncated],
            [answer[:20], answer[:15], b""],
            [query[:2] + b"\x80\x02" + bytes(8), answer],
            [answer + b"\x00", answer],
            [],
        ][kinds % 7]

    async def run(first: Address, then: Address) -> list[Reply | ExchangeError]:
        heard: list[Reply | ExchangeError] = []
        have_ended = asyncio.Event()

        def hear(result: Reply | ExchangeError) -> None:
            heard.append(result)
            if len(heard) == 70:
                have_ended.set()

        engine = Engine(Pace(timeout=0.2, attempts=2, in_flight=5, window=5))
        for ask in asks_of(70, first):
            engine.start(ask.addresses, ask.query, hear)
        waiting = [asyncio.create_task(engine.ask((first,), WORD)) for _ in range(5)]
        await asyncio.sleep(0.05)
        for task in waiting:
            task.cancel()
        await have_ended.wait()
        for ask in asks_of(20, then):
            engine.start(ask.addresses, ask.query, hear)
        await asyncio.sleep(0.1)
        engine.stop()
        return heard

    with run_answering(to_client(reply)) as answering, hole() as dead:
        heard = asyncio.run(asyncio.wait_for(run(answering.endpoint, dead.getsockname()), 30))
        under_way = len(drained(dead))
    assert len(heard) == 70, "each ended once"
    assert under_way == 5


def test_what_does_not_fit_into_the_socket_is_sent_later_in_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket pair blocks as a slow network does, in the middle of a batch; rate and window hold."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    near.setblocking(False)  # noqa: FBT003 - the socket's own signature
    far.setblocking(False)  # noqa: FBT003 - the socket's own signature

    class Narrow(Port):
        """A port whose other end takes some datagrams only."""

        def __init__(self, peer: Peer) -> None:
            super().__init__(peer)
            self.sock.close()
            self.sock, self.send, self.receive = near, near.send, near.recv

    monkeypatch.setattr("reconciler.observe.ports.Port", Narrow)
    monkeypatch.setattr("reconciler.observe.ports._PORT_NUMBERS", bytes(256))
    count, first = 0, 0

    async def run() -> list[str]:
        nonlocal count, first
        engine = Engine(Pace(timeout=10.0, attempts=1, in_flight=400, window=400))
        asked: list[str] = []
        heard: list[Reply | ExchangeError] = []
        for ask in asks_of(400, ("127.0.0.1", 9)):
            engine.start(ask.addresses, ask.query, heard.append)
        while len(heard) < 400:
            await asyncio.sleep(0.03)
            queries = drained(far)
            first = first or len(queries)
            asked += [query[19 : query.index(b"\x07", 19)].decode().lower() for query in queries]
            for query in queries:
                while True:
                    try:
                        far.send(true_answer(query))
                        break
                    except BlockingIOError:
                        await asyncio.sleep(0)
        count = len([result for result in heard if isinstance(result, Reply)])
        engine.stop()
        return asked

    with closing(far):
        asked = asyncio.run(asyncio.wait_for(run(), 30))
    assert 0 < first < 400, "the buffer was full before all were sent"
    assert asked == [f"d{number}" for number in range(400)]
    assert count == 400


def test_a_full_house_serves_who_waits_elsewhere() -> None:
    """One address takes all places; the other's questions have their turn when they are free."""
    with run_answering(to_client(lambda _q, answer: [answer])) as answering, hole() as dead:
        asks = [*asks_of(4, dead.getsockname()), *asks_of(50, answering.endpoint)]
        results = list(stream_replies(Pace(timeout=0.2, attempts=2, in_flight=4, window=4), asks))
    assert sum(isinstance(result, Reply) for _, result in results) == 50
    assert len(results) == 54


def test_an_error_over_udp_is_not_for_who_asks_over_tcp_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's other half is gone when the next question is sent from the same port."""
    monkeypatch.setattr("reconciler.observe.ports._PORT_NUMBERS", bytes(256))

    async def run() -> tuple[list[Reply | ExchangeError], list[Reply | ExchangeError]]:
        engine = Engine(Pace(timeout=5.0, attempts=1))
        over_tcp: list[Reply | ExchangeError] = []
        over_udp: list[Reply | ExchangeError] = []
        engine.start((endpoint,), WORD, over_tcp.append)
        await asyncio.sleep(0.05)
        query, client = udp.recvfrom(65535)
        udp.sendto(query[:2] + b"\x86" + true_answer(query)[3:], client)
        await asyncio.sleep(0.05)
        udp.close()
        engine.start((endpoint,), WORD, over_udp.append)
        await asyncio.sleep(0.05)
        assert over_tcp == []
        connection, _ = tcp.accept()
        with connection:
            answer = true_answer(connection.recv(65535)[2:])
            connection.sendall(len(answer).to_bytes(2, "big") + answer)
        await asyncio.sleep(0.05)
        engine.stop()
        return over_tcp, over_udp

    endpoint = ("127.0.0.1", free_port("127.0.0.1"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.create_server(endpoint) as tcp:
        udp.bind(endpoint)
        for sock in (udp, tcp):
            sock.settimeout(5)
        over_tcp, over_udp = asyncio.run(run())
    assert [type(result) for result in over_tcp] == [Reply]
    assert [result.cause for result in over_udp if isinstance(result, ExchangeError)] == [Cause.NETWORK]


def test_an_answer_over_tcp_that_comes_in_the_turn_of_the_stop_is_not_told() -> None:
    """Its task is done, and cannot be cancelled any more."""

    async def run() -> list[Reply | ExchangeError]:
        engine = Engine(Pace(timeout=5.0, attempts=1))
        heard: list[Reply | ExchangeError] = []
        inquiry = engine.start((answering.endpoint,), WORD, heard.append)
        for _ in range(500_000):  # turns of the loop, some seconds
            await asyncio.sleep(0)
            if inquiry.task is not None and inquiry.task.done():
                break
        assert inquiry.task is not None
        assert inquiry.task.done()
        engine.stop()
        await asyncio.sleep(0.05)
        return heard

    with run_answering(to_client(lambda _q, answer: [answer[:2] + b"\x86" + answer[3:]])) as answering:
        assert asyncio.run(run()) == []
    assert answering.over_tcp == 1


def test_the_case_that_one_server_folds_is_not_anothers() -> None:
    """The second one is silent, and asked over UDP as before."""

    def folded_then_failed(query: bytes, answer: bytes) -> list[bytes]:
        end = query.index(b"\x00", 12)
        return [answer[:12] + answer[12:end].lower() + answer[end:], query[:2] + b"\x80\x02" + bytes(8)]

    with run_answering(to_client(folded_then_failed)) as answering, hole() as dead:
        pace = Pace(timeout=0.2, attempts=4)
        replies_of(pace, asks_of(1, answering.endpoint, dead.getsockname()))
        assert len(drained(dead)) == 2
    assert len(answering.asked) == 2


def test_an_address_that_was_silent_and_answers_is_asked_as_any_other() -> None:
    """One answer is enough."""

    async def run() -> list[list[Reply | BaseException]]:
        engine = Engine(Pace(timeout=0.2, attempts=2, in_flight=50, window=50))
        found = []
        for count in (50, 1, 20):
            asking = (engine.ask(ask.addresses, ask.query) for ask in asks_of(count, answering.endpoint))
            found.append(await asyncio.gather(*asking, return_exceptions=True))
        return found

    with run_answering(to_client(lambda _q, answer: [answer] if len(answering.asked) > 100 else [])) as answering:
        silent, probe, others = asyncio.run(run())
    assert {type(result) for result in silent} == {ExchangeError}
    assert {type(result) for result in (*probe, *others)} == {Reply}
