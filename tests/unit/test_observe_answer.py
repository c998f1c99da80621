"""What a reply means, rule by rule; the replies are built as dnspython parses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rcode
import pytest
from servers import scripted

from reconciler.names import Name
from reconciler.observe.answer import answered_rrset, is_alias, is_referral, observed_in, zone_in_soa_reply
from reconciler.state import Absent, Cause, Key, Observed, Present, Unknown, build_rrset, mx_rdata

if TYPE_CHECKING:
    from collections.abc import Sequence

APEX = Name("acme.example.")
OWNER = Name("_amazonses.acme.example.")
TXT = Key(OWNER, "TXT")
NO_FLAGS = dns.flags.Flag(0)
SOA = "acme.example. 60 IN SOA ns. host. 1 2 3 4 5"


def asked(key: Key = TXT) -> dns.message.Message:
    return dns.message.make_query(key.name, key.type, flags=0)


def reply_to(
    request: dns.message.Message,
    *answer: str,
    authority: Sequence[str] = (),
    flags: dns.flags.Flag = dns.flags.AA,
    rcode: dns.rcode.Rcode = dns.rcode.NOERROR,
) -> dns.message.Message:
    """The reply as it comes from the wire."""
    reply = scripted.reply_to(request, *answer, authority=authority, flags=flags, rcode=rcode)
    return dns.message.from_wire(reply.to_wire())


def cause(observed: Observed) -> Cause:
    assert isinstance(observed, Unknown), observed
    return observed.cause


def test_values_and_ttl_are_those_served() -> None:
    reply = reply_to(asked(), f'{OWNER} 77 IN TXT "b" "c"', f'{OWNER} 77 IN TXT "a;\\255"')
    observed = observed_in(reply, TXT, APEX)
    assert observed == Present(build_rrset(TXT, 77, ('"a;\\255"', '"b" "c"')))  # type: ignore[arg-type]


def test_names_in_mx_rdata_are_lowercased() -> None:
    key = Key(APEX, "MX")
    observed = observed_in(reply_to(asked(key), "Acme.EXAMPLE. 5 IN MX 10 Mail.Acme.Example."), key, APEX)
    assert observed == Present(build_rrset(key, 5, (mx_rdata(10, Name("mail.acme.example.")),)))


@pytest.mark.parametrize("rcode", [dns.rcode.NOERROR, dns.rcode.NXDOMAIN])
@pytest.mark.parametrize("authority", [[SOA], []])
def test_negative_answers(rcode: dns.rcode.Rcode, authority: list[str]) -> None:
    assert observed_in(reply_to(asked(), authority=authority, rcode=rcode), TXT, APEX) == Absent()


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        (OWNER, Cause.DELEGATED),
        (APEX, Cause.NOT_AUTHORITATIVE),
        ("example.", Cause.NOT_AUTHORITATIVE),
        (".", Cause.NOT_AUTHORITATIVE),
        ("other.acme.example.", Cause.NOT_AUTHORITATIVE),
    ],
)
def test_a_referral_is_a_delegation_below_the_apex_alone(cut: str, expected: Cause) -> None:
    reply = reply_to(asked(), authority=[f"{cut} 60 IN NS ns.example."], flags=NO_FLAGS)
    assert is_referral(reply)
    assert cause(observed_in(reply, TXT, APEX)) is expected


def test_nothing_counts_without_the_aa_bit() -> None:
    for reply in (
        reply_to(asked(), f'{OWNER} 1 IN TXT "x"', flags=NO_FLAGS),
        reply_to(asked(), authority=[SOA], rcode=dns.rcode.NXDOMAIN, flags=dns.flags.RA),
        reply_to(asked(), f"{OWNER} 1 IN CNAME x.example.", flags=dns.flags.RA),
    ):
        assert cause(observed_in(reply, TXT, APEX)) is Cause.NOT_AUTHORITATIVE


@pytest.mark.parametrize(
    ("zone", "expected"),
    [(OWNER, Cause.DELEGATED), ("example.", Cause.NOT_AUTHORITATIVE), (".", Cause.NOT_AUTHORITATIVE)],
)
def test_an_answer_from_another_zone(zone: str, expected: Cause) -> None:
    positive = reply_to(asked(), f'{OWNER} 1 IN TXT "x"', authority=[f"{zone} 60 IN NS ns.example."])
    negative = reply_to(asked(), authority=[f"{zone} 60 IN SOA a. b. 1 2 3 4 5"])
    assert cause(observed_in(positive, TXT, APEX)) is expected
    assert cause(observed_in(negative, TXT, APEX)) is expected


def test_an_soa_below_the_apex_is_another_zones() -> None:
    soa = Key(OWNER, "SOA")
    reply = reply_to(asked(soa), f"{OWNER} 60 IN SOA a. b. 1 2 3 4 5")
    assert cause(observed_in(reply, soa, APEX)) is Cause.DELEGATED
    assert isinstance(observed_in(reply, soa, OWNER), Present)


def test_aliases() -> None:
    cname = reply_to(asked(), f"{OWNER} 1 IN CNAME x.example.", 'x.example. 1 IN TXT "not ours"')
    dname = reply_to(asked(), "acme.example. 1 IN DNAME acme.net.", f"{OWNER} 0 IN CNAME _amazonses.acme.net.")
    too_long = reply_to(asked(), "acme.example. 1 IN DNAME acme.net.", rcode=dns.rcode.YXDOMAIN)
    for reply, target in ((cname, "x.example."), (dname, "acme.net."), (too_long, "acme.net.")):
        observed = observed_in(reply, TXT, APEX)
        assert cause(observed) is Cause.CNAME
        assert target in str(observed)
        assert is_alias(reply, OWNER)


def test_who_asks_for_a_cname_gets_it() -> None:
    key = Key(OWNER, "CNAME")
    assert isinstance(observed_in(reply_to(asked(key), f"{OWNER} 1 IN CNAME x.example."), key, APEX), Present)


@pytest.mark.parametrize(
    "reply",
    [
        reply_to(asked(), 'x.example. 1 IN TXT "x"'),
        reply_to(asked(), f"{OWNER} 1 IN MX 1 x.example."),
        reply_to(asked(), f'{OWNER} 1 IN TXT "x"', rcode=dns.rcode.NXDOMAIN),
        reply_to(asked(), rcode=dns.rcode.YXDOMAIN),
    ],
)
def test_answers_that_contradict_themselves(reply: dns.message.Message) -> None:
    assert cause(observed_in(reply, TXT, APEX)) is Cause.MALFORMED


def test_the_zone_around_a_name() -> None:
    soa = Key(OWNER, "SOA")
    assert str(zone_in_soa_reply(reply_to(asked(soa), authority=[SOA]), OWNER)) == APEX
    assert str(zone_in_soa_reply(reply_to(asked(Key(APEX, "SOA")), SOA), APEX)) == APEX
    elsewhere = reply_to(asked(soa), authority=["example.net. 1 IN SOA a. b. 1 2 3 4 5"])
    assert zone_in_soa_reply(elsewhere, OWNER) is None
    assert not is_alias(elsewhere, OWNER)


def test_the_answered_rrset_is_the_alias_first() -> None:
    reply = reply_to(asked(), f"{OWNER} 1 IN CNAME x.example.")
    found = answered_rrset(reply, OWNER, "TXT")
    assert found is not None
    assert found.rdtype.name == "CNAME"
    assert answered_rrset(reply_to(asked()), OWNER, "TXT") is None
