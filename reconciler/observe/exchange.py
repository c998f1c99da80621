"""One question to one server: UDP with EDNS, TCP on truncation, retries; a reply that counts, or why there is none.

Each attempt has a socket of its own, connected (RFC 5452 section 4: the kernel drops what another address sends) on a
random port, and a random id. A datagram whose id or question is not ours is not an answer, and waiting goes on.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.rcode

from reconciler.state import Cause, Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

Address = tuple[str, int]

EDNS_PAYLOAD = 1232  # octets that pass nearly every path unfragmented (DNS flag day 2020; RFC 9715 section 3.2)

_MAX_DATAGRAM = 65535
_PAUSE = 0.1  # seconds before asking again a server that failed at once; times the number of failures
_SILENT_ATTEMPTS = 32

_CAUSES = {
    dns.rcode.SERVFAIL: Cause.SERVFAIL,
    dns.rcode.REFUSED: Cause.REFUSED,
    dns.rcode.NOTAUTH: Cause.NOT_AUTHORITATIVE,
}
# YXDOMAIN is the answer of a DNAME whose result would be too long (RFC 6672 section 2.2)
_ANSWERS = (dns.rcode.NOERROR, dns.rcode.NXDOMAIN, dns.rcode.YXDOMAIN)
_WITHOUT_EDNS = (dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.BADVERS)  # RFC 6891 section 7


class DnsSettings(Protocol):
    """What the settings say about asking DNS.

    `servers` are (address or host name, port) of the authoritative servers for every zone, empty: each zone's own;
    `resolvers` are (address, port), empty: the system's; `timeout` is in seconds, for one attempt.
    """

    @property
    def servers(self) -> Sequence[tuple[str, int]]:
        """The authoritative servers for every zone; empty: each zone's own."""
        ...

    @property
    def resolvers(self) -> Sequence[tuple[str, int]]:
        """The recursive resolvers; empty: the system's."""
        ...

    @property
    def timeout(self) -> float:
        """Seconds for one attempt, TCP after truncation included."""
        ...

    @property
    def attempts(self) -> int:
        """How often one question is sent to one server."""
        ...

    @property
    def in_flight(self) -> int:
        """How many attempts are under way at the same time."""
        ...


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked: an absolute name, a type as text; `recurse` sets the RD bit, `flags` others, for resolvers."""

    name: str
    type: str
    recurse: bool = False
    flags: int = 0


class ExchangeError(Exception):
    """A server gave no reply that counts; `detail` is one sentence that names the server."""

    def __init__(self, cause: Cause, detail: str) -> None:
        """Keep the cause and the sentence."""
        super().__init__(detail)
        self.cause = cause
        self.detail = detail

    @property
    def unknown(self) -> Unknown:
        """The failure as an observed value."""
        return Unknown(self.cause, self.detail)


class _UnexpectedRcodeError(ExchangeError):
    """The server may not understand EDNS; the next attempt goes without."""


def shown_address(address: Address) -> str:
    """`192.0.2.1:53`, `[2001:db8::1]:53`."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass(slots=True)
class _Silence:
    """Attempts in a row at one address that met silence; `since` and `next_probe` are times of the event loop."""

    attempts: int = 0
    since: float = 0.0
    next_probe: float = 0.0


