"""A zone's primary server, asked directly: over TCP, signed where there is a key, and never through a cache.

Questions share one connection (RFC 7766 section 6.2.1). One that fails on a connection that served before is asked once
more on a new one, because servers close connections when they like. What writes is sent once, on a new connection.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsig

from reconciler.apply import ApplyError, NoSuchZoneError
from reconciler.apply.comparison import cname_conflict, delegation_conflict, printable
from reconciler.names import MAX_NAME_OCTETS, Name
from reconciler.state import rdata_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.state import Key, Rdata


_PROBE_LABELS = "wildcard-probe.*"  # below a name, and not covered by a wildcard right below it either


class UnansweredError(Exception):
    """A message was sent, and no answer that can be trusted came back: what it did is unknown."""


@dataclass(slots=True)
class Primary:
    """One server: `timeout` in seconds for each message; `tsig` is dnspython's keyring, empty without a key.

    As a context it closes its connection at the end; it is for one thread at a time.
    """

    provider_id: str
    host: str
    port: int
    timeout: float
    tsig: Mapping[dns.name.Name, object] = field(repr=False)
    algorithm: dns.name.Name | str = dns.tsig.default_algorithm
    _connection: socket.socket | None = field(default=None, init=False, repr=False)

    def __enter__(self) -> Self:
        """Nothing is opened yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self._disconnect()

    @property
    def place(self) -> str:
        """Provider and server, for messages."""
        address = f"[{self.host}]" if ":" in self.host else self.host
        return f"provider {self.provider_id} ({address}:{self.port})"

    @property
    def key_advice(self) -> str:
        """What the user can look at when the server does not accept who asks."""
        if not self.tsig:
            return "the provider block has no key_name and key_secret; add them if the server wants a TSIG key"
        names = ", ".join(name.to_text() for name in self.tsig)
        return f"check that the server knows the TSIG key {names} with the same secret and algorithm"

    def require_zone(self, zone: Name) -> None:
        """Make sure that the server is authoritative for the zone.

        Raises:
            NoSuchZoneError: it is not.
            ApplyError: it cannot be asked.

        """
        response = self._query(zone, "SOA")
        rcode = response.rcode()
        if rcode == dns.rcode.SERVFAIL:
            message = f"{self.place} has a failure with zone {zone} (SERVFAIL); see that server's log, then plan again"
            raise ApplyError(message)
        if _answer(response, zone, "SOA") is None or not response.flags & dns.flags.AA:
            message = (
                f"{self.place} has no authority for zone {zone} ({dns.rcode.to_text(rcode)}), and zones are never "
                f"created here; name the provider that holds it, or let this host ask that server"
            )
            raise NoSuchZoneError(message)

    def require_writable(self, key: Key, zone: Name) -> None:
        """Make sure that an rrset at the key would be answered: no CNAME there, and no zone cut or DNAME above.

        Servers take an UPDATE for such names and then answer something else (RFC 2136 section 3.4.2.2).

        Raises:
            ApplyError: with the code `cname` or `delegated`, or because the server cannot be asked.

        """
        if key.name == zone:
            return
        response = self._query(key.name, "SOA")
        dname = next((r.name for r in response.answer if r.rdtype == dns.rdatatype.DNAME), None)
        if dname is not None:
            raise delegation_conflict(key, Name(dname.to_text().lower()), self.provider_id)
        cname = _answer(response, key.name, "CNAME")
        if cname is not None:
            if self._is_made_by_wildcard(key.name, cname):
                return
            raise cname_conflict(key, self.provider_id)
        enclosing = [r.name for r in (*response.answer, *response.authority) if r.rdtype == dns.rdatatype.SOA]
        cuts = [r.name for r in response.authority if r.rdtype == dns.rdatatype.NS]
        if response.flags & dns.flags.AA and enclosing:
            if enclosing[0] != dns.name.from_text(zone):
                raise delegation_conflict(key, Name(enclosing[0].to_text().lower()), self.provider_id)
            return
        if cuts and not response.flags & dns.flags.AA:
            raise delegation_conflict(key, Name(cuts[0].to_text().lower()), self.provider_id)
        raise self._unclear(key, response)

    def _is_made_by_wildcard(self, name: Name, cname: dns.rrset.RRset) -> bool:
        """Whether a CNAME is not at the name: then what makes it there makes it below, too (RFC 4592 section 3.3.1)."""
        probe = Name(f"{_PROBE_LABELS}.{name}")
        if len(probe) + 1 > MAX_NAME_OCTETS:
            return False
        made = _answer(self._query(probe, "SOA"), probe, "CNAME")
        return made is not None and made.to_rdataset() == cname.to_rdataset()

    def read(self, key: Key) -> tuple[frozenset[Rdata], int | None]:
        """The rrset as the server answers it: its rdatas and its TTL in seconds, or nothing and None.

        What a wildcard makes at the name is not told from what stands there.

        Raises:
            ApplyError: no authoritative answer.

        """
        response = self._query(key.name, key.type)
        if response.rcode() not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN} or not response.flags & dns.flags.AA:
            raise self._unclear(key, response)
        rrset = _answer(response, key.name, key.type)
        if rrset is None:
            return frozenset(), None
        return frozenset(rdata_text(rdata) for rdata in rrset), rrset.ttl

    def send(self, message: dns.message.Message) -> dns.message.Message:
        """Send one message over a new connection, once, and wait for its answer.

        Raises:
            ApplyError: nothing was sent, or the server refused the key and did nothing.
            UnansweredError: the message went out, and no trustworthy answer came.

        """
        self._sign(message)
        self._disconnect()
        return self._exchange(message, self._connected())

    def _sign(self, message: dns.message.Message) -> None:
        try:
            if self.tsig:
                message.use_tsig(self.tsig, algorithm=self.algorithm)
            message.to_wire()
        except dns.exception.DNSException as exc:
            text = f"{self.place}: the message cannot be made ({type(exc).__name__}), nothing was written; report this"
            raise ApplyError(text) from exc

    def _connected(self) -> socket.socket:
        if self._connection is None:
            try:
                self._connection = socket.create_connection((self.host, self.port), timeout=self.timeout)
            except OSError as exc:
                text = f"{self.place} cannot be reached ({_reason(exc)}), nothing was written; correct host and port"
                raise ApplyError(text) from exc
            self._connection.setblocking(False)  # noqa: FBT003 - the standard library's own signature
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(self, message: dns.message.Message, connection: socket.socket) -> dns.message.Message:
        try:
            response = dns.query.tcp(message, self.host, port=self.port, timeout=self.timeout, sock=connection)
        except dns.tsig.PeerBadTime as exc:
            text = f"{self.place} refuses the time of the signature (BADTIME); set the clocks of both hosts"
            raise ApplyError(text) from exc
        except dns.tsig.PeerError as exc:
            text = f"{self.place} refuses the signature ({type(exc).__name__}); nothing was written; {self.key_advice}"
            raise ApplyError(text) from exc
        except (OSError, EOFError, dns.exception.DNSException) as exc:
            # a late answer to this message must not be taken for one to the next
            self._disconnect()
            raise UnansweredError(_reason(exc)) from exc
        # dnspython refuses unsigned answers by itself only in its newer versions
        if self.tsig and not response.had_tsig and response.rcode() == dns.rcode.NOERROR:
            raise UnansweredError("the answer is not signed")
        return response

    def _query(self, name: Name, rdtype: str) -> dns.message.Message:
        question = dns.message.make_query(name, rdtype, flags=0)
        self._sign(question)
        was_open = self._connection is not None
        try:
            try:
                return self._exchange(question, self._connected())
            except UnansweredError as exc:
                if not was_open or not isinstance(exc.__cause__, (EOFError, ConnectionError)):
                    raise
                return self._exchange(question, self._connected())
        except UnansweredError as exc:
            advice = f"see that it runs, and {self.key_advice}" if self.tsig else "see that it runs, then plan again"
            text = f"{self.place} gives no usable answer for {name} {rdtype} ({exc}); {advice}"
            raise ApplyError(text) from exc

    def _unclear(self, key: Key, response: dns.message.Message) -> ApplyError:
        said = dns.rcode.to_text(response.rcode())
        return ApplyError(
            f"{self.place} gives no authoritative answer for {key.name} {key.type} ({said}); "
            f"see that server's log, then plan again"
        )


def _answer(response: dns.message.Message, name: Name, rdtype: str) -> dns.rrset.RRset | None:
    """The rrset in the answer section that stands at that very name."""
    return response.get_rrset(
        response.answer, dns.name.from_text(name), dns.rdataclass.IN, dns.rdatatype.from_text(rdtype)
    )


def _reason(exc: BaseException) -> str:
    if isinstance(exc, (dns.exception.Timeout, TimeoutError)):
        return "timeout"
    if isinstance(exc, EOFError):
        return "the connection was closed"
    return printable((exc.strerror if isinstance(exc, OSError) else None) or str(exc) or type(exc).__name__)
