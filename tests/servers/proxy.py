"""A TCP proxy before a name server: the place where a test interferes with one message on its way."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING

from servers.processes import QUERY_SECONDS, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from servers.processes import NameServer

_OPCODE_UPDATE = 5


class Fate(Enum):
    """What becomes of an UPDATE on its way."""

    PASSED = "passed on, and its answer passed back"
    LOST = "lost before the server sees it"
    UNANSWERED = "passed on, and its answer lost"


@contextmanager
def run_proxy(
    server: NameServer,
    *,
    before_update: Callable[[], None] = lambda: None,
    after_update: Callable[[], None] = lambda: None,
    fate: Fate = Fate.PASSED,
    messages: list[list[bytes]] | None = None,
    closes_after: int = 1000,
) -> Iterator[int]:
    """The port of a proxy before `server`; the callbacks run around each UPDATE, before its answer goes back.

    `messages` gets the messages of each connection; a connection is closed after `closes_after` answers.
    """
    connections: list[list[bytes]] = [] if messages is None else messages

    class Connection(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((server.address, server.port), timeout=QUERY_SECONDS) as upstream:
                answers = upstream.makefile("rb")
                seen: list[bytes] = []
                connections.append(seen)
                while len(seen) < closes_after and (message := _received(self.rfile)):
                    seen.append(message)
                    is_update = (message[2] >> 3) & 15 == _OPCODE_UPDATE
                    if is_update:
                        before_update()
                        if fate is Fate.LOST:
                            return
                    upstream.sendall(struct.pack("!H", len(message)) + message)
                    answer = _received(answers)
                    if is_update:
                        after_update()
                        if fate is Fate.UNANSWERED:
                            return
                    self.connection.sendall(struct.pack("!H", len(answer)) + answer)

    port = free_port("127.0.0.1")
    with socketserver.ThreadingTCPServer(("127.0.0.1", port), Connection) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield port
        finally:
            proxy.shutdown()
            thread.join()


def _received(stream: object) -> bytes:
    read: Callable[[int], bytes] = stream.read  # type: ignore[attr-defined]
    head = read(2)
    return read(struct.unpack("!H", head)[0]) if len(head) == 2 else b""
