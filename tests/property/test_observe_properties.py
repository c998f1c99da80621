"""Laws of observing: hostile replies and files never raise, and nothing counts that was not said with authority."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rdata
import dns.rdataclass
import dns.rdatatype
from hypothesis import given, settings
from hypothesis import strategies as st
from servers.scripted import reply_to

from reconciler.names import Name
from reconciler.observe import Question
from reconciler.observe.answer import observed_in, observed_in_reply, zone_in_soa_reply
from reconciler.observe.asking import ExchangeError
from reconciler.observe.masterfile import MasterFileError, parse_master_file
from reconciler.observe.reply import is_answer_to, read_reply
from reconciler.observe.wire import question_wire
from reconciler.observe.zonefile import ZonefileObserver
from reconciler.state import Absent, Cause, Key, Present, Rdata, Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.state import Observed

APEX = Name("acme.example.")
OWNER = Name("_amazonses.acme.example.")
KEY = Key(OWNER, "TXT")
SERVER = ("192.0.2.1", 53)
HEAD = "$TTL 300\n@ IN SOA ns1 hostmaster 1 3600 600 86400 60\n@ IN NS ns1\n"

names = st.sampled_from([".", "example.", APEX, OWNER, f"x.{OWNER}", "other.example.", "a.acme.example."])
records = st.builds(
    lambda name, kind: f"{name} 60 IN {kind}",
    names,
    st.sampled_from(
        ['TXT "x"', "NS ns.example.", "SOA a. b. 1 2 3 4 5", "CNAME x.example.", "DNAME y.example.", "MX 1 m.example."]
    ),
)
flags = st.sampled_from([0, dns.flags.AA, dns.flags.RA, dns.flags.AA | dns.flags.RA]).map(dns.flags.Flag)
rcodes = st.sampled_from([dns.rcode.NOERROR, dns.rcode.NXDOMAIN, dns.rcode.YXDOMAIN])


def request() -> dns.message.Message:
    return dns.message.make_query(OWNER, "TXT", flags=0)


def read(asked: dns.message.Message, wire: bytes) -> Observed | None:
    """What an exchange and the reading of its reply make of a datagram; None: ignored."""
    question = question_wire(OWNER, "TXT")
    if wire[:2] != asked.id.to_bytes(2, "big") or not is_answer_to(wire, question):
        return None
    try:
        reply = read_reply(SERVER, wire, question)
    except ExchangeError as exc:
        return exc.unknown
    observed = observed_in(reply.message, KEY, APEX)
    assert observed_in_reply(reply, KEY, APEX) == observed, "the short cut leads to the same place"
    return observed


@settings(deadline=None)
@given(wire=st.binary(max_size=200), has_our_head=st.booleans())
def test_no_datagram_raises(wire: bytes, has_our_head: bool) -> None:  # noqa: FBT001 - hypothesis passes it by name
    asked = request()
    head = asked.to_wire()[:2] + b"\x84\x00" + asked.to_wire()[4:] if has_our_head else b""
    read(asked, head + wire)


@settings(deadline=None)
@given(
    answer=st.lists(records, max_size=3),
    authority=st.lists(records, max_size=3),
    flags=flags,
    rcode=rcodes,
    damage=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=3),
    cut=st.integers(0, 400),
)
def test_no_damaged_reply_raises(
    answer: Sequence[str],
    authority: Sequence[str],
    flags: dns.flags.Flag,
    rcode: dns.rcode.Rcode,
    damage: Sequence[tuple[int, int]],
    cut: int,
) -> None:
    asked = request()
    wire = bytearray(reply_to(asked, *answer, authority=authority, flags=flags, rcode=rcode).to_wire())
    for place, octet in damage:
        wire[place % len(wire)] = octet
    read(asked, bytes(wire[: max(cut, 12)]))


@settings(max_examples=200, deadline=None)
@given(answer=st.lists(records, max_size=3), authority=st.lists(records, max_size=3), flags=flags, rcode=rcodes)
def test_what_counts_was_said_with_authority_by_the_right_zone(
    answer: Sequence[str], authority: Sequence[str], flags: dns.flags.Flag, rcode: dns.rcode.Rcode
) -> None:
    asked = request()
    wire = reply_to(asked, *answer, authority=authority, flags=flags, rcode=rcode).to_wire()
    observed = read(asked, wire)
    reply = dns.message.from_wire(wire)
    zone_in_soa_reply(reply, OWNER)
    if not isinstance(observed, Unknown):
        assert flags & dns.flags.AA
        assert not any("CNAME" in text and text.startswith(OWNER) for text in answer)
        assert not any("SOA" in text and text.startswith(OWNER) for text in authority)
        assert isinstance(observed, Present) == any(text.startswith(f"{OWNER} 60 IN TXT") for text in answer)
        assert not answer or isinstance(observed, Present), "absence has an empty answer section"
    elif observed.cause is Cause.DELEGATED:
        assert any(text.startswith(OWNER) for text in authority)


@settings(deadline=None)
@given(wire=st.binary(min_size=1, max_size=100), identity=st.integers(1, 65535))
def test_a_reply_with_another_id_is_ignored(wire: bytes, identity: int) -> None:
    asked = request()
    forged = reply_to(asked, f'{OWNER} 60 IN TXT "forged"')
    forged.id = (asked.id + identity) % 65536
    assert forged.id == asked.id or read(asked, forged.to_wire()) is None
    assert read(asked, wire[:11]) is None


octets = st.binary(max_size=255)
txt_rdatas = st.lists(octets, min_size=1, max_size=4).map(
    lambda strings: dns.rdata.from_wire(
        dns.rdataclass.IN,
        dns.rdatatype.TXT,
        wire := b"".join(bytes([len(s)]) + s for s in strings),
        0,
        len(wire),
    )
)


@settings(deadline=None)
@given(rdatas=st.lists(txt_rdatas, min_size=1, max_size=5), ttl=st.integers(0, 2**31 - 1))
def test_a_master_file_gives_back_every_octet(rdatas: list[dns.rdata.Rdata], ttl: int) -> None:
    lines = "".join(f"_amazonses {ttl} IN TXT {rdata.to_text()}\n" for rdata in rdatas)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "acme.example.zone").write_text(HEAD + lines, encoding="ascii")
        (observation,) = ZonefileObserver(Path(folder), ".zone").observe([Question(KEY, APEX)])
    assert isinstance(observation.observed, Present)
    assert set(observation.observed.rrset.rdatas) == {Rdata(rdata.to_text()) for rdata in rdatas}
    assert observation.observed.rrset.ttl == ttl


words = st.sampled_from(
    [
        "@",
        "IN",
        "TXT",
        "MX",
        "SOA",
        "$TTL",
        "$ORIGIN",
        "$GENERATE",
        "1-3",
        "$INCLUDE",
        '"',
        "(",
        ")",
        ";",
        "\n",
        "\n ",
        "\\",
    ]
)
anything = st.lists(words | st.text(max_size=8), max_size=30).map(" ".join) | st.text(max_size=80)


@settings(max_examples=200, deadline=None)
@given(text=anything, is_after_head=st.booleans())
def test_no_master_file_raises_anything_but_its_own_error(text: str, is_after_head: bool) -> None:  # noqa: FBT001 - by name
    with contextlib.suppress(MasterFileError):
        parse_master_file(f"{HEAD}{text}" if is_after_head else text, APEX, "acme.example.zone")


@settings(deadline=None)
@given(
    order=st.permutations(
        ["_amazonses IN TXT x", "@ IN MX 1 a", "@ IN MX 2 b", "sub IN NS ns.example.", "c IN CNAME d"]
    ),
    asked=st.permutations(
        [KEY, Key(APEX, "MX"), Key(Name("a.sub.acme.example."), "MX"), Key(Name("c.acme.example."), "MX")]
    ),
)
def test_neither_the_order_of_lines_nor_of_questions_matters(order: list[str], asked: list[Key]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "acme.example.zone").write_text(HEAD + "\n".join(order) + "\n", encoding="ascii")
        questions = [Question(key, APEX) for key in asked]
        found = {o.key: o.observed for o in ZonefileObserver(Path(folder), ".zone").observe(questions)}
    assert isinstance(found[KEY], Present)
    mx = found[Key(APEX, "MX")]
    assert isinstance(mx, Present)
    assert mx.rrset.rdatas == ("1 a.acme.example.", "2 b.acme.example.")
    causes = [o.cause for key in asked[:] if isinstance(o := found[key], Unknown)]
    assert set(causes) == {Cause.DELEGATED, Cause.CNAME}
    assert not any(isinstance(o, Absent) for o in found.values())
