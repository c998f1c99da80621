"""A mail domain's MX question finds its zone where the answer shows it, and nothing else is ever taken for that.

The reference asks for the SOA first, always: whatever servers say, both observe the same.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rcode
import pytest
from servers.acme import always, cause, present
from servers.bind import run_bind
from servers.differential import observed_by_both
from servers.nsd import run_nsd
from servers.observing import Asking, question
from servers.scripted import reply_to, run_scripted
from servers.tricky import HEAD

from reconciler.names import Name
from reconciler.observe.dns import LiveObserver
from reconciler.state import Absent, Cause, Present

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from servers.scripted import Script, Scripted, Transport

    from reconciler.observe import Question
    from reconciler.state import Observation

    Replies = Callable[[dns.message.Message], dns.message.Message]

pytestmark = pytest.mark.integration

DOMAIN, ABOVE = "sub.acme.example.", "acme.example."
MX = f"{DOMAIN} 300 IN MX 10 mail.{DOMAIN}"
TXT = f'_amazonses.{DOMAIN} 300 IN TXT "token"'
NS, NS_ABOVE, NS_BESIDE = (f"{owner} 300 IN NS ns1.example." for owner in (DOMAIN, ABOVE, "other.example."))
SOA, SOA_ABOVE = (f"{owner} 300 IN SOA ns1.example. host.example. 1 2 3 4 5" for owner in (DOMAIN, ABOVE))
CNAME, DNAME = f"{DOMAIN} 60 IN CNAME elsewhere.example.", f"{ABOVE} 60 IN DNAME acme.example.net."
ASKED = [question(DOMAIN, "MX"), question(f"_amazonses.{DOMAIN}", "TXT", domain=DOMAIN)]


def saying(*, mx: Replies, soa: Replies | None = None, zone: str = SOA, txt: Replies | None = None) -> Script:
    """A server whose zone has `zone` as its SOA, but for what it says to some types of questions at the domain."""

    def honest_soa(request: dns.message.Message) -> dns.message.Message:
        return reply_to(request, SOA) if zone == SOA else reply_to(request, authority=[zone])

    def honest_txt(request: dns.message.Message) -> dns.message.Message:
        return reply_to(request, TXT)

    def script(request: dns.message.Message, transport: Transport, _before: int) -> list[bytes]:
        name, rdtype = request.question[0].name.to_text().lower(), request.question[0].rdtype.name
        if name == DOMAIN:
            said = {"MX": mx, "SOA": soa or honest_soa}.get(rdtype)
        else:
            said = (txt or honest_txt) if f"{name} {rdtype}" == f"_amazonses.{DOMAIN} TXT" else None
        negative = reply_to(request, authority=[zone], rcode=dns.rcode.NXDOMAIN)
        return always(negative if said is None else said(request), transport)

    return script


def fixed(*servers: Scripted, timeout: float = 3.0) -> Asking:
    return Asking(servers=tuple(server.endpoint for server in servers), timeout=timeout)


def types_asked(server: Scripted) -> Counter[str]:
    return Counter(request.question[0].rdtype.name for _, request in server.asked)


def looked(asking: Asking, asked: Sequence[Question] = ASKED) -> list[Observation]:
    found = {o.key: o for o in LiveObserver(asking).observe(asked)}
    return [found[each.key] for each in asked]


def apexes(found: Sequence[Observation]) -> set[str | None]:
    return {None if o.zone is None else o.zone.apex for o in found}


def shown(request: dns.message.Message) -> dns.message.Message:
    return reply_to(request, MX, authority=[NS])


def minimal(request: dns.message.Message) -> dns.message.Message:
    return reply_to(request, MX)


def test_an_answer_that_shows_the_zone_is_not_followed_by_the_soa_question() -> None:
    with run_scripted(saying(mx=shown)) as server:
        mx, txt = looked(fixed(server))
        asked = types_asked(server)
        observed_by_both(fixed(server), ASKED)
    assert asked == {"MX": 1, "TXT": 2}
    assert apexes([mx, txt]) == {DOMAIN}
    assert present(mx.observed).rdatas == (f"10 mail.{DOMAIN}",)
    assert present(txt.observed).rdatas == ('"token"',)


def test_an_answer_that_does_not_show_the_zone_is_still_the_answer() -> None:
    """As many questions as there were when the SOA came first."""
    with run_scripted(saying(mx=minimal)) as server:
        found = looked(fixed(server))
        assert types_asked(server) == {"MX": 1, "SOA": 1, "TXT": 2}
    assert apexes(found) == {DOMAIN}


def test_an_answer_serves_once_and_whoever_asks_later_hears_what_is_said_then() -> None:
    said = iter(["10 first.example.", "10 second.example.", "10 third.example."])

    def changing(request: dns.message.Message) -> dns.message.Message:
        return reply_to(request, f"{DOMAIN} 300 IN MX {next(said)}", authority=[NS])

    with run_scripted(saying(mx=changing)) as server:
        one_by_one = Asking(servers=(server.endpoint,), in_flight=1)
        found = list(LiveObserver(one_by_one).observe([ASKED[0], ASKED[1], ASKED[0], ASKED[0]]))
        assert types_asked(server) == {"MX": 3, "TXT": 2}
    rdatas = [o.observed.rrset.rdatas for o in found if isinstance(o.observed, Present) and o.key.type == "MX"]
    assert rdatas == [("10 first.example.",), ("10 second.example.",), ("10 third.example.",)]


def no_answer(rcode: dns.rcode.Rcode) -> Replies:
    return lambda request: reply_to(request, rcode=rcode)


WITHOUT_AA = dns.flags.RA
NOT_SHOWN: dict[str, tuple[Script, str | None]] = {
    "NS of the zone above": (
        saying(mx=lambda r: reply_to(r, MX, authority=[NS_ABOVE]), zone=SOA_ABOVE), ABOVE),
    "NS of the zone above, though there is one at the name": (
        saying(mx=lambda r: reply_to(r, MX, authority=[NS_ABOVE])), DOMAIN),
    "NS of the zone and of the one above": (
        saying(mx=lambda r: reply_to(r, MX, authority=[NS, NS_ABOVE]), zone=SOA_ABOVE), ABOVE),
    "NS beside": (saying(mx=lambda r: reply_to(r, MX, authority=[NS_BESIDE]), zone=SOA_ABOVE), ABOVE),
    "NS below": (
        saying(mx=lambda r: reply_to(r, MX, authority=[f"x.{DOMAIN} 300 IN NS ns1.example."]), zone=SOA_ABOVE), ABOVE),
    "NS of the root": (saying(mx=lambda r: reply_to(r, MX, authority=[". 300 IN NS a."]), zone=SOA_ABOVE), ABOVE),
    "SOA in place of NS": (saying(mx=lambda r: reply_to(r, MX, authority=[SOA]), zone=SOA_ABOVE), ABOVE),
    "no AA": (
        saying(mx=lambda r: reply_to(r, MX, authority=[NS], flags=WITHOUT_AA),
               soa=lambda r: reply_to(r, SOA, flags=WITHOUT_AA)), None),
    "no AA in the MX answer alone": (
        saying(mx=lambda r: reply_to(r, MX, authority=[NS], flags=WITHOUT_AA)), DOMAIN),
    "nothing in the answer": (saying(mx=lambda r: reply_to(r, authority=[NS]), zone=SOA_ABOVE), ABOVE),
    "a referral": (
        saying(mx=lambda r: reply_to(r, authority=[NS], flags=WITHOUT_AA),
               soa=lambda r: reply_to(r, authority=[NS], flags=WITHOUT_AA), zone=SOA_ABOVE), ABOVE),
    "NXDOMAIN with an answer": (
        saying(mx=lambda r: reply_to(r, MX, authority=[NS], rcode=dns.rcode.NXDOMAIN), zone=SOA_ABOVE), ABOVE),
    "a negative answer of the zone above": (
        saying(mx=lambda r: reply_to(r, authority=[SOA_ABOVE], rcode=dns.rcode.NXDOMAIN), zone=SOA_ABOVE), ABOVE),
    "a negative answer of the zone": (saying(mx=lambda r: reply_to(r, authority=[SOA])), DOMAIN),
    "a CNAME": (
        saying(mx=lambda r: reply_to(r, CNAME, authority=[NS]), soa=lambda r: reply_to(r, CNAME, authority=[NS]),
               zone=SOA_ABOVE), ABOVE),
    "a CNAME and the target's MX": (
        saying(mx=lambda r: reply_to(r, CNAME, "elsewhere.example. 9 IN MX 1 b.example.", authority=[NS]),
               soa=lambda r: reply_to(r, CNAME), zone=SOA_ABOVE), ABOVE),
    "a DNAME above": (
        saying(mx=lambda r: reply_to(r, DNAME, f"{DOMAIN} 0 IN CNAME sub.acme.example.net.", authority=[NS]),
               soa=lambda r: reply_to(r, DNAME), zone=SOA_ABOVE), ABOVE),
    "SERVFAIL": (saying(mx=no_answer(dns.rcode.SERVFAIL)), DOMAIN),
    "REFUSED, and the SOA as well": (
        saying(mx=no_answer(dns.rcode.REFUSED), soa=no_answer(dns.rcode.REFUSED)), None),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_SHOWN)
def test_what_does_not_show_the_zone_is_not_taken_for_it(name: str) -> None:
    script, apex = NOT_SHOWN[name]
    with run_scripted(script) as server:
        found = observed_by_both(fixed(server), ASKED)
        asked_fast = types_asked(server)["SOA"]
    assert apexes(found) == {apex}
    assert asked_fast >= 2, "each observer has asked for the SOA"


def test_the_zone_above_is_found_from_there(tmp_path: Path) -> None:
    """On real servers: a mail domain in a bigger zone, with its alias and its DNAME, and one in a zone of its own."""
    text = f"{HEAD}sub IN MX 10 mail\n_amazonses.sub IN TXT token\nal IN CNAME sub\ndn IN DNAME sub\nown IN NS ns1\n"
    own = f"{HEAD}@ IN MX 10 mail\n_amazonses IN TXT token\n"
    asked = []
    for name in (f"{label}{ABOVE}" for label in ("", "sub.", "al.", "dn.", "x.dn.", "own.", "gone.")):
        asked += [question(name, "MX"), question(f"_amazonses.{name}", "TXT", domain=name)]
    for run in (run_nsd, run_bind):
        zones = {ABOVE: text, f"own.{ABOVE}": own}
        with run(zones, directory=tmp_path / run.__name__) as server:
            found = observed_by_both(Asking(servers=((server.address, server.port),)), asked)
        assert [o.zone and o.zone.apex for o in found] == [ABOVE] * 10 + [f"own.{ABOVE}"] * 2 + [ABOVE] * 2
        assert [isinstance(o.observed, Present) for o in found[:4]] == [False, False, True, True]
        assert [cause(o.observed) for o in (found[4], found[8])] == [Cause.CNAME, Cause.CNAME]
        assert all(isinstance(o.observed, Present) for o in found[10:12])


def test_one_server_holds_the_zone_and_another_one_the_zone_above_alone(tmp_path: Path) -> None:
    child = {DOMAIN: f"{HEAD}@ IN MX 10 mail\n_amazonses IN TXT token\n"}
    parents = {"delegates": f"{HEAD}sub IN NS ns1\n", "knows better": f"{HEAD}sub IN MX 99 old\n", "knows not": HEAD}
    with ExitStack() as stack:
        below = stack.enter_context(run_nsd(child, directory=tmp_path / "child"))
        for label, text in parents.items():
            above = stack.enter_context(run_bind({ABOVE: text}, directory=tmp_path / label))
            asking = Asking(servers=((above.address, above.port), (below.address, below.port)))
            found = observed_by_both(asking, ASKED)
            assert apexes(found) == {DOMAIN}
            causes = [cause(a.observed) for o in found for a in o.answers if a.server.endswith(f":{above.port}")]
            assert causes == [Cause.NOT_AUTHORITATIVE] * 2
            assert all(isinstance(o.observed, Present) for o in found)


@pytest.mark.parametrize("mx", [shown, minimal])
def test_a_dead_server_beside_one_that_shows_the_zone_is_waited_for_once(mx: Replies) -> None:
    """By the MX question, and by the other one meanwhile: nothing that it could say about the zone would count."""
    with run_scripted(saying(mx=mx)) as server, run_scripted(lambda _r, _t, _n: []) as dead:
        asking = fixed(server, dead, timeout=0.4)
        mail, txt = looked(asking)
        assert types_asked(dead) == {"MX": asking.attempts, "TXT": asking.attempts}
        observed_by_both(asking, ASKED[:1])
    assert present(mail.observed).rdatas == (f"10 mail.{DOMAIN}",)
    assert [cause(a.observed) for o in (mail, txt) for a in o.answers if a.server.endswith(str(dead.port))] == [
        Cause.TIMEOUT
    ] * 2


def test_a_dead_server_that_may_hold_the_zone_is_asked_for_it_before_everything_is_unknown() -> None:
    """It might have been silent about the MX alone."""
    script = saying(mx=lambda r: reply_to(r, authority=[SOA_ABOVE]), zone=SOA_ABOVE)
    with run_scripted(lambda _r, _t, _n: []) as dead, run_scripted(script) as above:
        for others in ((), (above,)):
            dead.asked.clear()
            asking = fixed(dead, *others, timeout=0.3)
            found = looked(asking)
            assert types_asked(dead) == {"MX": asking.attempts, "SOA": asking.attempts}
            assert apexes(found) == {None}
            assert [cause(o.observed) for o in found] == [Cause.TIMEOUT] * 2
            observed_by_both(asking, ASKED[:1])


def test_a_server_that_is_silent_about_the_mx_alone_is_heard_about_the_rest() -> None:
    def silent(request: dns.message.Message, transport: Transport, before: int) -> list[bytes]:
        is_mx = request.question[0].rdtype.name == "MX"
        return [] if is_mx else list(saying(mx=shown)(request, transport, before))

    with run_scripted(silent) as server:
        mx, txt = observed_by_both(fixed(server, timeout=0.4), ASKED)
    assert cause(mx.observed) is Cause.TIMEOUT
    assert present(txt.observed).rdatas == ('"token"',)


def test_a_declared_zone_is_looked_for_itself() -> None:
    """The MX question at another name would tell nothing of it; at its own apex it does."""
    apart = [each._replace(zone=Name(ABOVE)) for each in ASKED]
    own = [each._replace(zone=Name(DOMAIN)) for each in ASKED]
    with run_scripted(saying(mx=shown)) as server:
        assert apexes(looked(fixed(server), own)) == {DOMAIN}
        assert types_asked(server) == {"MX": 1, "TXT": 2}
        server.asked.clear()
        assert apexes(looked(fixed(server), apart)) == {None}
        assert types_asked(server)["MX"] == 0
        observed_by_both(fixed(server), [*own, *apart])


def test_whoever_asks_for_something_else_first_asks_for_the_soa() -> None:
    with run_scripted(saying(mx=shown)) as server:
        found = looked(fixed(server), [ASKED[1], ASKED[0]])
        assert types_asked(server) == {"SOA": 1, "MX": 1, "TXT": 2}
        (other,) = observed_by_both(fixed(server), [question(f"x.{DOMAIN}", "MX", domain=DOMAIN)])
    assert apexes([*found, other]) == {DOMAIN}
    assert other.observed == Absent(), "the domain's own MX is not another name's"


def test_a_server_without_address_has_its_problem_for_an_answer() -> None:
    with run_scripted(saying(mx=shown)) as server:
        asking = Asking(servers=(("gone.acme.example", server.port), server.endpoint))
        found = observed_by_both(asking, ASKED)
    assert apexes(found) == {DOMAIN}
    assert [[type(a.observed) is Present for a in o.answers] for o in found] == [[True, False]] * 2


def test_a_truncated_answer_shows_the_zone_over_tcp() -> None:
    def cut(request: dns.message.Message, transport: Transport, before: int) -> list[bytes]:
        if transport == "udp" and request.question[0].rdtype.name == "MX":
            return [reply_to(request, flags=dns.flags.AA | dns.flags.TC).to_wire()]
        return list(saying(mx=shown)(request, transport, before))

    with run_scripted(cut) as server:
        mx, _ = looked(fixed(server))
        assert types_asked(server) == {"MX": 2, "TXT": 2}
        observed_by_both(fixed(server), ASKED)
    assert present(mx.observed).rdatas == (f"10 mail.{DOMAIN}",)
