"""Laws of the short cut: what is read from a plain reply at once is what the message would have said."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rcode
from hypothesis import given, settings
from hypothesis import strategies as st
from servers.scripted import reply_to

from reconciler.names import Name
from reconciler.observe.answer import (
    answered_rrset,
    has_answer,
    observed_in,
    observed_in_reply,
    zone_around,
    zone_in_soa_reply,
)
from reconciler.observe.reply import read_reply
from reconciler.observe.wire import question_wire
from reconciler.state import Key

APEX = Name("acme.example.")
OWNERS = [Name("acme.example."), Name("_amazonses.acme.example."), Name("sub.acme.example.")]
TYPES = ["TXT", "MX", "A", "SOA", "NS", "CNAME"]
RDATAS = {
    "TXT": ['"x"', '"Y" "z"'],
    "MX": ["1 MAIL.acme.example.", "2 b.other.example."],
    "A": ["192.0.2.1"],
    "SOA": ["ns.acme.example. B. 1 2 3 4 5"],
    "NS": ["Ns.acme.example."],
    "CNAME": ["x.example."],
}
others = st.sampled_from([".", "example.", APEX, *OWNERS, f"x.{OWNERS[1]}", "other.example.", "eacme.example."])


@st.composite
def answers(draw: st.DrawFn, owner: Name, rdtype: str) -> list[str]:
    kind = draw(st.sampled_from([rdtype, rdtype, rdtype, "CNAME", "TXT"]))
    rdatas = draw(st.lists(st.sampled_from(RDATAS[kind]), max_size=2, unique=True))
    place = draw(st.sampled_from([owner, owner, owner, Name("other.example.")]))
    return [f"{place} 60 IN {kind} {rdata}" for rdata in rdatas[: 1 if kind in ("SOA", "CNAME") else 2]]


authorities = st.lists(
    st.builds(lambda owner, kind: f"{owner} 60 IN {kind} {RDATAS[kind][0]}", others, st.sampled_from(["SOA", "NS"])),
    max_size=2,
)


@settings(max_examples=400, deadline=None)
@given(
    data=st.data(),
    owner=st.sampled_from(OWNERS),
    rdtype=st.sampled_from(TYPES),
    authority=authorities,
    has_authority=st.sampled_from([True, True, True, False]),
    rcode=st.sampled_from([0, 0, 0, 3]),
)
def test_the_short_cut_leads_to_the_same_place(
    data: st.DataObject,
    owner: Name,
    rdtype: str,
    authority: list[str],
    has_authority: bool,  # noqa: FBT001 - hypothesis passes it by name
    rcode: int,
) -> None:
    answer = data.draw(answers(owner, rdtype))
    flags = dns.flags.AA if has_authority else dns.flags.Flag(0)
    check(owner, rdtype, answer, authority, flags, rcode)


def check(owner: Name, rdtype: str, answer: list[str], authority: list[str], flags: dns.flags.Flag, rcode: int) -> None:
    request = dns.message.make_query(owner, rdtype, flags=0)
    made = reply_to(request, authority=authority, flags=flags, rcode=dns.rcode.Rcode(rcode))
    made.answer = reply_to(request, *answer).answer[:1]
    reply = read_reply(("192.0.2.1", 53), made.to_wire(), question_wire(owner, rdtype))
    key = Key(owner, rdtype)
    assert observed_in_reply(reply, key, APEX) == observed_in(reply.message, key, APEX)
    zone = zone_in_soa_reply(reply.message, owner)
    if rdtype == "SOA":
        assert zone_around(reply, owner) == (None if zone is None else zone.canonicalize().to_text())
    assert has_answer(reply, *key) == (answered_rrset(reply.message, *key) is not None)


def test_replies_from_other_zones_are_no_absence() -> None:
    """From a zone below, a zone above, and one whose name only ends in the same letters."""
    for zone in ("sub.acme.example.", "example.", "eacme.example.", "."):
        check(OWNERS[2], "SOA", [], [f"{zone} 60 IN SOA a. b. 1 2 3 4 5"], dns.flags.AA, 0)
        check(OWNERS[2], "TXT", [], [f"{zone} 60 IN SOA a. b. 1 2 3 4 5"], dns.flags.AA, 3)


def test_a_zone_that_begins_at_the_name_is_another_one() -> None:
    """Whether or not its SOA has capitals, which keep it from the short cut."""
    for contact in ("hostmaster.example.", "HostMaster.example."):
        for owner in OWNERS:
            check(owner, "SOA", [f"{owner} 60 IN SOA ns.example. {contact} 1 2 3 4 5"], [], dns.flags.AA, 0)


def test_a_zone_whose_name_is_as_long_as_the_apex_is_not_the_apex() -> None:
    """The authority section is told by how many octets its owners have: that is enough below the apex alone."""
    owner = Name("x.beta.example.")
    check(owner, "TXT", [], ["beta.example. 60 IN SOA a. b. 1 2 3 4 5"], dns.flags.AA, 3)
    check(owner, "TXT", [f'{owner} 60 IN TXT "x"'], ["beta.example. 60 IN NS ns.example."], dns.flags.AA, 0)
