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
from reconciler.observe.reply import Reply, is_answer_but_for_case, is_answer_to, read_message
from reconciler.observe.tcp import begin_over_tcp
from reconciler.observe.wire import TC, mixed_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.observe.inquiry import Inquiry
    from reconciler.observe.politeness import Allowance
    from reconciler.observe.ports import Answered

_TICK = 0.02  # seconds; all time-outs, and those who wait for tokens, or for a socket
_KEPT_PEERS = 4096  # addresses that are known; beyond, those are forgotten of which nothing would be missed


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
    """Attempts under way, and those that wait.

    `answered` is called with inquiries that have ended and the reply of each, `failed` with one whose attempt has come
    to nothing; neither with one that was withdrawn. Places that become free are given away once in a turn of the event
    loop, for all that has come in it.
    """

    pace: Pace
    answered: Callable[[Answered], None]
    failed: Callable[[Inquiry, ExchangeError], None]
    _begun: list[Inquiry] = field(default_factory=list)  # in this turn
    _peers: dict[Address, Peer] = field(default_factory=dict)
    _most_peers: int = _KEPT_PEERS
    _hungry: dict[Peer, None] = field(default_factory=dict)  # with inquiries that wait for a place
    _thirsty: dict[Peer, None] = field(default_factory=dict)  # with inquiries that wait for the next tick
    _between: dict[Inquiry, None] = field(default_factory=dict)  # two attempts, or before a failure is told
    _under_way: int = 0
    _ports: Ports = field(init=False)
    _tick: asyncio.TimerHandle | None = None
    _next_turn: asyncio.Handle | None = None

    def __post_init__(self) -> None:
        """Prepare; no socket is opened yet."""
        self._ports = Ports(self._answered, self._received, self._broken)

    def begin(self, inquiry: Inquiry) -> None:
        """Asks the address whose turn it is, as soon as there is a place."""
        self._begun.append(inquiry)
        if self._next_turn is None:
            self._next_turn = asyncio.get_running_loop().call_soon(self._pump)

    def begin_later(self, inquiry: Inquiry, delay: float) -> None:
        """The same in so many seconds."""
        self._between[inquiry] = None
        asyncio.get_running_loop().call_later(delay, self._begin_again, inquiry)

    def withdraw(self, inquiry: Inquiry) -> None:
        """Takes the attempt under way, if any, from its place, and lets another one have it in the next turn."""
        port = inquiry.port
        if port is not None:
            del port.pending[inquiry.identity]
            self._have_left(port, (inquiry,))

    def rest(self) -> None:
        """Nothing is under way: every socket is closed, and the tick stops."""
        for handle in (self._tick, self._next_turn):
            if handle is not None:
                handle.cancel()
        self._tick = self._next_turn = None
        self._begun.clear()
        for peer in (*self._hungry, *self._thirsty):
            peer.waiting.clear()
        self._hungry.clear()
        self._thirsty.clear()
        self._ports.close_idle()

    def stop(self) -> None:
        """Gives up whatever is under way or waits, and rests: nothing is begun or told any more."""
        for peer in self._peers.values():
            under_way = [inquiry for port in peer.ports.values() for inquiry in port.pending.values()]
            for inquiry in (*under_way, *peer.waiting):
                inquiry.is_over = True
                self.withdraw(inquiry)
            peer.waiting.clear()
        for inquiry in (*self._begun, *self._between):
            inquiry.is_over = True
        self._between.clear()
        self.rest()

    def _begin_again(self, inquiry: Inquiry) -> None:
        self._between.pop(inquiry, None)
        if not inquiry.is_over:
            self.begin(inquiry)

    def _new_peer(self, address: Address, now: float) -> Peer:
        if len(self._peers) >= self._most_peers:
            for each in [each for each, peer in self._peers.items() if peer.is_as_new(now)]:
                del self._peers[each]
            self._most_peers = max(_KEPT_PEERS, 2 * len(self._peers))
        pace = self.pace
        window, rate = (pace.window, pace.rate) if pace.allowance is None else pace.allowance(address)
        peer = Peer(address, min(window, pace.in_flight), rate, pace.timeout, pace.attempts * pace.timeout)
        self._peers[address] = peer
        return peer

    def _pump(self) -> None:
        """Sends what waits, as far as there are places; an address that gets none of them is the first next time."""
        loop = asyncio.get_running_loop()
        self._next_turn = None
        now = loop.time()
        if self._tick is None:
            self._tick = loop.call_later(_TICK, self._on_tick)
        self._line_up(now)
        for peer in tuple(self._hungry):
            if self._under_way >= self.pace.in_flight:
                return
            del self._hungry[peer]
            self._send(peer, now)

    def _line_up(self, now: float) -> None:
        """Lets everything that was begun wait at its address."""
        begun, self._begun = self._begun, []
        peers, hungry, thirsty = self._peers, self._hungry, self._thirsty
        for inquiry in begun:
            peer = peers.get(inquiry.address) or self._new_peer(inquiry.address, now)
            peer.waiting.append(inquiry)
            if peer not in thirsty:
                hungry[peer] = None

    def _send(self, peer: Peer, now: float) -> None:
        """Sends what waits at an address."""
        while peer.waiting:
            if peer.under_way >= peer.window:
                return  # hungry again when it has a place
            places = min(peer.window - peer.under_way, self.pace.in_flight - self._under_way)
            if not places:
                self._hungry[peer] = None
                return
            taken = peer.take(places, now)
            if len(taken) > self._sent(peer, taken, now) or (peer.waiting and not taken):
                self._thirsty[peer] = None
                return

    def _sent(self, peer: Peer, inquiries: Sequence[Inquiry], now: float) -> int:
        """How many of them are under way, or have failed already; the others where no socket has room."""
        refused = peer.refused(now) if peer.is_doubtful else None
        if refused is not None:
            peer.return_tokens(len(inquiries))
            for inquiry in inquiries:
                self._fail_soon(inquiry, refused)
            return len(inquiries)
        names = [inquiry.name[0] for inquiry in inquiries]
        names = mixed_names(names, self._ports.randomness(sum(map(len, names))))
        deadline, folds_case, ports = now + self.pace.timeout, peer.folds_case, peer.ports
        begun, ended = 0, len(inquiries)
        for inquiry, name, drawn, number in zip(inquiries, names, *self._ports.drawn(ended), strict=True):
            port = ports.get(number)
            try:
                if port is None:
                    port = self._ports.open(peer, number)
                identity = drawn if drawn not in port.pending else self._ports.free_identity(port)
                packet = inquiry.pack(identity, name)
                if not folds_case:
                    port.send(packet)
            except BlockingIOError:
                ended = inquiries.index(inquiry)
                peer.take_back(inquiries[ended:])
                break
            except OSError as exc:
                if port is not None:
                    # it may be what became of an earlier datagram from this port, which will not be told again
                    asyncio.get_running_loop().call_soon(self._broken, port, exc)
                self._fail_soon(inquiry, unreachable(peer.address, exc))
                continue
            inquiry.deadline, inquiry.port = deadline, port
            port.pending[identity] = inquiry
            begun += 1
            if folds_case:
                self._go_to_tcp(inquiry)
        peer.under_way += begun
        self._under_way += begun
        return ended

    def _have_left(self, port: Port, inquiries: Sequence[Inquiry]) -> None:
        """They are pending at the port no longer."""
        for inquiry in inquiries:
            inquiry.port = None
            if inquiry.task is not None:
                inquiry.task.cancel()
                inquiry.task = None
        peer, count = port.peer, len(inquiries)
        peer.under_way -= count
        self._under_way -= count
        if peer.waiting and peer not in self._thirsty:
            self._hungry[peer] = None
        if self._hungry and self._next_turn is None:
            self._next_turn = asyncio.get_running_loop().call_soon(self._pump)

    def _answered(self, port: Port, answered: Answered) -> None:
        """Plain answers have come to a port; they have an rcode that counts."""
        port.peer.note_answer()
        self._have_left(port, [inquiry for inquiry, _ in answered])
        self.answered(answered)

    def _received(self, inquiry: Inquiry, wire: bytes) -> None:
        """Another datagram with the id of an inquiry has come to its port."""
        if not is_answer_to(wire, inquiry.sent):
            inquiry.has_other_case = inquiry.has_other_case or is_answer_but_for_case(wire, inquiry.sent)
        elif (wire[2] << 8) & TC:
            self._go_to_tcp(inquiry)
        else:
            try:
                reply = read_message(inquiry.address, wire, inquiry.question)
            except ExchangeError as exc:
                self._failed(inquiry, exc)
            else:
                self._replied(inquiry, reply)

    def _replied(self, inquiry: Inquiry, reply: Reply) -> None:
        self._peers[inquiry.address].note_answer()
        failure = rcode_failure(inquiry.address, reply.rcode, inquiry.query, use_edns=inquiry.use_edns)
        if failure is None:
            self.withdraw(inquiry)
            self.answered([(inquiry, reply)])
        else:
            self._failed(inquiry, failure)

    def _go_to_tcp(self, inquiry: Inquiry) -> None:
        """Asks again over TCP, within the time of the attempt, which keeps its place."""
        if inquiry.task is None:
            begin_over_tcp(inquiry, self._has_come_over_tcp)

    def _has_come_over_tcp(self, inquiry: Inquiry, result: Reply | ExchangeError) -> None:
        if isinstance(result, ExchangeError):
            self._failed(inquiry, result)
        else:
            self._replied(inquiry, result)

    def _broken(self, port: Port, error: OSError) -> None:
        """The network refused what was sent from a port: an ICMP message, as a rule."""
        for inquiry in tuple(port.pending.values()):
            if inquiry.task is None:
                self._failed(inquiry, unreachable(port.peer.address, error))

    def _fail_soon(self, inquiry: Inquiry, failure: ExchangeError) -> None:
        self._between[inquiry] = None
        asyncio.get_running_loop().call_soon(self._failed, inquiry, failure)

    def _failed(self, inquiry: Inquiry, failure: ExchangeError) -> None:
        self._between.pop(inquiry, None)
        if not inquiry.is_over:
            self.withdraw(inquiry)
            self.failed(inquiry, failure)

    def _on_tick(self) -> None:
        loop = asyncio.get_running_loop()
        self._tick = loop.call_later(_TICK, self._on_tick)
        now = loop.time()
        for inquiry in self._ports.overdue(now):
            self._expired(inquiry, now)
        self._ports.close_idle()
        self._hungry |= self._thirsty
        self._thirsty.clear()
        self._pump()

    def _expired(self, inquiry: Inquiry, now: float) -> None:
        peer = self._peers[inquiry.address]
        if inquiry.has_other_case:
            peer.folds_case = True
        else:
            peer.note_silence(now)
        self._failed(inquiry, timed_out(peer.address, self.pace.timeout))
