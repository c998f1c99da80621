"""acme.example. on a scripted server: honest, but for what a test wants otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.message
import dns.rcode
import dns.rrset

from reconciler.state import Cause, Present, RRset, Unknown
from servers.observing import question
from servers.scripted import framed, reply_to

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.state import Observed
    from servers.scripted import Script, Transport

SOA = "acme.example. 300 IN SOA ns1.acme.example. hostmaster.acme.example. 1 2 3 4 300"
MX = "acme.example. 300 IN MX 10 mail.acme.example."
QUESTION = question("acme.example.", "MX")


def present(observed: Observed) -> RRset:
    assert isinstance(observed, Present), observed
    return observed.rrset


def cause(observed: Observed) -> Cause:
    assert isinstance(observed, Unknown), observed
    return observed.cause


def is_for(request: dns.message.Message, rdtype: str) -> bool:
    return request.question[0].rdtype.name == rdtype


def honest(request: dns.message.Message) -> dns.message.Message:
    """What a well-behaved server of acme.example. says."""
    owner = request.question[0].name.to_text().lower()
    if owner == "acme.example." and is_for(request, "SOA"):
        return reply_to(request, SOA)
    if owner == "acme.example." and is_for(request, "MX"):
        return reply_to(request, MX)
    is_known = owner == "acme.example."
    rcode = dns.rcode.NOERROR if is_known else dns.rcode.NXDOMAIN
    return reply_to(request, authority=[SOA], rcode=rcode)


def script_for(rdtype: str, replies: Script) -> Script:
    """A server that is honest but for questions of one type."""

    def script(request: dns.message.Message, transport: Transport, before: int) -> Iterable[bytes]:
        if is_for(request, rdtype):
            return replies(request, transport, before)
        wire = honest(request).to_wire()
        return [wire if transport == "udp" else framed(wire)]

    return script


def always(reply: dns.message.Message | bytes, transport: Transport = "udp") -> list[bytes]:
    wire = reply if isinstance(reply, bytes) else reply.to_wire()
    return [wire if transport == "udp" else framed(wire)]


def mangled(request: dns.message.Message, **changes: str | int) -> bytes:
    """An honest answer whose id or question is not what was asked."""
    reply = honest(request)
    reply.id = int(changes.get("id", reply.id))
    if "name" in changes:
        reply.question = [dns.rrset.from_text(str(changes["name"]), 0, "IN", "MX")]
    return reply.to_wire()
