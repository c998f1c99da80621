"""The sockets of all addresses: opened on random ports, drained as datagrams come, closed when they are idle.

What nearly all datagrams are, the plain answer to what was asked from here, is read on the spot and handed on together
with the others that lie there; one by one they cost more than they say.
"""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import struct
import sys
from functools import lru_cache
from typing import TYPE_CHECKING

from reconciler.observe.peer import Port
from reconciler.observe.reply import read_plain_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from reconciler.observe.inquiry import Inquiry
    from reconciler.observe.peer import Peer
    from reconciler.observe.reply import Reply

    Answered = list[tuple[Inquiry, Reply]]

_PORTS = 32  # to one address: five bits more for a forger to guess
_MAX_SOCKETS = 512  # beyond, or beyond half the files that the process may open, an address shares those it has
_NO_FILE_LEFT = (errno.EMFILE, errno.ENFILE)
_DATAGRAMS = 64  # taken from one socket before others have their turn: a flood must not stop the clock
_LATE_DATAGRAMS = 1024  # looked through before an attempt's time is over: what lies in the buffer has come in time
_MAX_DATAGRAM = 65535
_RANDOM_OCTETS = 1 << 15
_PORT_NUMBERS = bytes(octet % _PORTS for octet in range(256))  # of each random octet


@lru_cache(maxsize=256)
def _pairs(count: int) -> Callable[[bytes], tuple[bytes, ...]]:
    """What cuts so many pairs of octets from each other."""
    return struct.Struct("2s" * count).unpack


def _most_files() -> int:
    """How many files the process may have open: 256 or 1024, as a rule. Others need some of them, too."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


class Ports:
    """Open sockets, and who is called with what comes to them.

    `answered` with a port and the inquiries that it no longer has pending, each with its plain answer; `received` with
    whatever else comes with the id of a pending inquiry; `broken` with errors.
    """

    def __init__(
        self,
        answered: Callable[[Port, Answered], None],
        received: Callable[[Inquiry, bytes], None],
        broken: Callable[[Port, OSError], None],
    ) -> None:
        """Prepare; nothing is opened yet."""
        self._answered = answered
        self._received = received
        self._broken = broken
        self._open: dict[Peer, None] = {}
        self._sockets = 0
        self._files = _most_files()
        self._random = b""
        self._drawn = 0

    def randomness(self, octets: int) -> bytes:
        """So many octets that nobody can guess; the kernel is asked for many at a time."""
        begin, self._drawn = self._drawn, self._drawn + octets
        if self._drawn > len(self._random):
            self._random = os.urandom(max(_RANDOM_OCTETS, octets))
            begin, self._drawn = 0, octets
        return self._random[begin : self._drawn]

    def drawn(self, count: int) -> tuple[Sequence[bytes], Iterable[int]]:
        """So many random ids, and as many numbers of random ports to an address."""
        return _pairs(count)(self.randomness(2 * count)), self.randomness(count).translate(_PORT_NUMBERS)

    def free_identity(self, port: Port) -> bytes:
        """A random id that no inquiry has which is pending at the port."""
        while (identity := self.randomness(2)) in port.pending:
            pass
        return identity

    def open(self, peer: Peer, number: int) -> Port:
        """The port of this number, which is not open yet; where there are enough, another one.

        Raises:
            BlockingIOError: there are too many sockets to other addresses, some of which will be closed.
            OSError: no socket can be opened to the address.

        """
        if peer.ports and self._sockets >= min(_MAX_SOCKETS, self._files // 2):
            return list(peer.ports.values())[number % len(peer.ports)]
        if self._sockets >= self._files * 3 // 4:
            raise BlockingIOError
        try:
            port = peer.ports[number] = Port(peer)
        except OSError as exc:
            if exc.errno in _NO_FILE_LEFT and self._sockets:
                raise BlockingIOError from exc
            raise
        self._open[peer] = None
        self._sockets += 1
        asyncio.get_running_loop().add_reader(port.sock.fileno(), self._drain, port, _DATAGRAMS)
        return port

    def overdue(self, now: float) -> list[Inquiry]:
        """The inquiries whose time is over, after a last look at what has come for them."""
        return [
            inquiry
            for peer in self._open
            for port in tuple(peer.ports.values())
            for inquiry in self._overdue(port, now)
        ]

    def close_idle(self) -> None:
        """Closes the sockets of addresses without an attempt under way."""
        loop = asyncio.get_running_loop()
        for peer in tuple(self._open):
            if peer.under_way or peer.waiting:
                continue
            del self._open[peer]
            for port in peer.forget_ports():
                self._sockets -= 1
                loop.remove_reader(port.sock.fileno())
                port.sock.close()

    def _overdue(self, port: Port, now: float) -> Iterator[Inquiry]:
        oldest = next(iter(port.pending.values()), None)  # they have all the same time, so it is the first to run out
        if oldest is None or oldest.deadline > now:
            return
        self._drain(port, _LATE_DATAGRAMS)
        for inquiry in tuple(port.pending.values()):
            if inquiry.deadline > now:
                break
            yield inquiry

    def _drain(self, port: Port, datagrams: int) -> None:
        receive, pending = port.receive, port.pending
        answered: Answered = []
        try:
            for _ in range(datagrams):
                wire = receive(_MAX_DATAGRAM)
                identity = wire[:2]
                inquiry = pending.get(identity)
                if inquiry is None:
                    continue
                reply = read_plain_reply(wire, inquiry)
                if reply is None:
                    self._received(inquiry, wire)
                else:
                    del pending[identity]
                    answered.append((inquiry, reply))
                if not pending:
                    break  # nothing more is awaited; whatever comes nevertheless wakes us again
        except BlockingIOError:
            pass
        except OSError as exc:
            self._broken(port, exc)
        finally:
            if answered:
                self._answered(port, answered)
