"""A name server on raw sockets that answers TXT truly, and sends what a test makes of the answer."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from reconciler.observe.asking import Query
from reconciler.observe.engine import Engine
from reconciler.observe.streaming import stream_results
from servers.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from reconciler.observe.asking import Address, ExchangeError
    from reconciler.observe.attempts import Pace
    from reconciler.observe.reply import Reply

    # (query, true answer) -> the datagrams to send back; the same with the client's address, and whom to send each to
    Replying = Callable[[bytes, bytes], Iterable[bytes]]
    ReplyingTo = Callable[[bytes, bytes, Address], Iterable[tuple[bytes, Address]]]


class Ask(NamedTuple):
    """A question to the server behind `addresses`, which take turns."""

    addresses: tuple[Address, ...]
    query: Query


@dataclass
class Answering:
    """A running server: the queries over UDP with the ports that they came from, and how many came over TCP.

    What it sends over TCP is `made` of the true answer.
    """

    endpoint: Address
    made: Callable[[bytes], bytes]
    asked: list[tuple[bytes, int]] = field(default_factory=list)
    over_tcp: int = 0

    def answer(self, connection: socket.socket) -> None:
        """Over TCP; whoever had the answer over UDP meanwhile sends nothing."""
        if framed := connection.recv(65535):
            self.over_tcp += 1
            answer = self.made(true_answer(framed[2:]))
            connection.sendall(len(answer).to_bytes(2, "big") + answer)


def value_of(name: str) -> bytes:
    """The rdata of the only TXT record at a name."""
    return b"\x04true" + bytes((len(name),)) + name.lower().encode()


def asks_of(count: int, *addresses: Address) -> Iterator[Ask]:
    """Questions for so many names, all to one server."""
    return (Ask(tuple(addresses), Query(f"names.d{number}.example.", "TXT")) for number in range(count))


def stream_replies(pace: Pace, asks: Iterable[Ask]) -> Generator[tuple[Ask, Reply | ExchangeError], None, None]:
    """Every question with what comes of it, as it comes, from an engine of its own."""
    engine = Engine(pace)

    def begin(ask: Ask, done: Callable[[Reply | ExchangeError], None]) -> None:
        engine.start(ask.addresses, ask.query, done)

    return stream_results(asks, begin, pace.in_flight, engine.stop)


def replies_of(pace: Pace, asks: Iterable[Ask]) -> list[tuple[Ask, Reply | ExchangeError]]:
    """Everything that an engine of its own makes of the questions."""
    return list(stream_replies(pace, asks))


def true_answer(query: bytes) -> bytes:
    """With authority, and the question as it was asked."""
    end = query.index(b"\x00", 12) + 5
    labels, place = [], 12
    while query[place]:
        labels.append(query[place + 1 : place + 1 + query[place]].decode())
        place += 1 + query[place]
    rdata = value_of(".".join(labels) + ".")
    head = query[:2] + b"\x84\x00\x00\x01\x00\x01\x00\x00\x00\x00"
    record = b"\xc0\x0c\x00\x10\x00\x01\x00\x00\x01\x2c" + len(rdata).to_bytes(2, "big") + rdata
    return head + query[12:end] + record


def to_client(reply: Replying) -> ReplyingTo:
    """Sends everything to whoever asked."""
    return lambda query, answer, client: ((datagram, client) for datagram in reply(query, answer))


@contextmanager
def run_answering(
    replying: ReplyingTo, made_for_tcp: Callable[[bytes], bytes] = lambda answer: answer
) -> Iterator[Answering]:
    """The server from its first datagram to the end of the block."""
    endpoint = ("127.0.0.1", free_port("127.0.0.1"))
    answering = Answering(endpoint, made_for_tcp)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.create_server(endpoint) as tcp:
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        udp.bind(endpoint)
        ended = threading.Event()

        def over_udp() -> None:
            while True:
                query, client = udp.recvfrom(65535)
                if ended.is_set():
                    return
                answering.asked.append((query, client[1]))
                answer = true_answer(query)
                with suppress(ConnectionRefusedError):
                    for datagram, receiver in replying(query, answer, client):
                        udp.sendto(datagram, receiver)

        def over_tcp() -> None:
            while True:
                connection, _ = tcp.accept()
                with connection, suppress(ConnectionError):
                    if ended.is_set():
                        return
                    answering.answer(connection)

        threads = [threading.Thread(target=target) for target in (over_udp, over_tcp)]
        for thread in threads:
            thread.start()
        try:
            yield answering
        finally:
            ended.set()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", endpoint)
            socket.create_connection(endpoint).close()
            for thread in threads:
                thread.join()
