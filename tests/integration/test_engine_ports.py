"""What comes in one turn of the loop to one socket: each answer once, whatever lies before and behind it."""

from __future__ import annotations

import asyncio
import socket
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from servers.engine_lab import true_answer

from reconciler.observe.asking import Query
from reconciler.observe.attempts import Pace
from reconciler.observe.engine import Engine
from reconciler.observe.inquiry import Inquiry
from reconciler.observe.peer import Peer, Port
from reconciler.observe.ports import Ports
from reconciler.observe.wire import name_wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.observe.asking import Address
    from reconciler.observe.ports import Answered

pytestmark = pytest.mark.integration


@dataclass
class Turn:
    """Ports to a server of the test's own, and what they told."""

    server: socket.socket
    peer: Peer
    on_other: Callable[[Port], None] = lambda _port: None
    answered: list[Inquiry] = field(default_factory=list)
    others: list[Inquiry] = field(default_factory=list)
    broken: list[Inquiry] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Prepare; nothing is under way yet."""
        self.ports = Ports(self._answered, self._received, self._broken)

    def _answered(self, _port: Port, answered: Answered) -> None:
        self.answered += [inquiry for inquiry, _ in answered]

    def _received(self, inquiry: Inquiry, _wire: bytes) -> None:
        self.others.append(inquiry)
        if inquiry.port is not None:
            self.on_other(inquiry.port)

    def _broken(self, port: Port, _error: OSError) -> None:
        self.broken += port.pending.values()

    def begin(self, identity: bytes) -> Inquiry:
        """An inquiry that is under way at the first port; its query has come to the server."""
        inquiry = Inquiry((self.peer.address,), Query("a.example.", "TXT"), 1, lambda _result: None)
        inquiry.port = self.peer.ports.get(0) or self.ports.open(self.peer, 0)
        packet = inquiry.pack(identity, name_wire("a.example."))
        inquiry.deadline = 0.5
        inquiry.port.pending[identity] = inquiry
        inquiry.port.send(packet)
        self.peer.under_way += 1
        self.client: Address = inquiry.port.sock.getsockname()
        return inquiry

    def send(self, datagram: bytes) -> None:
        """From the server to the port."""
        self.server.sendto(datagram, self.client)

    def close(self) -> None:
        """Every socket of ours."""
        self.peer.under_way = 0
        self.ports.close_idle()


@contextmanager
def run_turn() -> Iterator[Turn]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        turn = Turn(server, Peer(server.getsockname(), 10, 0.0, 5.0, 15.0))
        try:
            yield turn
        finally:
            turn.close()


async def a_turn() -> None:
    """Long enough for what lies in a socket to be read."""
    await asyncio.sleep(0.05)


def answer_to(inquiry: Inquiry) -> bytes:
    """As the server would send it."""
    return true_answer(inquiry.packet)


def test_an_answer_that_comes_twice_in_one_turn_counts_once() -> None:
    async def run() -> None:
        with run_turn() as turn:
            one, other = turn.begin(b"AA"), turn.begin(b"BB")
            for inquiry in (one, one, other, other, one):
                turn.send(answer_to(inquiry))
            await a_turn()
            assert turn.answered == [one, other]
            assert turn.others == turn.broken == []

    asyncio.run(run())


def test_an_id_that_is_under_way_at_the_port_is_not_drawn_again() -> None:
    async def run() -> None:
        with run_turn() as turn:
            port = turn.begin(b"AA").port
            assert port is not None
            taken = {number.to_bytes(2, "big") for number in range(1 << 16)} - {b"AB"}
            port.pending = dict.fromkeys(taken, Inquiry((turn.peer.address,), Query("a.example.", "TXT"), 1, print))
            assert turn.ports.free_identity(port) == b"AB"

    asyncio.run(run())


def test_questions_that_drew_the_same_id_and_port_are_sent_with_different_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ports, "drawn", lambda _self, count: ([b"AA"] * count, [0] * count))

    async def run(server: socket.socket) -> list[bytes]:
        engine = Engine(Pace(timeout=5.0))
        for _ in range(20):
            engine.start((server.getsockname(),), Query("a.example.", "TXT"), lambda _result: None)
        await a_turn()
        engine.stop()
        return [server.recv(512) for _ in range(20)]

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        queries = asyncio.run(run(server))
    assert queries[0][:2] == b"AA"
    assert len({query[:2] for query in queries}) == 20


def test_answers_before_an_error_count_and_the_error_is_for_the_others() -> None:
    """The server goes away while its answers are read: the next look into the socket is an error."""

    async def run() -> None:
        with run_turn() as turn:

            def leave(port: Port) -> None:
                turn.server.close()
                port.sock.send(b"anybody there?")

            turn.on_other = leave
            one, other = turn.begin(b"AA"), turn.begin(b"BB")
            turn.send(answer_to(one))
            turn.send(b"BB, but no answer")
            await a_turn()
            assert (turn.answered, turn.others, turn.broken) == ([one], [other], [other])

    asyncio.run(run())


def test_answers_are_handed_on_even_if_a_callback_raises() -> None:
    """That is a bug of ours; places must be free nevertheless, or their sockets are never closed."""

    def fail(_port: Port) -> None:
        raise ZeroDivisionError

    async def run() -> None:
        errors: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: errors.append(context["exception"]))
        with run_turn() as turn:
            turn.on_other = fail
            one, other = turn.begin(b"AA"), turn.begin(b"BB")
            turn.send(answer_to(one))
            turn.send(b"BB, but no answer")
            await a_turn()
            assert turn.answered == [one]
            assert turn.others == [other]
            assert [type(error) for error in errors] == [ZeroDivisionError]

    asyncio.run(run())


def test_what_lies_in_the_socket_when_the_time_is_over_has_come_in_time() -> None:
    async def run() -> None:
        with run_turn() as turn:
            one, other = turn.begin(b"AA"), turn.begin(b"BB")
            turn.send(answer_to(one))
            assert turn.ports.overdue(1.0) == [other]
            assert turn.answered == [one]

    asyncio.run(run())


def test_a_socket_is_closed_when_its_address_is_idle_and_another_may_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.observe.ports._MAX_SOCKETS", 3)

    async def run() -> None:
        with run_turn() as turn:
            for _ in range(3):
                found = [turn.peer.ports.get(number) or turn.ports.open(turn.peer, number) for number in range(8)]
                assert len(set(found)) == 3, "as many as there may be, shared"
                turn.peer.under_way = 1
                turn.ports.close_idle()
                assert all(port.sock.fileno() > 0 for port in found)
                turn.peer.under_way = 0
                turn.ports.close_idle()
                assert all(port.sock.fileno() < 0 for port in found)

    asyncio.run(run())