@dataclass(slots=True)
class Exchanger:
    """Asks servers, at most `in_flight` attempts at the same time.

    An address that met nothing but silence for `attempts * timeout` seconds and many attempts is asked once in
    `timeout` seconds only, until it answers: thousands of questions to a black hole would take hours.
    """

    settings: DnsSettings
    _slots: asyncio.Semaphore = field(init=False)
    _silences: dict[Address, _Silence] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Make the slots."""
        self._slots = asyncio.Semaphore(self.settings.in_flight)

    async def ask(self, addresses: Sequence[Address], query: Query) -> dns.message.Message:
        """The reply of the server behind `addresses`, which take turns: NOERROR, NXDOMAIN or YXDOMAIN, not truncated.

        Every address gets at least one attempt. An address that cannot be reached at all does not use up an attempt
        while there is another one (no IPv6 here, as a rule).

        Raises:
            ExchangeError: no such reply; with the cause of the first failure and the details of all.

        """
        turns = deque(addresses)
        left = max(self.settings.attempts, len(turns))
        spare = len(turns) - 1
        failures: list[ExchangeError] = []
        use_edns = True
        while left > 0:
            address = turns[0]
            turns.rotate(-1)
            try:
                return await self._attempt(address, query, use_edns=use_edns)
            except ExchangeError as exc:
                failures.append(exc)
                use_edns = use_edns and not isinstance(exc, _UnexpectedRcodeError)
                if exc.cause is Cause.NETWORK and spare > 0:
                    spare -= 1
                    continue
                left -= 1
                if left and exc.cause is not Cause.TIMEOUT:
                    await asyncio.sleep(min(_PAUSE * len(failures), self.settings.timeout))
        details = dict.fromkeys(failure.detail for failure in failures)
        raise ExchangeError(failures[0].cause, "; ".join(details))

    async def _attempt(self, address: Address, query: Query, *, use_edns: bool) -> dns.message.Message:
        shown = shown_address(address)
        async with self._slots:
            self._check_silence(address)
            try:
                async with asyncio.timeout(self.settings.timeout):
                    reply = await _exchange(address, query, use_edns=use_edns)
            except TimeoutError as exc:
                self._note_silence(address)
                detail = f"{shown} did not answer within {self.settings.timeout:g} s"
                raise ExchangeError(Cause.TIMEOUT, detail) from exc
            except OSError as exc:
                detail = f"{shown} could not be asked: {exc.strerror or exc}"
                raise ExchangeError(Cause.NETWORK, detail) from exc
            self._silences.pop(address, None)
        rcode = reply.rcode()
        if rcode in _ANSWERS:
            return reply
        detail = f"{shown} answered {dns.rcode.to_text(rcode)} to {query.type} {query.name}"
        if use_edns and rcode in _WITHOUT_EDNS:
            raise _UnexpectedRcodeError(Cause.MALFORMED, detail)
        raise ExchangeError(_CAUSES.get(rcode, Cause.MALFORMED), detail)

    def _note_silence(self, address: Address) -> None:
        now = asyncio.get_running_loop().time()
        timeout = self.settings.timeout
        silence = self._silences.setdefault(address, _Silence(since=now - timeout))
        silence.attempts += 1

    def _check_silence(self, address: Address) -> None:
        silence = self._silences.get(address)
        now = asyncio.get_running_loop().time()
        patience = self.settings.attempts * self.settings.timeout
        if silence is None or silence.attempts < _SILENT_ATTEMPTS or now - silence.since < patience:
            return
        if now < silence.next_probe:
            detail = f"{shown_address(address)} has not answered any of the last {_SILENT_ATTEMPTS} queries or more"
            raise ExchangeError(Cause.TIMEOUT, detail)
        silence.next_probe = now + self.settings.timeout


async def _exchange(address: Address, query: Query, *, use_edns: bool) -> dns.message.Message:
    edns = {"use_edns": 0, "payload": EDNS_PAYLOAD} if use_edns else {"use_edns": False}
    flags = dns.flags.Flag(query.flags) | (dns.flags.RD if query.recurse else dns.flags.Flag(0))
    request = dns.message.make_query(query.name, query.type, flags=flags, **edns)
    reply = await _over_udp(address, request)
    return await _over_tcp(address, request) if reply.flags & dns.flags.TC else reply


async def _over_udp(address: Address, request: dns.message.Message) -> dns.message.Message:
    loop = asyncio.get_running_loop()
    with socket.socket(_family(address), socket.SOCK_DGRAM) as sock:
        sock.settimeout(0)
        sock.connect(address)
        await loop.sock_sendall(sock, request.to_wire())
        while True:
            reply = parsed_reply(address, request, await loop.sock_recv(sock, _MAX_DATAGRAM))
            if reply is not None:
                return reply
            # sock_recv does not suspend while datagrams are waiting: a flood of forged ones must not stop the clock
            await asyncio.sleep(0)


async def _over_tcp(address: Address, request: dns.message.Message) -> dns.message.Message:
    loop = asyncio.get_running_loop()
    with socket.socket(_family(address), socket.SOCK_STREAM) as sock:
        sock.settimeout(0)
        await loop.sock_connect(sock, address)
        await loop.sock_sendall(sock, request.to_wire(prepend_length=True))
        length = int.from_bytes(await _received(sock, 2), "big")
        wire = await _received(sock, length)
    reply = parsed_reply(address, request, wire)
    if reply is None or reply.flags & dns.flags.TC:
        detail = f"{shown_address(address)} answered over TCP with something that is no whole answer to the question"
        raise ExchangeError(Cause.MALFORMED, detail)
    return reply


async def _received(sock: socket.socket, octets: int) -> bytes:
    loop = asyncio.get_running_loop()
    received = bytearray()
    while len(received) < octets:
        part = await loop.sock_recv(sock, octets - len(received))
        if not part:
            raise ConnectionResetError("the connection was closed before the whole answer had come")
        received += part
    return bytes(received)


def parsed_reply(address: Address, request: dns.message.Message, wire: bytes) -> dns.message.Message | None:
    """The parsed reply, the head alone when truncated; None when it is not an answer to the request."""
    try:
        head = dns.message.from_wire(wire, question_only=True)
    except dns.exception.DNSException:
        return None
    if not request.is_response(head):
        return None
    if head.flags & dns.flags.TC:
        return head
    try:
        return dns.message.from_wire(wire)
    except dns.exception.DNSException as exc:
        detail = f"{shown_address(address)} sent an answer that cannot be parsed: {str(exc) or type(exc).__name__}"
        raise ExchangeError(Cause.MALFORMED, detail) from exc


def _family(address: Address) -> socket.AddressFamily:
    return socket.AF_INET6 if ipaddress.ip_address(address[0]).version == 6 else socket.AF_INET  # noqa: PLR2004
