"""Answers as nobody should make them: the fast observer and the reference see the same, and both in bounded time."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import dns.message
import dns.rcode
import pytest
from plain_observer.observer import ReferenceObserver
from servers.acme import MX, QUESTION, SOA, always, honest, script_for
from servers.observing import Asking, observe_one
from servers.scripted import framed, reply_to, run_scripted

from reconciler.state import Absent, Cause, Observed, Present

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from servers.scripted import Script, Transport

    Wire = Callable[[dns.message.Message], bytes]

pytestmark = pytest.mark.integration

TIMEOUT = 0.3  # seconds, where silence is expected; PATIENT where an answer is
PATIENT = 3.0
POINTER_TO_QUESTION = b"\xc0\x0c"
MX_RECORD = POINTER_TO_QUESTION + b"\x00\x0f\x00\x01\x00\x00\x01\x2c\x00\x09\x00\x0a\x04mail" + POINTER_TO_QUESTION


def answer(
    request: dns.message.Message, *records: bytes, counts: tuple[int, ...] = (), bits: int = 0x8400, tail: bytes = b""
) -> bytes:
    """An answer made by hand: records as octets; `counts` of the sections and `bits` of the header as one likes."""
    wire = request.to_wire()
    question = wire[12 : wire.index(b"\x00", 12) + 5]
    numbers = counts or (1, len(records), 0, 0)
    header = wire[:2] + bits.to_bytes(2, "big") + b"".join(n.to_bytes(2, "big") for n in numbers)
    return header + question * numbers[0] + b"".join(records) + tail


def with_ttl(ttl: int) -> bytes:
    return MX_RECORD[:6] + ttl.to_bytes(4, "big") + MX_RECORD[10:]


def opt(*, version: int = 0, extended_rcode: int = 0, options: bytes = b"") -> bytes:
    head = b"\x00\x00\x29\x04\xd0" + bytes((extended_rcode, version)) + b"\x00\x00"
    return head + len(options).to_bytes(2, "big") + options


def raw(make: Wire) -> Script:
    """The same octets over both transports."""
    return lambda request, transport, _: always(make(request), transport)


def without_edns_only(refusal: Wire) -> Script:
    def script(request: dns.message.Message, transport: Transport, _before: int) -> list[bytes]:
        return always(honest(request) if request.edns < 0 else refusal(request), transport)

    return script


def badvers(request: dns.message.Message) -> bytes:
    return answer(request, opt(extended_rcode=1), counts=(1, 0, 0, 1), bits=0x8000)


def truncated_then(over_tcp: Callable[[dns.message.Message], Iterator[bytes]]) -> Script:
    def script(request: dns.message.Message, transport: Transport, _before: int) -> Iterator[bytes]:
        if transport == "tcp":
            yield from over_tcp(request)
        else:
            yield answer(request, MX_RECORD, bits=0x8600)

    return script


def hangs(_request: dns.message.Message) -> Iterator[bytes]:
    time.sleep(4 * TIMEOUT)
    yield b""


def drips(request: dns.message.Message) -> Iterator[bytes]:
    for octet in framed(answer(request, MX_RECORD)):
        yield bytes((octet,))
        time.sleep(TIMEOUT / 8)


def says_other(request: dns.message.Message) -> Iterator[bytes]:
    yield framed(reply_to(request, "acme.example. 60 IN MX 20 other.example.").to_wire())


def asks_back(request: dns.message.Message) -> Iterator[bytes]:
    yield framed(request.to_wire())


def other_question(request: dns.message.Message) -> Iterator[bytes]:
    wire = answer(request, MX_RECORD)
    yield framed(wire[:13] + b"e" + wire[14:])


def late(request: dns.message.Message, transport: Transport, _before: int) -> list[bytes]:
    time.sleep(1.4 * TIMEOUT)
    return always(honest(request), transport)


MAIL, OTHER = "10 mail.acme.example.", "20 other.example."
HOSTILE: dict[str, tuple[Script, Cause | tuple[str, ...] | None]] = {
    "truncated, TCP hangs": (truncated_then(hangs), Cause.TIMEOUT),
    "truncated, TCP drips": (truncated_then(drips), Cause.TIMEOUT),
    "truncated, TCP says something else": (truncated_then(says_other), (OTHER,)),
    "truncated, TCP asks back": (truncated_then(asks_back), Cause.MALFORMED),
    "truncated, TCP answers another question": (truncated_then(other_question), Cause.MALFORMED),
    "truncated, TCP sends nothing": (truncated_then(lambda _: iter([b"\x00\x00"])), Cause.MALFORMED),
    "no answer bit": (raw(lambda r: answer(r, MX_RECORD, bits=0x0400)), Cause.TIMEOUT),
    "another opcode": (raw(lambda r: answer(r, MX_RECORD, bits=0xAC00)), Cause.TIMEOUT),
    "no question": (raw(lambda r: answer(r, MX_RECORD, counts=(0, 1, 0, 0))), Cause.TIMEOUT),
    "no question, NXDOMAIN": (raw(lambda r: answer(r, counts=(0, 0, 0, 0), bits=0x8403)), Cause.TIMEOUT),
    "no question, REFUSED": (raw(lambda r: answer(r, counts=(0, 0, 0, 0), bits=0x8005)), Cause.REFUSED),
    "no question, SERVFAIL": (raw(lambda r: answer(r, counts=(0, 0, 0, 0), bits=0x8002)), Cause.SERVFAIL),
    "the question twice": (raw(lambda r: answer(r, MX_RECORD, counts=(2, 1, 0, 0))), Cause.TIMEOUT),
    "late": (late, Cause.TIMEOUT),
    "header alone": (raw(lambda r: answer(r, counts=(0, 0, 0, 0))), Cause.TIMEOUT),
    "eleven octets": (raw(lambda r: answer(r)[:11]), Cause.TIMEOUT),
    "FORMERR to EDNS": (without_edns_only(lambda r: answer(r, bits=0x8001)), (MAIL,)),
    "FORMERR to EDNS, no question": (without_edns_only(lambda r: answer(r, counts=(0,) * 4, bits=0x8001)), (MAIL,)),
    "NOTIMP to EDNS": (without_edns_only(lambda r: answer(r, bits=0x8004)), (MAIL,)),
    "BADVERS to EDNS": (without_edns_only(badvers), (MAIL,)),
    "BADVERS to everything": (raw(badvers), Cause.MALFORMED),
    "silence to EDNS": (lambda r, t, _: always(honest(r), t) if r.edns < 0 else [], Cause.TIMEOUT),
    "no OPT in the answer": (raw(lambda r: answer(r, MX_RECORD)), (MAIL,)),
    "OPT of another version": (raw(lambda r: answer(r, MX_RECORD, opt(version=7), counts=(1, 1, 0, 1))), (MAIL,)),
    "OPT with options": (
        raw(lambda r: answer(r, MX_RECORD, opt(options=b"\x00\x0f\x00\x02\x00\x12"), counts=(1, 1, 0, 1))),
        (MAIL,),
    ),
    "an extended rcode": (
        raw(lambda r: answer(r, MX_RECORD, opt(extended_rcode=2), counts=(1, 1, 0, 1))),
        Cause.MALFORMED,
    ),
    "two OPTs": (raw(lambda r: answer(r, MX_RECORD, opt(), opt(), counts=(1, 1, 0, 2))), Cause.MALFORMED),
    "OPT among the answers": (raw(lambda r: answer(r, MX_RECORD, opt(), counts=(1, 2, 0, 0))), Cause.MALFORMED),
    "TTL's top bit": (raw(lambda r: answer(r, with_ttl(0x80000005))), (MAIL,)),
    "TTL of all ones": (raw(lambda r: answer(r, with_ttl(0xFFFFFFFF))), (MAIL,)),
    "the greatest TTL": (raw(lambda r: answer(r, with_ttl(0x7FFFFFFF))), (MAIL,)),
    "TTLs that differ": (raw(lambda r: answer(r, with_ttl(600), with_ttl(60), with_ttl(0x80000000))), (MAIL,)),
    "every record twice": (raw(lambda r: answer(r, MX_RECORD, MX_RECORD)), (MAIL,)),
    "octets behind the end": (raw(lambda r: answer(r, MX_RECORD, tail=b"\x00")), Cause.MALFORMED),
    "fewer records than announced": (raw(lambda r: answer(r, MX_RECORD, counts=(1, 9, 0, 0))), Cause.MALFORMED),
    "a pointer to itself": (raw(lambda r: answer(r, MX_RECORD[:-2] + b"\xc0\x30")), Cause.MALFORMED),
    "a pointer forward": (raw(lambda r: answer(r, MX_RECORD[:-2] + b"\xc0\xff")), Cause.MALFORMED),
    "a label of an unknown kind": (raw(lambda r: answer(r, MX_RECORD[:-2] + b"\x80\x00")), Cause.MALFORMED),
    "rdata longer than said": (raw(lambda r: answer(r, MX_RECORD.replace(b"\x00\x09", b"\x00\x08"))), Cause.MALFORMED),
    "rdata without end": (raw(lambda r: answer(r, MX_RECORD.replace(b"\x00\x09", b"\xff\xff"))), Cause.MALFORMED),
    "another class": (raw(lambda r: answer(r, MX_RECORD[:4] + b"\x00\x03" + MX_RECORD[6:])), Cause.MALFORMED),
    "signed with TSIG": (
        raw(lambda r: answer(r, MX_RECORD, b"\x00\x00\xfa\x00\xff" + bytes(6), counts=(1, 1, 0, 1))),
        Cause.MALFORMED,
    ),
    "all header flags": (raw(lambda r: answer(r, MX_RECORD, bits=0x85F0)), (MAIL,)),
    "YXDOMAIN": (raw(lambda r: answer(r, bits=0x8406)), Cause.MALFORMED),
    "an rcode that nobody assigned": (raw(lambda r: answer(r, bits=0x840F)), Cause.MALFORMED),
    "a datagram of great size": (raw(lambda r: answer(r, *[MX_RECORD] * 2600)), (MAIL,)),
    "two questions": (
        raw(lambda r: answer(r, counts=(1, 0, 0, 0), tail=POINTER_TO_QUESTION + b"\x00\x10\x00\x01").replace(
            b"\x00\x01", b"\x00\x02", 1)),
        Cause.TIMEOUT,
    ),
    "a CNAME and its target": (
        raw(lambda r: reply_to(r, "acme.example. 9 IN CNAME b.example.", "b.example. 9 IN MX 1 c.example.").to_wire()),
        Cause.CNAME,
    ),
    "two owners": (raw(lambda r: reply_to(r, MX, "b.example. 9 IN MX 1 c.example.").to_wire()), (MAIL,)),
    "two zones in the authority section": (
        raw(lambda r: reply_to(r, authority=["example. 9 IN SOA a. b. 1 2 3 4 5", SOA]).to_wire()),
        None,
    ),
    "NXDOMAIN at the apex": (raw(lambda r: reply_to(r, authority=[SOA], rcode=dns.rcode.NXDOMAIN).to_wire()), None),
}  # fmt: skip


def is_expected(observed: Observed, expected: Cause | tuple[str, ...] | None) -> bool:
    if isinstance(observed, Present):
        return observed.rrset.rdatas == expected
    return expected is None if isinstance(observed, Absent) else observed.cause is expected


@pytest.mark.parametrize("name", HOSTILE)
def test_both_observers_see_the_same_in_bounded_time(name: str) -> None:
    replies, expected = HOSTILE[name]
    with run_scripted(script_for("MX", replies)) as server:
        asking = Asking(servers=(server.endpoint,), timeout=TIMEOUT if expected is Cause.TIMEOUT else PATIENT)
        begun = time.monotonic()
        fast = observe_one(asking, QUESTION)
        took = time.monotonic() - begun
        (slow,) = ReferenceObserver(asking).observe([QUESTION])
    assert fast == slow
    assert is_expected(fast.observed, expected), fast
    assert took < (asking.attempts + 1) * asking.timeout + 1, "attempts, their pauses, and a busy machine"


def test_a_ttl_with_its_top_bit_set_is_zero() -> None:
    """RFC 2181 section 8; and the least TTL of an rrset is the rrset's."""
    for ttl, seen in ((0x80000005, 0), (0xFFFFFFFF, 0), (0x7FFFFFFF, 0x7FFFFFFF), (5, 5)):
        records = with_ttl(ttl), with_ttl(0x7FFFFFFF)
        with run_scripted(script_for("MX", raw(partial(answer_of, records)))) as server:
            observed = observe_one(Asking(servers=(server.endpoint,)), QUESTION).observed
        assert isinstance(observed, Present)
        assert observed.rrset.ttl == seen


def answer_of(records: tuple[bytes, ...], request: dns.message.Message) -> bytes:
    return answer(request, *records)
