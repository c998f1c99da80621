"""A name server of d<n>.example. that sends every answer behind forged ones, of every kind that a forger may try.

The forger knows more than any real one: the id, the case and the port of each question, and sees it before the server.
"""

from __future__ import annotations

import random
import socket
import threading
from collections import Counter
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.observe.wire import mixed_case, question_wire
from servers.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.observe.asking import Address

    # query, true answer, client -> the datagrams to send, in order, and whom to
    Answers = Callable[[bytes, bytes, Address], list[tuple[bytes, Address]]]

_MX, _SOA = 15, 6
TRUE, FALSE = "10 true.example.", "66 false.example."
ELSEWHERE = "127.0.0.7"


@dataclass
class Forging:
    """A running server; `sent` counts forged datagrams by their kind."""

    endpoint: Address
    sent: Counter[str] = field(default_factory=Counter)
    clients: list[Address] = field(default_factory=list)


def _question(query: bytes) -> bytes:
    return query[12 : query.index(b"\x00", 12) + 5]


def answer_to(query: bytes, mx: str) -> bytes:
    """With authority: the SOA, or one MX record; both at the name asked for."""
    question = _question(query)
    rdtype = int.from_bytes(question[-4:-2], "big")
    preference, host = mx.split()
    rdata = bytes((0, int(preference))) + question_wire(host, "MX")[:-4]
    if rdtype == _SOA:
        rdata = b"\xc0\x0c\xc0\x0c" + bytes(20)
    record = b"\xc0\x0c" + question[-4:] + b"\x00\x00\x01\x2c" + len(rdata).to_bytes(2, "big") + rdata
    return query[:2] + b"\x84\x00\x00\x01\x00\x01\x00\x00\x00\x00" + question + record


@contextmanager
def run_forging(answers: Answers | None = None) -> Iterator[Forging]:
    """The server from its first datagram to the end of the block; `answers` in place of the forgeries."""
    endpoint = ("127.0.0.1", free_port("127.0.0.1"))
    forging = Forging(endpoint)
    dice = random.Random(7)  # noqa: S311 - test data
    ended = threading.Event()
    with ExitStack() as stack:
        server, same_port, same_host = (
            stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(3)
        )
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        server.bind(endpoint)
        same_port.bind((ELSEWHERE, endpoint[1]))
        same_host.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                query, client = server.recvfrom(65535)
                if ended.is_set():
                    return
                true = answer_to(query, TRUE)
                if answers is None:
                    for kind, datagram, receiver in _forged(query, client, forging, dice):
                        sender = {"source address": same_port, "source port": same_host}.get(kind, server)
                        sender.sendto(datagram, receiver)
                        forging.sent[kind] += 1
                    server.sendto(true, client)
                else:
                    with suppress(ConnectionRefusedError):
                        for datagram, receiver in answers(query, true, client):
                            server.sendto(datagram, receiver)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield forging
        finally:
            ended.set()
            same_host.sendto(b"", endpoint)
            thread.join()


def _forged(
    query: bytes, client: Address, forging: Forging, dice: random.Random
) -> Iterator[tuple[str, bytes, Address]]:
    """A kind, a datagram, and whom to send it to; each would be believed but for one thing."""
    false, question = answer_to(query, FALSE), _question(query)
    yield "id", bytes((false[0] ^ 1 << dice.randrange(8), false[1])) + false[2:], client
    other_case = mixed_case(question, dice.randbytes(len(question)))
    if other_case != question:
        yield "case", false.replace(question, other_case), client
    yield "type", false.replace(question, question[:-4] + b"\x00\x10\x00\x01"), client
    yield "class", false.replace(question, question[:-2] + b"\x00\x03"), client
    yield "name", false.replace(question, b"\x04evil" + question[1 + question[0] :]), client
    yield "query", bytes((*false[:2], false[2] & 0x7F, *false[3:])), client
    yield "no question", false[:4] + b"\x00\x00" + false[6:12] + false[12 + len(question) :], client
    yield "source address", false, client
    yield "source port", false, client
    if client not in forging.clients:
        forging.clients.append(client)
    others = [one for one in forging.clients if one != client]
    if others:
        yield "port", false, dice.choice(others)
