"""What one mail server says: greeting, EHLO with SIZE and STARTTLS, TLS, EHLO again, QUIT. Never MAIL.

A server whose certificate is good sees one connection. Otherwise it sees up to three, each trying less: verified with
OpenSSL's defaults, verified with whatever OpenSSL still knows, not verified at all. Verification is OpenSSL's own, in
the handshake, because that is what senders' servers do too; a handshake that fails on it tells nothing else, hence the
next one, to see the version and the names.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from reconciler.names import Name, display_name
from reconciler.observe.exchange import shown_address
from reconciler.observe.mail_connection import ClosedError, MalformedError, connected
from reconciler.observe.tls import tls_problem
from reconciler.state import Cause, Unknown
from reconciler.surroundings import SmtpRefusal, SmtpSight, TlsSight

if TYPE_CHECKING:
    from reconciler.observe.exchange import Address
    from reconciler.observe.mail_connection import MailConnection, Reply, Session
    from reconciler.observe.tls import TlsContexts
    from reconciler.surroundings import Smtp

_TLS_SESSION = "TLS session"
_QUIT_SECONDS = 1.0
_MAX_SIZE_DIGITS = 20  # RFC 1870 section 4
_UNKNOWN_COMMAND = (500, 502)  # of a server from before EHLO (RFC 5321 section 3.2)
_READY = 220


class Reach(Enum):
    """How far a connection got: what tells a closed port here from a server's own answer."""

    CONNECTED = "connected"
    REFUSED = "refused"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one address said, and how far the connection got.

    `is_silence` where the time ran out before TLS, where a server does not know yet which host is looked at.
    """

    smtp: Smtp
    reach: Reach
    is_silence: bool = False


class _RefusedError(Exception):
    """The server is there and does not talk."""


class _Fault(Enum):
    """What stands in the way of a TLS session: its certificate alone, the handshake, or no will to begin one."""

    CERTIFICATE = "certificate"
    HANDSHAKE = "handshake"
    REFUSAL = "refusal"


class _NoTlsError(Exception):
    """There is no session; the text says why."""

    def __init__(self, fault: _Fault, problem: str) -> None:
        super().__init__(problem)
        self.fault = fault


@dataclass(slots=True)
class MailServerProbe:
    """Probes one address of the host `host`, as `helo`; the stage is for whoever ends it."""

    host: Name
    address: Address
    helo: str
    contexts: TlsContexts
    reach: Reach = Reach.SILENT
    stage: str = "connection"
    seen: SmtpSight | None = None

    async def run(self, seconds: float) -> Outcome:
        """What the server says within `seconds`."""
        shown = shown_address(self.address)
        is_silence = False
        smtp: Smtp
        try:
            async with asyncio.timeout(seconds):
                smtp = await self._sight()
        except TimeoutError:
            # what it said is known, even if it was too slow with the rest
            smtp = self.seen or Unknown(Cause.TIMEOUT, f"{shown}: no {self.stage} within {seconds:.3g} s")
            is_silence = self.seen is None and self.stage != _TLS_SESSION
        except ConnectionRefusedError:
            self.reach = Reach.REFUSED
            smtp = SmtpRefusal(f"{shown} refuses the connection")
        except ConnectionResetError:  # it was there before we knew that we were connected
            self.reach = Reach.CONNECTED
            smtp = SmtpRefusal(f"{shown} closes the connection: no greeting")
        except OSError as exc:
            smtp = Unknown(Cause.NETWORK, f"{shown} could not be reached: {exc.strerror or exc}")
        except ClosedError:
            smtp = SmtpRefusal(f"{shown} closes the connection: no {self.stage}")
        except _RefusedError as exc:
            smtp = SmtpRefusal(f"{shown} answers: {exc}")
        except MalformedError as exc:
            smtp = Unknown(Cause.MALFORMED, f"{shown}: {exc}")
        return Outcome(smtp, self.reach, is_silence)

    async def _sight(self) -> SmtpSight:
        """The server as the first TLS session of up to three connections shows it."""
        context: ssl.SSLContext | None = self.contexts.good
        first, failure, problem = None, None, ""
        while context is not None:
            try:
                sight, failure = await self._visit(context, problem)
            except (ClosedError, MalformedError, _RefusedError, OSError) as exc:
                if first is None or failure is None:
                    raise
                why = f"{failure}; it was connected to again, to see more, and in vain: {str(exc) or 'it closes'}"
                return replace(first, tls_problem=why)
            first = first or sight
            if failure is None:
                return sight
            if failure.fault is _Fault.CERTIFICATE:
                problem = str(failure)
            context = self._next_context(context, failure)
        return replace(sight, tls_problem=str(failure))

    def _next_context(self, context: ssl.SSLContext, failure: _NoTlsError) -> ssl.SSLContext | None:
        if failure.fault is _Fault.CERTIFICATE:
            return self.contexts.unverified
        if failure.fault is _Fault.HANDSHAKE and context is self.contexts.good:
            return self.contexts.wide
        return None

    async def _visit(self, context: ssl.SSLContext, problem: str) -> tuple[SmtpSight, _NoTlsError | None]:
        """One connection from greeting to QUIT; `problem` is what verification has against the certificate."""
        self.stage = "connection"
        async with connected(self.address) as connection:
            self.reach = Reach.CONNECTED
            sight, offers_tls = await self._greeted(connection)
            if not offers_tls:
                self.seen = sight
                await _quit(connection)
                return sight, None
            try:
                session = await self._secured(connection, context)
            except _NoTlsError as exc:
                return sight, exc
            self.seen = replace(sight, tls=TlsSight(session.version, session.names, problem))
            with suppress(ClosedError, MalformedError):  # the session was there all the same
                reply = await connection.ask(f"EHLO {self.helo}")
                if reply.is_positive:
                    # what was announced before TLS no longer counts (RFC 3207 section 4.2)
                    self.seen = replace(self.seen, size=_size(reply))
                await _quit(connection)
            return self.seen, None

    async def _greeted(self, connection: MailConnection) -> tuple[SmtpSight, bool]:
        """The server after EHLO, still without TLS, and whether it offers STARTTLS."""
        self.stage = "greeting"
        greeting = await connection.reply()
        if not greeting.is_positive:
            raise _RefusedError(greeting.words)
        self.stage = "answer to EHLO"
        reply = await connection.ask(f"EHLO {self.helo}")
        if reply.code in _UNKNOWN_COMMAND:
            return SmtpSight(None, None, f"the server does not know EHLO: {reply.words}"), False
        if not reply.is_positive:
            raise _RefusedError(reply.words)
        if "STARTTLS" not in (keyword for keyword, _ in _extensions(reply)):
            return SmtpSight(_size(reply), None, "STARTTLS is not offered"), False
        return SmtpSight(_size(reply), None), True

    async def _secured(self, connection: MailConnection, context: ssl.SSLContext) -> Session:
        self.stage = "answer to STARTTLS"
        try:
            reply = await connection.ask("STARTTLS")
            if reply.code == _READY:
                self.stage = _TLS_SESSION
                return await connection.start_tls(context, display_name(self.host))
        except ssl.SSLCertVerificationError as exc:
            raise _NoTlsError(_Fault.CERTIFICATE, tls_problem(exc)) from exc
        except ssl.SSLError as exc:
            raise _NoTlsError(_Fault.HANDSHAKE, f"the TLS handshake fails: {tls_problem(exc)}") from exc
        except ClosedError as exc:
            raise _NoTlsError(_Fault.HANDSHAKE, f"the connection is closed: no {self.stage}") from exc
        except MalformedError as exc:
            raise _NoTlsError(_Fault.REFUSAL, str(exc)) from exc
        await _quit(connection)
        raise _NoTlsError(_Fault.REFUSAL, f"STARTTLS is offered and refused: {reply.words}")


async def _quit(connection: MailConnection) -> None:
    """Say goodbye; whatever the server makes of it."""
    with suppress(ClosedError, MalformedError, TimeoutError):
        async with asyncio.timeout(_QUIT_SECONDS):
            await connection.ask("QUIT")


def _extensions(reply: Reply) -> list[tuple[str, str]]:
    """Keyword and parameters of each line after the greeting's (RFC 5321 section 4.1.1.1)."""
    parts = (line.strip().partition(" ") for line in reply.lines[1:])
    return [(keyword.upper(), parameters.strip()) for keyword, _, parameters in parts]


def _size(reply: Reply) -> int | None:
    """What SIZE announces; None where it is not announced, or without a number (RFC 1870 section 4)."""
    for keyword, number in _extensions(reply):
        if keyword == "SIZE" and number.isascii() and number.isdigit() and len(number) <= _MAX_SIZE_DIGITS:
            return int(number)
    return None
