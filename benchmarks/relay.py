"""A slow and lossy way to a name server: a UDP relay that holds each answer back and loses some datagrams.

`relay.py PORT SERVER_PORT SECONDS LOSS`: answers come `SECONDS` later; of the datagrams in either direction, a share of
`LOSS` never arrives. Prints a line when it is ready, ends with its standard input, and prints JSON: seen, lost.
Where the kernel has `tc netem` that would do; a relay is the same everywhere and needs no rights.
"""

from __future__ import annotations

import json
import random
import selectors
import socket
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Address = tuple[str, int]

ADDRESS = "127.0.0.1"
BUFFER = 8 * 1024 * 1024
TICK = 0.001
MAX_DATAGRAM = 65535
SEED = 1
_SO_RCVBUFFORCE = 33  # asm-generic/socket.h; more than the kernel's limit, for root


@dataclass(slots=True)
class Relay:
    """Clients' datagrams go to the server at once, each client's from a socket of its own; answers wait."""

    front: socket.socket
    server: Address
    delay: float
    loss: float
    held: deque[tuple[float, bytes, Address]] = field(default_factory=deque)
    behind: dict[Address, socket.socket] = field(default_factory=dict)
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    dice: random.Random = field(default_factory=lambda: random.Random(SEED))  # noqa: S311 - the same losses each time
    seen: int = 0
    lost: int = 0

    def is_lost(self) -> bool:
        """Whether the next datagram does not arrive."""
        self.seen += 1
        if self.dice.random() >= self.loss:
            return False
        self.lost += 1
        return True

    def forward(self) -> None:
        """What clients have sent goes to the server."""
        while True:
            try:
                datagram, client = self.front.recvfrom(MAX_DATAGRAM)
            except BlockingIOError:
                return
            if not self.is_lost():
                (self.behind.get(client) or self.open_behind(client)).send(datagram)

    def open_behind(self, client: Address) -> socket.socket:
        """The socket that a client's datagrams leave from."""
        sock = _socket()
        sock.connect(self.server)
        self.behind[client] = sock
        self.selector.register(sock, selectors.EVENT_READ, client)
        return sock

    def hold(self, sock: socket.socket, client: Address) -> None:
        """Answers begin to wait."""
        due = time.monotonic() + self.delay
        while True:
            try:
                datagram = sock.recv(MAX_DATAGRAM)
            except (BlockingIOError, ConnectionRefusedError):
                return
            if not self.is_lost():
                self.held.append((due, datagram, client))

    def release(self) -> None:
        """Answers whose time has come go to their clients."""
        held, now = self.held, time.monotonic()
        while held and held[0][0] <= now:
            _, datagram, client = held.popleft()
            self.front.sendto(datagram, client)

    def run(self, until: int) -> None:
        """Until there is something to read, or an end, at a file descriptor."""
        self.selector.register(self.front, selectors.EVENT_READ)
        self.selector.register(until, selectors.EVENT_READ)
        while True:
            for key, _ in self.selector.select(TICK if self.held else None):
                if key.fd == until:
                    return
                if key.data is None:
                    self.forward()
                else:
                    self.hold(self.behind[key.data], key.data)
            self.release()


def _socket() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, BUFFER)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    sock.setblocking(False)  # noqa: FBT003 - the socket's own signature
    return sock


def main() -> None:
    """Relay until standard input ends."""
    port, server_port, delay, loss = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    with _socket() as front:
        front.bind((ADDRESS, port))
        relay = Relay(front, (ADDRESS, server_port), delay, loss)
        print("ready", flush=True)
        relay.run(sys.stdin.fileno())
    print(json.dumps({"seen": relay.seen, "lost": relay.lost}))


if __name__ == "__main__":
    main()
