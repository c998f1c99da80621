"""Replies that are no answers, or not the zone's: each is unknown with its cause, and never absence."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.name
import dns.rcode
import pytest
from servers.acme import MX, QUESTION, SOA, always, cause, honest, is_for, mangled, present, script_for
from servers.observing import Asking, observe_one, observed, question
from servers.scripted import framed, reply_to, run_scripted

from reconciler.observe.dns import LiveObserver
from reconciler.state import Absent, Cause, Unknown

if TYPE_CHECKING:
    from servers.scripted import Transport

pytestmark = pytest.mark.integration

NS_BELOW = "_amazonses.acme.example. 300 IN NS ns.other.example."

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


def test_names_compare_without_case() -> None:
    def shouting(request: dns.message.Message, _transport: Transport, _before: int) -> list[bytes]:
        wire = honest(request).to_wire()
        end = wire.index(b"\x00", 12)  # the question is repeated to the letter
        return [wire[:end] + wire[end:].replace(b"acme", b"AcMe").replace(b"mail", b"MAIL")]

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


def test_a_resolver_named_as_server_has_no_authority() -> None:
    script = script_for("SOA", lambda r, t, _: always(reply_to(r, SOA, flags=dns.flags.RA), t))
    with run_scripted(script) as server:
        found = observe_one(Asking(servers=(server.endpoint,)), QUESTION)
    assert found.zone is None
    assert cause(found.observed) is Cause.NOT_AUTHORITATIVE


def test_a_server_named_by_a_host_without_address() -> None:
    """The host is looked up at the servers that are there; the observation goes on with them."""
    with run_scripted(lambda r, _t, _n: [honest(r).to_wire()]) as server:
        found = observe_one(Asking(servers=(("gone.acme.example", server.port), server.endpoint)), QUESTION)
    assert present(found.observed).rdatas
    assert cause(found.answers[1].observed) is Cause.NETWORK


def recursing(request: dns.message.Message, **replies: list[str]) -> list[bytes]:
    """A resolver that knows what it is told, by type, and nothing else."""
    answer = replies.get(request.question[0].rdtype.name, [])
    return [reply_to(request, *answer, flags=dns.flags.RA).to_wire()]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({}, Cause.NO_SUCH_ZONE),
        ({"SOA": [SOA]}, Cause.MALFORMED),
        ({"SOA": [SOA], "NS": ["acme.example. 9 IN NS ns.x.example."]}, Cause.NETWORK),
    ],
)
def test_what_a_resolver_does_not_know(answers: dict[str, list[str]], expected: Cause) -> None:
    with run_scripted(lambda r, _t, _n: recursing(r, **answers)) as resolver:
        assert cause(observed(Asking(resolvers=(resolver.endpoint,)), QUESTION)) is expected


def test_a_failing_name_server_lookup_is_no_absence() -> None:
    def failing(request: dns.message.Message, _transport: Transport, _before: int) -> list[bytes]:
        if is_for(request, "SOA"):
            return recursing(request, SOA=[SOA])
        return [reply_to(request, rcode=dns.rcode.SERVFAIL, flags=dns.flags.RA).to_wire()]

    with run_scripted(failing) as resolver:
        found = observe_one(Asking(resolvers=(resolver.endpoint,)), QUESTION)
    assert cause(found.observed) is Cause.SERVFAIL
    assert found.zone is None


def test_a_zone_with_a_crowd_of_name_servers_is_unknown_and_none_of_them_is_looked_up() -> None:
    """Anybody's zone could name thousands of other people's hosts, and have each of them asked."""
    crowd = [f"acme.example. 9 IN NS ns{n}.victim.example." for n in range(33)]
    with run_scripted(lambda r, _t, _n: recursing(r, SOA=[SOA], NS=crowd)) as resolver:
        found = observe_one(Asking(resolvers=(resolver.endpoint,)), QUESTION)
    assert cause(found.observed) is Cause.MALFORMED
    assert not [r for _, r in resolver.asked if "victim" in r.question[0].name.to_text()]


@pytest.mark.parametrize(("in_flight", "times"), [(10, 1), (1, 3)])
def test_who_asks_the_same_meanwhile_joins_and_who_asks_later_asks_anew(in_flight: int, times: int) -> None:
    with run_scripted(lambda r, _t, _n: [honest(r).to_wire()]) as server:
        asking = Asking(servers=(server.endpoint,), in_flight=in_flight)
        found = list(LiveObserver(asking).observe([QUESTION, QUESTION._replace(), QUESTION]))
    assert [present(o.observed).rdatas for o in found] == [("10 mail.acme.example.",)] * 3
    assert sum(is_for(r, "MX") for _, r in server.asked) == times
    assert sum(is_for(r, "SOA") for _, r in server.asked) == 1


def test_where_no_zone_is_found_each_name_is_told_of_itself_and_every_name_above_is_asked_once() -> None:
    names = [f"{name}.acme.example." for name in ("one", "two", "x.two")]
    with run_scripted(lambda r, t, _: always(reply_to(r), t)) as server:
        observer = LiveObserver(Asking(servers=(server.endpoint,)))
        found = {o.key.name: o.observed for o in observer.observe([question(name, "MX") for name in names])}
    assert found == {n: Unknown(Cause.NO_SUCH_ZONE, f"no zone was found that holds {n}") for n in names}
    asked = sorted(r.question[0].name.to_text().lower() for _, r in server.asked if is_for(r, "SOA"))
    assert asked == sorted([*names, "acme.example.", "example."])
    assert sorted(r.question[0].name.to_text().lower() for _, r in server.asked if is_for(r, "MX")) == names
