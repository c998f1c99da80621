"""One server address as the engine sees it: its sockets, its window, its tokens, and whether it has fallen silent."""

from __future__ import annotations

import socket
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.observe.asking import Address, ExchangeError, family, shown_address
from reconciler.observe.politeness import BURST_SECONDS
from reconciler.state import Cause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.observe.inquiry import Inquiry

_RECEIVE_BUFFER = 1 << 20  # octets; the kernel's default drops answers at 200 in flight
_SILENT_ATTEMPTS = 32


class Port:
    """A connected socket: the kernel drops what another address sends (RFC 5452 section 4)."""

    __slots__ = ("peer", "pending", "receive", "send", "sock")

    def __init__(self, peer: Peer) -> None:
        """Open the socket.

        Raises:
            OSError: there is no way to the address, or no socket left.

        """
        self.peer = peer
        self.pending: dict[bytes, Inquiry] = {}  # by id, the oldest first
        self.sock = socket.socket(family(peer.address[0]), socket.SOCK_DGRAM)
        try:
            self.sock.setblocking(False)  # noqa: FBT003 - the socket's own signature
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            self.sock.connect(peer.address)
        except OSError:
            self.sock.close()
            raise
        self.send, self.receive = self.sock.send, self.sock.recv


@dataclass(slots=True, eq=False)
class Peer:
    """An address, `window` attempts at a time and `rate` of them a second (0: any number).

    An address that met nothing but silence for `patience` seconds and many attempts is asked once in `timeout` seconds
    only, until it answers: thousands of questions to a black hole would take hours.
    """

    address: Address
    window: int
    rate: float
    timeout: float
    patience: float
    waiting: deque[Inquiry] = field(default_factory=deque)
    under_way: int = 0
    folds_case: bool = False
    ports: dict[int, Port] = field(default_factory=dict)
    _tokens: float = 0.0
    _refilled: float = 0.0
    _silent_attempts: int = 0
    _silent_since: float = 0.0
    _next_probe: float = 0.0

    def is_as_new(self, now: float) -> bool:
        """Whether nothing is under way, and nothing known of it that would be missed."""
        is_idle = not (self.under_way or self.waiting or self.ports or self.folds_case)
        is_full = not self.rate or (now - self._refilled) * self.rate >= self._most_tokens
        is_alive = not self.is_doubtful and (not self._silent_attempts or now - self._silent_since > self.patience)
        return is_idle and is_full and is_alive

    def forget_ports(self) -> list[Port]:
        """The ports, for the engine to close; the next attempt opens others."""
        ports = list(self.ports.values())
        self.ports.clear()
        return ports

    def take(self, most: int, now: float) -> list[Inquiry]:
        """At most so many of those that wait, and as many as the rate allows now; one where the address is doubtful."""
        waiting = self.waiting
        while waiting and waiting[0].is_over:
            waiting.popleft()
        granted = self.take_tokens(min(1 if self.is_doubtful else most, len(waiting)), now)
        taken = [inquiry for inquiry in [waiting.popleft() for _ in range(granted)] if not inquiry.is_over]
        self.return_tokens(granted - len(taken))
        return taken

    def take_tokens(self, most: int, now: float) -> int:
        """How many attempts, at most so many, the rate allows now."""
        if not self.rate:
            return most
        self._tokens = min(self._most_tokens, self._tokens + (now - self._refilled) * self.rate)
        self._refilled = now
        granted = min(most, int(self._tokens))
        self._tokens -= granted
        return granted

    @property
    def _most_tokens(self) -> float:
        return max(self.rate * BURST_SECONDS, 1.0)

    def take_back(self, inquiries: Sequence[Inquiry]) -> None:
        """Those that were taken and not sent are the first again."""
        self.waiting.extendleft(reversed(inquiries))
        self.return_tokens(len(inquiries))

    def return_tokens(self, unused: int) -> None:
        """For so many attempts nothing was sent."""
        self._tokens += unused

    @property
    def is_doubtful(self) -> bool:
        """Whether it has been silent for so many attempts that it may be `refused`."""
        return self._silent_attempts >= _SILENT_ATTEMPTS

    def note_answer(self) -> None:
        """It is alive."""
        self._silent_attempts = 0

    def note_silence(self, now: float) -> None:
        """An attempt met silence until `now`."""
        if not self._silent_attempts:
            self._silent_since = now - self.timeout
        self._silent_attempts += 1

    def refused(self, now: float) -> ExchangeError | None:
        """Why it is not worth an attempt now; None: this one is made, and the next one not before `timeout`."""
        if not self.is_doubtful or now - self._silent_since < self.patience:
            return None
        if now < self._next_probe:
            shown = shown_address(self.address)
            detail = f"{shown} has not answered any of the last {_SILENT_ATTEMPTS} queries or more"
            return ExchangeError(Cause.TIMEOUT, detail)
        self._next_probe = now + self.timeout
        return None
