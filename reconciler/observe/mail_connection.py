"""One TCP connection to a mail server: reply lines in, command lines out, TLS on top; every length is bounded.

Plain non-blocking sockets, as in `exchange.py`: what the server sends is read when it is wanted and counted, nothing is
read ahead, and closing takes no time, whatever the server does. TLS runs over memory buffers, so that the certificate
of a session nobody verifies can be looked at.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from reconciler.observe.tls import certificate_names

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from reconciler.observe.exchange import Address

MAX_LINE = 2048  # octets; RFC 5321 section 4.5.3.1.5 allows 512, and servers do not keep to it
MAX_LINES = 128  # of one reply
MAX_OCTETS = 64 * 1024  # of all that a server sends before TLS; then as much again, for replies
MAX_TLS_OCTETS = 256 * 1024  # on the wire during and after the handshake: chains of certificates are long

_Result = TypeVar("_Result")

_CHUNK = 16 * 1024
_MAX_SHOWN = 200
_REPLY_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)


class ClosedError(Exception):
    """The server closes or resets the connection."""


class MalformedError(Exception):
    """What the server sends is no SMTP, or more than anybody has to read; the text says what."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply (RFC 5321 section 4.2): its code and the text of each line, as sent."""

    code: int
    lines: tuple[str, ...]

    @property
    def words(self) -> str:
        """Code and text in one short line of printable ASCII."""
        text = " ".join(line for line in self.lines if line)
        return f"{self.code} {ascii(text)[1:-1]}".strip()[:_MAX_SHOWN]

    @property
    def is_positive(self) -> bool:
        """Whether the code is 2yz."""
        return self.code // 100 == 2  # noqa: PLR2004 - as the docstring says


@dataclass(frozen=True, slots=True)
class Session:
    """A TLS session: `version` as in "TLSv1.3", and the DNS names in the server's certificate."""

    version: str
    names: tuple[str, ...]


@dataclass(slots=True)
class _Tls:
    incoming: ssl.MemoryBIO
    outgoing: ssl.MemoryBIO
    session: ssl.SSLObject


@dataclass(slots=True)
class MailConnection:
    """A connection that is open."""

    _socket: socket.socket
    _buffer: bytearray = field(default_factory=bytearray)
    _octets_left: int = MAX_OCTETS
    _wire_octets_left: int = MAX_OCTETS
    _tls: _Tls | None = None

    async def reply(self) -> Reply:
        """The next reply.

        Raises:
            ClosedError: the connection ends before it.
            MalformedError: it is none.

        """
        lines: list[str] = []
        code = b""
        while len(lines) < MAX_LINES:
            line = await self._line()
            match = _REPLY_LINE.fullmatch(line)
            if match is None or (code and match[1] != code):
                shown = ascii(line[:_MAX_SHOWN])[2:-1]
                message = f'it sends "{shown}", which is no SMTP reply'
                raise MalformedError(message)
            code = match[1]
            lines.append((match[3] or b"").decode("latin-1"))
            if match[2] != b"-":
                return Reply(int(code), tuple(lines))
        message = f"a reply has more than {MAX_LINES} lines"
        raise MalformedError(message)

    async def ask(self, command: str) -> Reply:
        """The reply to a command."""
        await self._send(command.encode("ascii") + b"\r\n")
        return await self.reply()

    async def start_tls(self, context: ssl.SSLContext, server_name: str) -> Session:
        """Begin TLS, after the server has agreed to it.

        Raises:
            ssl.SSLError: there is no session, or the context does not accept the certificate.
            ClosedError: the connection ends before there is one.
            MalformedError: the server has sent more than its agreement (RFC 3207 section 4.2).

        """
        if self._buffer:
            raise MalformedError("it sends more than its reply to STARTTLS before TLS begins")
        self._octets_left, self._wire_octets_left = MAX_OCTETS, MAX_TLS_OCTETS
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = context.wrap_bio(incoming, outgoing, server_hostname=server_name)
        tls = _Tls(incoming, outgoing, session)
        await self._through(tls, session.do_handshake)
        self._tls = tls
        der = session.getpeercert(binary_form=True) or b""
        return Session(session.version() or "", certificate_names(der))

    async def _line(self) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > MAX_LINE:
                break
            self._buffer += await self._received()
        if not 0 <= end <= MAX_LINE:
            message = f"a line is longer than {MAX_LINE} octets"
            raise MalformedError(message)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line.removesuffix(b"\r")

    async def _received(self) -> bytes:
        if self._octets_left <= 0:
            message = f"it sends more than {MAX_OCTETS} octets"
            raise MalformedError(message)
        tls = self._tls
        if tls is None:
            octets = await self._from_wire()
        else:
            try:
                octets = await self._through(tls, lambda: tls.session.read(_CHUNK))
            except ssl.SSLError as exc:  # an end without notice, an alert, or what is no TLS any more
                raise ClosedError from exc
            if not octets:
                raise ClosedError
        self._octets_left -= len(octets)
        return octets

    async def _send(self, octets: bytes) -> None:
        if self._tls is not None:
            self._tls.session.write(octets)
            octets = self._tls.outgoing.read()
        await self._to_wire(octets)

    async def _through(self, tls: _Tls, step: Callable[[], _Result]) -> _Result:
        """The result of a step of a session, which may have to wait for the server."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                await self._to_wire(tls.outgoing.read())
                tls.incoming.write(await self._from_wire())
            except ssl.SSLError:
                with suppress(ClosedError):  # the alert is a courtesy
                    await self._to_wire(tls.outgoing.read())
                raise
            else:
                await self._to_wire(tls.outgoing.read())
                return result

    async def _from_wire(self) -> bytes:
        if self._wire_octets_left <= 0:
            message = f"it sends more than {MAX_TLS_OCTETS} octets"
            raise MalformedError(message)
        try:
            octets = await asyncio.get_running_loop().sock_recv(self._socket, _CHUNK)
        except OSError as exc:
            raise ClosedError from exc
        if not octets:
            raise ClosedError
        self._wire_octets_left -= len(octets)
        # sock_recv does not suspend while octets are waiting: a flood of them must not stop the clock
        await asyncio.sleep(0)
        return octets

    async def _to_wire(self, octets: bytes) -> None:
        try:
            await asyncio.get_running_loop().sock_sendall(self._socket, octets)
        except OSError as exc:
            raise ClosedError from exc


@asynccontextmanager
async def connected(address: Address) -> AsyncIterator[MailConnection]:
    """A connection to `address`, closed at the end.

    Raises:
        OSError: there is none.

    """
    family = socket.AF_INET6 if ipaddress.ip_address(address[0]).version == 6 else socket.AF_INET  # noqa: PLR2004
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(0)
        await asyncio.get_running_loop().sock_connect(sock, address)
        yield MailConnection(sock)
