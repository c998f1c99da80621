"""A name server that misbehaves as its script says, over UDP and TCP on loopback."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from servers.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Transport = Literal["udp", "tcp"]
    # (request, transport, how many requests came before over that transport) -> the messages to send back
    Script = Callable[[dns.message.Message, Transport, int], Iterable[bytes]]


@dataclass
class Scripted:
    """A running scripted server and the transports of the requests that it has had, in order."""

    address: str
    port: int
    script: Script
    asked: list[tuple[Transport, dns.message.Message]] = field(default_factory=list)

    @property
    def endpoint(self) -> tuple[str, int]:
        """Where it listens."""
        return self.address, self.port

    def replies(self, wire: bytes, transport: Transport) -> Iterable[bytes]:
        """What the script sends back; the request is noted."""
        request = dns.message.from_wire(wire)
        before = sum(1 for seen, _ in self.asked if seen == transport)
        self.asked.append((transport, request))
        return self.script(request, transport, before)


def reply_to(
    request: dns.message.Message,
    *answer: str,
    authority: Sequence[str] = (),
    flags: dns.flags.Flag = dns.flags.AA,
    rcode: dns.rcode.Rcode = dns.rcode.NOERROR,
) -> dns.message.Message:
    """A reply with rrsets in text, as in `"acme.example. 300 IN MX 10 mail.acme.example."`; `flags` beside QR."""
    reply = dns.message.make_response(request)
    reply.flags = dns.flags.QR | flags
    reply.set_rcode(rcode)
    reply.answer = [_rrset(text) for text in answer]
    reply.authority = [_rrset(text) for text in authority]
    return reply


def _rrset(text: str) -> dns.rrset.RRset:
    name, ttl, rdclass, rdtype, rdata = text.split(" ", 4)
    return dns.rrset.from_text(name, int(ttl), rdclass, rdtype, rdata)


@contextmanager
def run_scripted(script: Script, *, address: str = "127.0.0.1", port: int | None = None) -> Iterator[Scripted]:
    """The server from its first datagram to the end of the block."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    chosen = port or (_free_port_v6() if family == socket.AF_INET6 else free_port(address))
    scripted = Scripted(address, chosen, script)

    class _Udp(socketserver.ThreadingUDPServer):
        address_family = family
        daemon_threads = True
        max_packet_size = 65535

    class _Tcp(socketserver.ThreadingTCPServer):
        address_family = family
        daemon_threads = True
        allow_reuse_address = True

    class _OverUdp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, sock = self.request
            with suppress(OSError):  # a script may still be at it when the test has ended
                for reply in scripted.replies(wire, "udp"):
                    sock.sendto(reply, self.client_address)

    class _OverTcp(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            head = self.rfile.read(2)
            if len(head) < 2:
                return
            (length,) = struct.unpack("!H", head)
            with suppress(OSError):
                for reply in scripted.replies(self.rfile.read(length), "tcp"):
                    self.wfile.write(reply)

    with _Udp((address, chosen), _OverUdp) as udp, _Tcp((address, chosen), _OverTcp) as tcp:
        threads = [threading.Thread(target=s.serve_forever, args=(0.02,)) for s in (udp, tcp)]
        for thread in threads:
            thread.start()
        try:
            yield scripted
        finally:
            for server in (udp, tcp):
                server.shutdown()
            for thread in threads:
                thread.join()


def framed(wire: bytes) -> bytes:
    """A message as TCP carries it (RFC 1035 section 4.2.2)."""
    return struct.pack("!H", len(wire)) + wire


def _free_port_v6() -> int:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.bind(("::1", 0))
        return int(sock.getsockname()[1])
