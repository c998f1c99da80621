"""Servers that misbehave: whatever comes back, an observation is right or unknown with its cause, in bounded time."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import pytest
from servers.observing import Asking, observe_one, observed, question
from servers.scripted import framed, reply_to, run_scripted

from reconciler.names import canonical_name
from reconciler.observe.dns import LiveObserver
from reconciler.observe.exchange import EDNS_PAYLOAD, ExchangeError, Exchanger, Query
from reconciler.state import Absent, Cause, Present, RRset, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from servers.scripted import Script, Scripted, Transport

    from reconciler.state import Observed

pytestmark = pytest.mark.integration

SOA = "acme.example. 300 IN SOA ns1.acme.example. hostmaster.acme.example. 1 2 3 4 300"
MX = "acme.example. 300 IN MX 10 mail.acme.example."
QUESTION = question("acme.example.", "MX")
NS_BELOW = "_amazonses.acme.example. 300 IN NS ns.other.example."


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


NO_ANSWERS = {
    "servfail": (lambda r, t, _: always(reply_to(r, rcode=dns.rcode.SERVFAIL), t), Cause.SERVFAIL),
    "refused": (lambda r, t, _: always(reply_to(r, rcode=dns.rcode.REFUSED), t), Cause.REFUSED),
    "notauth": (lambda r, t, _: always(reply_to(r, rcode=dns.rcode.NOTAUTH), t), Cause.NOT_AUTHORITATIVE),
    "formerr": (lambda r, t, _: always(reply_to(r, rcode=dns.rcode.FORMERR), t), Cause.MALFORMED),
    "silence": (lambda _r, _t, _n: [], Cause.TIMEOUT),
    "garbage": (lambda _r, _t, _n: [b"", b"\x00", b"not dns at all, but long enough"], Cause.TIMEOUT),
    "wrong id": (lambda r, _t, _n: [mangled(r, id=(r.id + 1) % 65536)], Cause.TIMEOUT),
    "wrong question": (lambda r, _t, _n: [mangled(r, name="evil.example.")], Cause.TIMEOUT),
    "cut short": (lambda r, _t, _n: [honest(r).to_wire()[:-3]], Cause.MALFORMED),
    "no AA": (lambda r, t, _: always(reply_to(r, MX, flags=dns.flags.RA), t), Cause.NOT_AUTHORITATIVE),
    "upward referral": (
        lambda r, t, _: always(reply_to(r, authority=[". 300 IN NS a.root.example."], flags=dns.flags.RA), t),
        Cause.NOT_AUTHORITATIVE,
    ),
    "other records alone": (
        lambda r, t, _: always(reply_to(r, "other.example. 300 IN MX 1 evil.example."), t),
        Cause.MALFORMED,
    ),
    "NXDOMAIN with an answer": (lambda r, t, _: always(reply_to(r, MX, rcode=dns.rcode.NXDOMAIN), t), Cause.MALFORMED),
    "parent's negative answer": (
        lambda r, t, _: always(reply_to(r, authority=["example. 9 IN SOA a. b. 1 2 3 4 5"]), t),
        Cause.NOT_AUTHORITATIVE,
    ),
    "cname": (lambda r, t, _: always(reply_to(r, "acme.example. 9 IN CNAME x.example."), t), Cause.CNAME),
    "dname": (
        lambda r, t, _: always(
            reply_to(r, "example. 9 IN DNAME example.net.", "acme.example. 0 IN CNAME acme.example.net."), t
        ),
        Cause.CNAME,
    ),
    "truncated, TCP closed": (
        lambda r, t, _: [reply_to(r, flags=dns.flags.AA | dns.flags.TC).to_wire()] if t == "udp" else [],
        Cause.NETWORK,
    ),
    "truncated, TCP truncated": (
        lambda r, t, _: always(reply_to(r, flags=dns.flags.AA | dns.flags.TC), t),
        Cause.MALFORMED,
    ),
    "truncated, TCP wrong id": (
        lambda r, t, _: (
            [reply_to(r, flags=dns.flags.AA | dns.flags.TC).to_wire()]
            if t == "udp"
            else [framed(mangled(r, id=(r.id + 1) % 65536))]
        ),
        Cause.MALFORMED,
    ),
    "truncated, TCP half": (
        lambda r, t, _: (
            [reply_to(r, flags=dns.flags.AA | dns.flags.TC).to_wire()]
            if t == "udp"
            else [framed(honest(r).to_wire())[:20]]
        ),
        Cause.NETWORK,
    ),
}


@pytest.mark.parametrize("name", NO_ANSWERS)
def test_what_is_no_answer_is_unknown_with_its_cause(name: str) -> None:
    replies, expected = NO_ANSWERS[name]
    with run_scripted(script_for("MX", replies)) as server:
        begun = time.monotonic()
        observation = observe_one(Asking(servers=(server.endpoint,), timeout=0.3), QUESTION)
        took = time.monotonic() - begun
    assert cause(observation.observed) is expected, observation
    assert observation.zone is not None
    assert [a.server for a in observation.answers] == [f"127.0.0.1:{server.port}"]
    assert took < 3


def test_every_second_datagram_lost_is_no_loss() -> None:
    with run_scripted(lambda r, _t, n: [] if n % 2 == 0 else [honest(r).to_wire()]) as server:
        assert present(observed(Asking(servers=(server.endpoint,), timeout=0.3), QUESTION)).rdatas
    udp = [request for _, request in server.asked]
    assert len({request.id for request in udp}) == len(udp), "each attempt has an id of its own"


def test_an_answer_that_comes_twice_counts_once() -> None:
    with run_scripted(lambda r, _t, _n: [honest(r).to_wire()] * 2) as server:
        assert present(observed(Asking(servers=(server.endpoint,)), QUESTION)).ttl == 300


def test_forged_datagrams_before_the_answer_do_not_matter() -> None:
    def forged_first(request: dns.message.Message, _transport: Transport, _before: int) -> list[bytes]:
        forged = [mangled(request, id=guess) for guess in range(200) if guess != request.id]
        return [*forged, mangled(request, name="evil.example."), b"\xff", honest(request).to_wire()]

    with run_scripted(forged_first) as server:
        assert present(observed(Asking(servers=(server.endpoint,)), QUESTION)).rdatas == ("10 mail.acme.example.",)
    assert len(server.asked) == 2, "one for the zone, one for the rrset"


def test_a_truncated_answer_is_asked_for_again_over_tcp() -> None:
    def truncated(request: dns.message.Message, transport: Transport, _before: int) -> list[bytes]:
        if transport == "tcp":
            return [framed(honest(request).to_wire())]
        reply = honest(request)
        reply.flags |= dns.flags.TC
        return [reply.to_wire()[:-5]]  # cut inside a record, as TC allows

    with run_scripted(script_for("MX", truncated)) as server:
        assert present(observed(Asking(servers=(server.endpoint,)), QUESTION)).rdatas == ("10 mail.acme.example.",)


def test_a_slow_answer_inside_the_time_counts() -> None:
    def slow(request: dns.message.Message, _transport: Transport, _before: int) -> list[bytes]:
        time.sleep(0.2)
        return [honest(request).to_wire()]

    with run_scripted(slow) as server:
        assert present(observed(Asking(servers=(server.endpoint,), timeout=1.0, attempts=1), QUESTION)).rdatas
        assert cause(observed(Asking(servers=(server.endpoint,), timeout=0.1, attempts=1), QUESTION)) is Cause.TIMEOUT


def test_a_server_without_edns_is_asked_without() -> None:
    def old(request: dns.message.Message, _transport: Transport, _before: int) -> list[bytes]:
        reply = honest(request) if request.edns < 0 else reply_to(request, rcode=dns.rcode.FORMERR)
        reply.use_edns(False)  # noqa: FBT003 - dnspython's way to say without
        return [reply.to_wire()]

    with run_scripted(old) as server:
        assert present(observed(Asking(servers=(server.endpoint,)), QUESTION)).rdatas


def test_queries_carry_edns_and_no_rd() -> None:
    with run_scripted(lambda r, _t, _n: [honest(r).to_wire()]) as server:
        observed(Asking(servers=(server.endpoint,)), QUESTION)
    assert all(request.payload == EDNS_PAYLOAD for _, request in server.asked)
    assert not any(request.flags & dns.flags.RD for _, request in server.asked)


def test_names_compare_without_case() -> None:
    def shouting(request: dns.message.Message, _transport: Transport, _before: int) -> list[bytes]:
        wire = honest(request).to_wire()
        return [wire.replace(b"acme", b"AcMe").replace(b"example", b"EXAMPLE")]

    with run_scripted(shouting) as server:
        found = observe_one(Asking(servers=(server.endpoint,)), QUESTION)
    assert present(found.observed).rdatas == ("10 mail.acme.example.",)
    assert found.zone is not None
    assert found.zone.apex == "acme.example."


REFERRALS = {
    "without AA": lambda r: reply_to(r, authority=[NS_BELOW], flags=dns.flags.Flag(0)),
    "with AA": lambda r: reply_to(r, authority=[NS_BELOW]),
    "child zone on the same server": lambda r: reply_to(
        r, authority=["_amazonses.acme.example. 9 IN SOA a. b. 1 2 3 4 5"]
    ),
}


@pytest.mark.parametrize("name", REFERRALS)
def test_a_name_below_a_cut_is_delegated(name: str) -> None:
    script = script_for("TXT", lambda r, t, _: always(REFERRALS[name](r), t))
    with run_scripted(script) as server:
        asked = question("_amazonses.acme.example.", "TXT", domain="acme.example.")
        unknown = observed(Asking(servers=(server.endpoint,)), asked)
    assert cause(unknown) is Cause.DELEGATED
    assert "_amazonses.acme.example." in str(unknown)


def test_an_answer_of_a_child_zone_without_any_authority_section_is_delegated() -> None:
    """A minimal positive answer does not tell its zone: only the probe below the name does."""
    txt = '_amazonses.acme.example. 300 IN TXT "x"'

    def minimal(request: dns.message.Message, transport: Transport, _before: int) -> list[bytes]:
        if request.question[0].name == dns.name.from_text("_amazonses.acme.example."):
            return always(reply_to(request, txt), transport)
        child = "_amazonses.acme.example. 9 IN SOA a. b. 1 2 3 4 5"
        return always(reply_to(request, authority=[child], rcode=dns.rcode.NXDOMAIN), transport)

    with run_scripted(script_for("TXT", minimal)) as server:
        asked = question("_amazonses.acme.example.", "TXT", domain="acme.example.")
        assert cause(observed(Asking(servers=(server.endpoint,)), asked)) is Cause.DELEGATED


def test_an_empty_answer_with_authority_is_absence() -> None:
    script = script_for("MX", lambda r, t, _: always(reply_to(r), t))
    with run_scripted(script) as server:
        assert observed(Asking(servers=(server.endpoint,)), QUESTION) == Absent()


def test_a_dead_server_beside_a_live_one_does_not_hide_the_answer() -> None:
    with run_scripted(lambda r, _t, _n: [honest(r).to_wire()]) as server:
        settings = Asking(servers=(("127.0.0.9", server.port), server.endpoint), timeout=0.2)
        found = observe_one(settings, QUESTION)
    assert present(found.observed).rdatas
    assert {a.server: type(a.observed) for a in found.answers} == {
        f"127.0.0.1:{server.port}": Present,
        f"127.0.0.9:{server.port}": Unknown,
    }


def test_a_black_hole_ends_in_bounded_time_for_a_thousand_domains() -> None:
    domains = [canonical_name(f"d{n}.example") for n in range(1000)]
    with run_scripted(lambda _r, _t, _n: []) as server:
        begun = time.monotonic()
        observer = LiveObserver(Asking(servers=(server.endpoint,), timeout=0.3))
        found = list(observer.observe([question(d, "MX") for d in domains]))
        took = time.monotonic() - begun
    assert {cause(o.observed) for o in found} == {Cause.TIMEOUT}
    assert len(found) == 1000
    assert took < 10
    assert len(server.asked) < 1000, "a server that is silent for long is not asked for every domain"


def test_a_server_that_comes_back_is_believed_again() -> None:
    is_back = False

    def away(request: dns.message.Message, _transport: Transport, _before: int) -> list[bytes]:
        return [honest(request).to_wire()] if is_back else []

    async def outage(server: Scripted) -> dns.message.Message:
        nonlocal is_back
        exchanger = Exchanger(Asking(timeout=0.2))
        asked = Query("acme.example.", "MX")
        for most in (100, 102):  # 50 questions, two attempts each; then one probe for each time-out
            many = (exchanger.ask([server.endpoint], asked) for _ in range(50))
            failures = await asyncio.gather(*many, return_exceptions=True)
            assert all(isinstance(f, ExchangeError) and f.cause is Cause.TIMEOUT for f in failures)
            assert len(server.asked) <= most
        is_back = True
        await asyncio.sleep(0.2)
        return await exchanger.ask([server.endpoint], asked)

    with run_scripted(away) as server:
        assert asyncio.run(outage(server)).answer


def test_a_flood_of_forged_datagrams_does_not_stop_the_clock() -> None:
    has_ended = threading.Event()

    def flood(request: dns.message.Message, _transport: Transport, _before: int) -> Iterator[bytes]:
        forged = mangled(request, id=(request.id + 1) % 65536)
        until = time.monotonic() + 4.0
        while time.monotonic() < until and not has_ended.is_set():
            yield forged

    with run_scripted(script_for("MX", flood)) as server:
        begun = time.monotonic()
        unknown = observed(Asking(servers=(server.endpoint,), timeout=0.3, attempts=1), QUESTION)
        took = time.monotonic() - begun
        has_ended.set()
    assert took < 2
    assert cause(unknown) is Cause.TIMEOUT


def test_ending_early_leaves_nothing_behind() -> None:
    """ResourceWarnings and forgotten tasks are errors in this suite."""

    def selective(request: dns.message.Message, _transport: Transport, _before: int) -> list[bytes]:
        is_quick = request.question[0].name == dns.name.from_text("acme.example.")
        return [honest(request).to_wire()] if is_quick else []

    with run_scripted(selective) as server:
        asked = [QUESTION, *(question(f"d{n}.acme.example.", "MX") for n in range(100))]
        observations = iter(LiveObserver(Asking(servers=(server.endpoint,), timeout=5.0)).observe(asked))
        assert present(next(observations).observed).rdatas
        begun = time.monotonic()
        del observations
        gc.collect()
        assert time.monotonic() - begun < 1


def test_ctrl_c_ends_the_wait_at_once() -> None:
    with run_scripted(lambda _r, _t, _n: []) as server:
        observations = LiveObserver(Asking(servers=(server.endpoint,), timeout=20.0)).observe([QUESTION])
        timer = threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT])
        begun = time.monotonic()
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            list(observations)
        timer.join()
        assert time.monotonic() - begun < 3


def test_ipv6() -> None:
    with run_scripted(lambda r, _t, _n: [honest(r).to_wire()], address="::1") as server:
        found = observe_one(Asking(servers=(server.endpoint,)), QUESTION)
    assert [a.server for a in found.answers] == [f"[::1]:{server.port}"]
    assert present(found.observed).rdatas


def test_progress_counts_every_observation_duplicates_too() -> None:
    seen: list[int] = []
    with run_scripted(lambda r, _t, _n: [honest(r).to_wire()]) as server:
        observer = LiveObserver(Asking(servers=(server.endpoint,)), seen.append)
        found = list(observer.observe([QUESTION, QUESTION, question("acme.example.", "TXT")]))
    assert len(found) == 3
    assert seen == [1, 2, 3]
    assert sum(is_for(request, "MX") for _, request in server.asked) == 1
