"""One attempt at one address: it waits for a place, is sent, and ends by an answer, an error, or its time being over.

Places are `in_flight` over all, and a window and a token bucket for each address. One tick looks after all times.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.observe.asking import Address, ExchangeError, rcode_failure, timed_out, unreachable
from reconciler.observe.peer import Peer, Port
from reconciler.observe.ports import Ports
from reconciler.observe.reply import Reply, is_answer_but_for_case, is_answer_to, read_reply
from reconciler.observe.tcp import ask_over_tcp
from reconciler.observe.wire import RD, TC, mixed_case, packed_query

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.observe.inquiry import Inquiry
    from reconciler.observe.politeness import Allowance

_TICK = 0.02  # seconds; all time-outs, and those who wait for tokens


@dataclass(frozen=True, slots=True)
class Pace:
    """How questions are asked: `timeout` in seconds for one attempt, `rate` in attempts a second at one address.

    `in_flight` attempts are under way at the same time, `window` of them at one address. Where there is an `allowance`,
    it says both of each address instead.
    """

    timeout: float = 2.0
    attempts: int = 3
    in_flight: int = 200
    window: int = 200
    rate: float = 0.0
    allowance: Callable[[Address], Allowance] | None = None


@dataclass(slots=True)
class Attempts:
    """Attempts under way, and those that wait; `ended` is called when one has ended, unless it was withdrawn."""

    pace: Pace
    ended: Callable[[Inquiry, Reply | ExchangeError], None]
    _peers: dict[Address, Peer] = field(default_factory=dict)
    _hungry: dict[Peer, None] = field(default_factory=dict)  # with inquiries that wait for a place
    _under_way: int = 0
    _ports: Ports = field(init=False)
    _tick: asyncio.TimerHandle | None = None

    def __post_init__(self) -> None:
        """Prepare; no socket is opened yet."""
        self._ports = Ports(self._received, self._broken)

    def begin(self, inquiry: Inquiry) -> None:
        """Asks the address whose turn it is, as soon as there is a place."""
        if inquiry.is_over:
            return
        if self._tick is None:
            self._tick = asyncio.get_running_loop().call_later(_TICK, self._on_tick)
        peer = self._peer(inquiry.address)
        peer.waiting.append(inquiry)
        self._pump(peer)

    def withdraw(self, inquiry: Inquiry) -> None:
        """Nobody waits for it any longer."""
        self._leave(inquiry)

    def rest(self) -> None:
        """Nothing is under way: every socket is closed, and the tick stops."""
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        for peer in self._hungry:
            peer.waiting.clear()
        self._hungry.clear()
        self._ports.close_idle()

    def _peer(self, address: Address) -> Peer:
        peer = self._peers.get(address)
        if peer is None:
            pace = self.pace
            window, rate = (pace.window, pace.rate) if pace.allowance is None else pace.allowance(address)
            peer = Peer(address, min(window, pace.in_flight), rate, pace.timeout, pace.attempts * pace.timeout)
            self._peers[address] = peer
        return peer

    def _pump(self, peer: Peer) -> None:
        """Sends what waits at an address, as far as there are places."""
        waiting = peer.waiting
        now = asyncio.get_running_loop().time()
        while waiting and self._under_way < self.pace.in_flight and peer.under_way < peer.window:
            inquiry = waiting[0]
            if inquiry.is_over or (peer.take_token(now) and self._is_sent(peer, inquiry, now)):
                waiting.popleft()
            else:
                break
        if waiting:
            self._hungry[peer] = None
        else:
            self._hungry.pop(peer, None)

    def _is_sent(self, peer: Peer, inquiry: Inquiry, now: float) -> bool:
        """Whether the attempt is under way, or has failed already; not where the socket's buffer is full."""
        loop = asyncio.get_running_loop()
        silence = peer.silence(now)
        if silence is not None:
            loop.call_soon(self._failed, inquiry, silence)
            return True
        query, question = inquiry.query, inquiry.question
        flags = query.flags | RD if query.recurse else query.flags
        inquiry.deadline = now + self.pace.timeout
        inquiry.has_other_case = False
        try:
            identity, port = self._ports.place(peer)
        except OSError as exc:
            loop.call_soon(self._failed, inquiry, unreachable(peer.address, exc))
            return True
        try:
            inquiry.sent = mixed_case(question, self._ports.randomness(len(question)))
            inquiry.packed = packed_query(identity, inquiry.sent, flags, use_edns=inquiry.use_edns)
            if not peer.folds_case:
                port.sock.send(inquiry.packed)
        except BlockingIOError:
            return False
        except OSError as exc:
            # it may be what became of an earlier datagram from this port, which will not be told again
            loop.call_soon(self._broken, port, exc)
            loop.call_soon(self._failed, inquiry, unreachable(peer.address, exc))
            return True
        port.pending[identity] = inquiry
        inquiry.port = port
        peer.under_way += 1
        self._under_way += 1
        if peer.folds_case:
            self._go_to_tcp(inquiry)
        return True

    def _leave(self, inquiry: Inquiry) -> None:
        """Takes the attempt under way, if any, from its place, and lets the next one have it."""
        port = inquiry.port
        if port is None:
            return
        inquiry.port = None
        if inquiry.task is not None:
            inquiry.task.cancel()
            inquiry.task = None
        port.pending.pop(inquiry.packed[:2], None)
        peer = port.peer
        peer.under_way -= 1
        self._under_way -= 1
        if peer.waiting:
            self._pump(peer)
        elif self._hungry:
            first = next(iter(self._hungry))
            del self._hungry[first]  # its next turn is after the others'
            self._pump(first)

    def _received(self, inquiry: Inquiry, wire: bytes) -> None:
        """A datagram with the id of an inquiry has come to its port."""
        if not is_answer_to(wire, inquiry.sent):
            inquiry.has_other_case = inquiry.has_other_case or is_answer_but_for_case(wire, inquiry.sent)
        elif (wire[2] << 8) & TC:
            self._go_to_tcp(inquiry)
        else:
            try:
                self._answered(inquiry, read_reply(inquiry.address, wire, inquiry.question))
            except ExchangeError as exc:
                self._failed(inquiry, exc)

    def _answered(self, inquiry: Inquiry, reply: Reply) -> None:
        address = inquiry.address
        self._peers[address].note_answer()
        failure = None
        if reply.plain is None:  # a plain one has an rcode that counts
            failure = rcode_failure(address, reply.rcode, inquiry.query, use_edns=inquiry.use_edns)
        self._leave(inquiry)
        self.ended(inquiry, failure or reply)

    def _go_to_tcp(self, inquiry: Inquiry) -> None:
        """Asks again over TCP, within the time of the attempt, which keeps its place."""
        if inquiry.task is None:
            asking = ask_over_tcp(inquiry.address, inquiry.packed, inquiry.sent)
            inquiry.task = asyncio.get_running_loop().create_task(asking)
            inquiry.task.add_done_callback(lambda task: self._has_come_over_tcp(inquiry, task))

    def _has_come_over_tcp(self, inquiry: Inquiry, task: asyncio.Task[Reply]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if inquiry.task is not task:
            return
        inquiry.task = None
        if error is None:
            self._answered(inquiry, task.result())
        elif isinstance(error, ExchangeError):
            self._failed(inquiry, error)
        elif isinstance(error, OSError):
            self._failed(inquiry, unreachable(inquiry.address, error))
        else:
            raise error

    def _broken(self, port: Port, error: OSError) -> None:
        """The network refused what was sent from a port: an ICMP message, as a rule."""
        for inquiry in tuple(port.pending.values()):
            if inquiry.task is None:
                self._failed(inquiry, unreachable(port.peer.address, error))

    def _failed(self, inquiry: Inquiry, failure: ExchangeError) -> None:
        if not inquiry.is_over:
            self._leave(inquiry)
            self.ended(inquiry, failure)

    def _on_tick(self) -> None:
        loop = asyncio.get_running_loop()
        self._tick = loop.call_later(_TICK, self._on_tick)
        now = loop.time()
        for inquiry in self._ports.overdue(now):
            self._expired(inquiry, now)
        self._ports.close_idle()
        for peer in tuple(self._hungry):
            self._pump(peer)

    def _expired(self, inquiry: Inquiry, now: float) -> None:
        peer = self._peer(inquiry.address)
        if inquiry.has_other_case:
            peer.folds_case = True
        else:
            peer.note_silence(now)
        self._failed(inquiry, timed_out(peer.address, self.pace.timeout))
