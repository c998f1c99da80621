"""One question to one server, with blocking sockets and dnspython's messages."""

from __future__ import annotations

import ipaddress
import socket
import time
from typing import TYPE_CHECKING

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode

from reconciler.state import Cause, Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.observe.asking import Address, DnsSettings

ANSWERS = (dns.rcode.NOERROR, dns.rcode.NXDOMAIN, dns.rcode.YXDOMAIN)
EDNS_MAY_BE_WHY = (dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.BADVERS)
CAUSES = {
    dns.rcode.SERVFAIL: Cause.SERVFAIL,
    dns.rcode.REFUSED: Cause.REFUSED,
    dns.rcode.NOTAUTH: Cause.NOT_AUTHORITATIVE,
}


class NoReplyError(Exception):
    """Why there is no reply that counts."""

    def __init__(self, cause: Cause, detail: str) -> None:
        """Keep the cause and the sentence."""
        super().__init__(detail)
        self.unknown = Unknown(cause, detail)


class _WithoutEdnsError(NoReplyError):
    """The next attempt goes without EDNS."""


def shown(address: Address) -> str:
    """As reports show it."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def reply_from(
    settings: DnsSettings, addresses: Sequence[Address], name: str, rdtype: str, *, recurse: bool = False
) -> dns.message.Message:
    """The reply of the server behind `addresses`, which take turns: NOERROR, NXDOMAIN or YXDOMAIN, not truncated.

    Raises:
        NoReplyError: no such reply; the cause of the first failure, the details of all.

    """
    attempts = max(settings.attempts, len(addresses))
    failures: list[NoReplyError] = []
    unreachable, turn, use_edns = 0, 0, True
    while attempts:
        address = addresses[turn % len(addresses)]
        turn += 1
        flags = dns.flags.RD if recurse else dns.flags.Flag(0)
        edns = {"use_edns": 0, "payload": 1232} if use_edns else {"use_edns": False}
        request = dns.message.make_query(name, rdtype, flags=flags, **edns)
        try:
            return _attempt(settings.timeout, address, request, f"{rdtype} {name}")
        except NoReplyError as exc:
            failures.append(exc)
            use_edns = use_edns and not isinstance(exc, _WithoutEdnsError)
            if exc.unknown.cause is Cause.NETWORK and unreachable < len(addresses) - 1:
                unreachable += 1
            else:
                attempts -= 1
    details = dict.fromkeys(failure.unknown.detail for failure in failures)
    raise NoReplyError(failures[0].unknown.cause, "; ".join(details))


def _attempt(timeout: float, address: Address, request: dns.message.Message, asked: str) -> dns.message.Message:
    until = time.monotonic() + timeout
    try:
        reply = _over_udp(address, request, until)
        if reply.flags & dns.flags.TC:
            reply = _over_tcp(address, request, until)
    except (TimeoutError, dns.exception.Timeout) as exc:
        raise NoReplyError(Cause.TIMEOUT, f"{shown(address)} did not answer within {timeout:g} s") from exc
    except EOFError as exc:
        why = "the connection was closed before the whole answer had come"
        raise NoReplyError(Cause.NETWORK, f"{shown(address)} could not be asked: {why}") from exc
    except OSError as exc:
        raise NoReplyError(Cause.NETWORK, f"{shown(address)} could not be asked: {exc.strerror or exc}") from exc
    except dns.exception.DNSException as exc:
        detail = f"{shown(address)} sent an answer that cannot be parsed: {str(exc) or type(exc).__name__}"
        raise NoReplyError(Cause.MALFORMED, detail) from exc
    rcode = reply.rcode()
    if rcode in ANSWERS:
        return reply
    detail = f"{shown(address)} answered {dns.rcode.to_text(rcode)} to {asked}"
    if request.edns >= 0 and rcode in EDNS_MAY_BE_WHY:
        raise _WithoutEdnsError(Cause.MALFORMED, detail)
    raise NoReplyError(CAUSES.get(rcode, Cause.MALFORMED), detail)


def _over_udp(address: Address, request: dns.message.Message, until: float) -> dns.message.Message:
    """The first datagram that answers the request; of a truncated one, the head alone."""
    family = socket.AF_INET6 if ipaddress.ip_address(address[0]).version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect(address)
        sock.send(request.to_wire())
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            sock.settimeout(left)
            wire = sock.recv(65535)
            if int.from_bytes(wire[4:6], "big") > 1:
                continue  # which of the questions would it answer? RFC 9619
            try:
                head = dns.message.from_wire(wire, question_only=True)
            except dns.exception.DNSException:
                continue
            if request.is_response(head):
                return head if head.flags & dns.flags.TC else dns.message.from_wire(wire)


def _over_tcp(address: Address, request: dns.message.Message, until: float) -> dns.message.Message:
    host, port = address
    no_answer = f"{shown(address)} answered over TCP with something that is no whole answer to the question"
    try:
        reply = dns.query.tcp(request, host, port=port, timeout=max(until - time.monotonic(), 0))
    except (dns.query.BadResponse, dns.message.ShortHeader) as exc:
        raise NoReplyError(Cause.MALFORMED, no_answer) from exc
    if reply.flags & dns.flags.TC:
        raise NoReplyError(Cause.MALFORMED, no_answer)
    return reply
