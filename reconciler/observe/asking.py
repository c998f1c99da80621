"""The words of asking a server: who, what, how patiently, and why there is no answer."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

import dns.rcode

from reconciler.state import Cause, Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

Address = tuple[str, int]

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
    `resolvers` are (address, port), empty: the system's; `timeout` is in seconds, for one attempt; `per_server` and
    `rate` are None where `politeness.py` decides.
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

    @property
    def per_server(self) -> int | None:
        """How many of them at one address."""
        ...

    @property
    def rate(self) -> float | None:
        """Queries a second at one address."""
        ...

    @property
    def share(self) -> int:
        """How many runs at the same time share what an address may be asked."""
        ...


@dataclass(slots=True)
class Query:
    """What is asked: an absolute name, a type as text; `recurse` sets the RD bit, `flags` others, for resolvers."""

    name: Final[str]
    type: Final[str]
    recurse: Final[bool] = False
    flags: Final[int] = 0


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


class UnexpectedRcodeError(ExchangeError):
    """The server may not understand EDNS; the next attempt goes without."""


def timed_out(address: Address, timeout: float) -> ExchangeError:
    """The failure of an attempt that met silence."""
    return ExchangeError(Cause.TIMEOUT, f"{shown_address(address)} did not answer within {timeout:g} s")


def unreachable(address: Address, error: OSError) -> ExchangeError:
    """The failure of an attempt that the network refused."""
    detail = f"{shown_address(address)} could not be asked: {error.strerror or error}"
    return ExchangeError(Cause.NETWORK, detail)


def rcode_failure(address: Address, rcode: int, query: Query, *, use_edns: bool) -> ExchangeError | None:
    """Why a reply with this (extended) rcode is no answer; None: it is one."""
    code = dns.rcode.Rcode(rcode)
    if code in _ANSWERS:
        return None
    detail = f"{shown_address(address)} answered {dns.rcode.to_text(code)} to {query.type} {query.name}"
    if use_edns and code in _WITHOUT_EDNS:
        return UnexpectedRcodeError(Cause.MALFORMED, detail)
    return ExchangeError(_CAUSES.get(code, Cause.MALFORMED), detail)


def shown_address(address: Address) -> str:
    """`192.0.2.1:53`, `[2001:db8::1]:53`."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@lru_cache(maxsize=1024)
def family(host: str) -> socket.AddressFamily:
    """The socket family of an address in text."""
    return socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET  # noqa: PLR2004
