"""Laws of the walker: what it reads is what dnspython reads, whatever came; what it leaves is left to dnspython.

`RECONCILER_WIRE_EXAMPLES` sets the number of generated answers: 100000 is a few minutes.
"""

from __future__ import annotations

import os
import random
import re

import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_answers import an_answer, check

from reconciler.observe.walker import Plain, read_plain
from reconciler.observe.wire import mixed_case, name_wire, packed_query, question_wire

EXAMPLES = int(os.environ.get("RECONCILER_WIRE_EXAMPLES", "1000"))
SLICE = 100  # answers made from one hypothesis example


@settings(max_examples=max(EXAMPLES // SLICE, 1), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_plain_answers_are_read_as_dnspython_reads_them(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - a generator of test data
    read = sum(check(*an_answer(dice)) for _ in range(SLICE))
    assert read > SLICE // 10, "the law is about what is read"


@settings(max_examples=max(EXAMPLES // SLICE, 1), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_damaged_answers_are_read_as_dnspython_reads_them_or_left(seed: int) -> None:
    """Octets changed, removed, doubled and appended; pointers set at random places."""
    dice = random.Random(seed)  # noqa: S311 - a generator of test data
    for _ in range(SLICE):
        wire, question = an_answer(dice)
        damaged = bytearray(wire)
        for _ in range(dice.randint(1, 3)):
            place = dice.randrange(len(damaged))
            kind = dice.randrange(5)
            if kind == 0:
                damaged[place] = dice.randrange(256)
            elif kind == 1:
                del damaged[place : place + dice.randint(1, 4)]
            elif kind == 2:
                damaged[place:place] = damaged[place : place + dice.randint(1, 4)]
            elif kind == 3:
                damaged[place : place + 2] = bytes((0xC0 | dice.randrange(2), dice.randrange(256)))
            else:
                damaged[place] ^= 1 << dice.randrange(8)
            damaged = damaged or bytearray(b"\x00")
        check(bytes(damaged), question)


@settings(max_examples=max(EXAMPLES // SLICE, 1), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_answers_that_are_cut_anywhere_are_left_to_dnspython(seed: int) -> None:
    """And so are those with octets behind the end."""
    wire, question = an_answer(random.Random(seed))  # noqa: S311 - a generator of test data
    for end in range(len(wire)):
        assert read_plain(wire[:end], question) is None
    assert read_plain(wire + b"\x00", question) is None


QUESTION = question_wire("acme.example.", "MX")
HEAD = b"\x12\x34\x84\x00\x00\x01\x00\x01\x00\x00\x00\x00" + QUESTION


@settings(max_examples=max(EXAMPLES // 10, 1), deadline=None)
@given(tail=st.binary(max_size=120), has_head=st.booleans())
def test_random_octets_are_read_as_dnspython_reads_them_or_left(tail: bytes, has_head: bool) -> None:  # noqa: FBT001 - by name
    check(HEAD + tail if has_head else tail, QUESTION)


parts = st.one_of(
    st.binary(min_size=1, max_size=8).map(lambda label: bytes((len(label),)) + label),
    st.integers(0, 120).map(lambda target: (0xC000 | target).to_bytes(2, "big")),
    st.just(b"\x00"),
    st.integers(64, 191).map(lambda octet: bytes((octet,))),
)


@settings(max_examples=max(EXAMPLES // 5, 1), deadline=None)
@given(owner=st.lists(parts, max_size=4), exchange=st.lists(parts, max_size=6), slack=st.integers(-1, 1))
def test_pointers_are_followed_as_dnspython_follows_them(owner: list[bytes], exchange: list[bytes], slack: int) -> None:
    rdata = b"\x00\x0a" + b"".join(exchange)
    size = max(len(rdata) + slack, 0).to_bytes(2, "big")
    head = HEAD + (b"".join(owner) or b"\xc0\x0c") + b"\x00\x0f\x00\x01\x00\x00\x01\x2c"
    check(head + size + rdata, QUESTION)


def test_a_chain_of_pointers_ends() -> None:
    """Every pointer to the one before it, and one to itself: RFC 1035 section 4.1.4 forbids none of it by name."""
    chain = b"\xc0\x0c" + b"".join((0xC000 | place).to_bytes(2, "big") for place in range(43, 243, 2))
    record = b"\xc0\x0c\x00\x0f\x00\x01\x00\x00\x01\x2c"
    for rdata in (b"\x00\x0a" + chain, b"\x00\x0a\xc0\x2b", b"\x00\x0a\xc0\xff"):
        assert read_plain(HEAD + record + len(rdata).to_bytes(2, "big") + rdata, QUESTION) is None


labels = st.lists(st.binary(min_size=1, max_size=20), min_size=0, max_size=5).map(
    lambda found: dns.name.Name([*found, b""])
)


@given(name=labels, randomness=st.binary(min_size=300, max_size=300))
def test_queries_are_what_dnspython_makes_of_them(name: dns.name.Name, randomness: bytes) -> None:
    text = name.to_text()
    assert name_wire(text) == name.canonicalize().to_wire()
    question = question_wire(text, "TXT")
    mixed = mixed_case(question, randomness[: len(question)])
    assert mixed.lower() == question.lower()
    assert mixed[-4:] == question[-4:]
    query = dns.message.from_wire(packed_query(b"\xab\xcd", mixed, 0x0100, use_edns=True))
    assert query.id == 0xABCD
    assert query.flags == dns.flags.RD
    assert (query.edns, query.payload) == (0, 1232)
    assert query.question == [dns.rrset.RRset(name, dns.rdataclass.IN, dns.rdatatype.TXT)]
    assert dns.message.from_wire(packed_query(b"\xab\xcd", mixed, 0, use_edns=False)).edns == -1


@pytest.mark.parametrize("text", ["a..", "a.b..", "..", "a..b.", ".a."])
def test_a_name_with_an_empty_label_is_refused_as_dnspython_refuses_it(text: str) -> None:
    with pytest.raises(dns.name.EmptyLabel):
        dns.name.from_text(text)
    with pytest.raises(dns.name.EmptyLabel):
        name_wire(text)


def test_a_plain_answer() -> None:
    record = b"\xc0\x0c\x00\x0f\x00\x01\x00\x00\x01\x2c\x00\x09\x00\x0a\x04MAIL\xc0\x0c"
    expected = b"\x00\x0a\x04mail\x04acme\x07example\x00"
    assert read_plain(HEAD + record, QUESTION) == Plain(0x8400, 0, 300, (expected,), ())


def test_a_name_must_not_run_into_who_points_to_it() -> None:
    """The preference is the length of a label that would swallow the pointer and the octet after it."""
    record = b"\xc0\x0c\x00\x0f\x00\x01\x00\x00\x01\x2c\x00\x04\x00\x03"
    place = len(HEAD) + len(record) - 1
    head = HEAD[:10] + b"\x00\x01" + HEAD[12:]
    wire = head + record + (0xC000 | place).to_bytes(2, "big") + b"\x00\x00\x29\x04\xd0" + bytes(6)
    assert not check(wire, QUESTION)


def test_a_part_of_a_name_ends_before_who_points_to_it() -> None:
    """The preference is the length of a label that swallows the name's first octet, and then comes an end."""
    place = len(HEAD) + 13
    rdata = b"\x00\x01" + b"\x01\x00" + (0xC000 | place).to_bytes(2, "big")
    wire = HEAD + b"\xc0\x0c\x00\x0f\x00\x01\x00\x00\x01\x2c\x00\x06" + rdata
    assert not check(wire, QUESTION), "dnspython refuses it, too"


@settings(max_examples=max(EXAMPLES // SLICE, 1), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_what_is_shared_by_names_of_one_shape_has_the_letters_of_each(seed: int) -> None:
    """The same message for several domains, but for their letters: what is kept of the first must not show them."""
    dice = random.Random(seed)  # noqa: S311 - a generator of test data
    for _ in range(SLICE // 10):
        wire, question = an_answer(dice)
        for _ in range(5):
            letters = bytes(dice.choices(b"abcdxyz", k=4))
            check(re.sub(b"(?i)acme", letters, wire), question.replace(b"acme", letters))


@settings(max_examples=max(EXAMPLES // SLICE, 1), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_what_is_shared_by_messages_of_one_layout_has_the_values_of_each(seed: int) -> None:
    """The same message with other octets behind the question: what is kept of the first is the layout alone."""
    dice = random.Random(seed)  # noqa: S311 - a generator of test data
    for _ in range(SLICE // 10):
        wire, question = an_answer(dice)
        check(wire, question)
        for _ in range(10):
            sibling = bytearray(wire)
            for _ in range(dice.randint(1, 3)):
                sibling[dice.randrange(12 + len(question), len(wire) + 1) - 1] = dice.randrange(256)
            check(bytes(sibling), question)


def test_a_value_that_is_pointed_to_is_walked_in_every_message() -> None:
    """The owner in the authority section is in the text: an end of the name asked for in one message alone."""
    question = question_wire("acme.example.", "TXT")
    head = b"\x12\x34\x84\x00\x00\x01\x00\x01\x00\x01\x00\x00" + question
    pointer = (0xC000 | len(head) + 13).to_bytes(2, "big")
    behind = pointer + b"\x00\x02\x00\x01\x00\x00\x01\x2c\x00\x02\xc0\x0c"
    answer = b"\xc0\x0c\x00\x10\x00\x01\x00\x00\x01\x2c\x00\x0a\x09"
    assert check(head + answer + b"\x07example\x00" + behind, question)
    assert read_plain(head + answer + b"\x07another\x00" + behind, question) is None


def test_more_layouts_than_are_kept_are_read_as_well() -> None:
    """As many octets, and each time the limit between both values at another place."""
    question = question_wire("acme.example.", "TXT")
    head = b"\x12\x34\x84\x00\x00\x01\x00\x02\x00\x00\x00\x00" + question
    for _ in range(2):
        for size in range(1, 9):
            texts = (b"x" * size, b"y" * (9 - size))
            records = (
                b"\xc0\x0c\x00\x10\x00\x01\x00\x00\x01\x2c\x00" + bytes((len(text) + 1, len(text))) + text
                for text in texts
            )
            assert check(head + b"".join(records), question)


def test_an_address_cut_short_is_left_to_dnspython() -> None:
    """The last record of the message, and nothing behind it."""
    question = question_wire("acme.example.", "A")
    wire = HEAD[:12] + question + b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x01\x2c\x00\x04\xc0\x00\x02\x01"
    assert read_plain(wire, question) == Plain(0x8400, 0, 300, (b"\xc0\x00\x02\x01",), ())
    for end in range(len(wire)):
        assert read_plain(wire[:end], question) is None


def test_a_question_for_the_type_0_is_nothing_special() -> None:
    """What follows its answer is no answer that was read already."""
    question = question_wire("acme.example.", "TYPE0")
    rest = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\xc0\x00\x02\x01" * 2
    assert read_plain(b"\x12\x34\x84\x00\x00\x01\x00\x01\x00\x00\x00\x02" + question + rest, question) is None


def mx_record(rdata: bytes) -> bytes:
    """An MX record of the name asked for."""
    return b"\xc0\x0c\x00\x0f\x00\x01\x00\x00\x01\x2c" + len(rdata).to_bytes(2, "big") + rdata


def test_what_lies_beyond_the_reach_of_pointers_is_not_taken_for_what_they_point_to() -> None:
    """14 bits (RFC 1035 section 4.1.4): in a long answer the name at 16384 + n must not stand for the one at n."""
    first = mx_record(b"\x00\x0a\x03one\xc0\x0c")
    place = len(HEAD) + 14
    begin = place + 0x4000 - 14
    room = begin - len(HEAD) - len(first)
    count, size = room // 20 - 1, room - (room // 20 - 1) * 20
    filling = mx_record(b"\x00\x14\x03abc\xc0\x0c") * count
    filling += mx_record(b"\x00\x1e" + bytes((size - 17,)) + b"x" * (size - 17) + b"\xc0\x0c")
    last = mx_record(b"\x00\x0a\x03two\xc0\x0c") + mx_record(b"\x00\x28" + (0xC000 | place).to_bytes(2, "big"))
    wire = HEAD[:6] + (count + 4).to_bytes(2, "big") + HEAD[8:] + first + filling + last
    assert wire[begin:].startswith(last)
    assert check(wire, QUESTION), "read, and as dnspython reads it"


def test_octets_that_stand_for_letters_are_letters_of_the_question_only_where_they_come_from_it() -> None:
    """A name that is spelled out in them is no end of the name asked for."""
    spelled_out = b"\x04" + b"\x9d" * 4 + b"\x07" + b"\x9d" * 7 + b"\x00"
    assert check(HEAD + mx_record(b"\x00\x0a" + spelled_out), QUESTION)
    assert check(HEAD + mx_record(b"\x00\x9d\xc0\x0c"), QUESTION)


def test_ttls_of_what_is_read_at_once_and_of_all_else_are_dnspythons() -> None:
    """One that is greater than 2^31 - 1 counts as 0 (RFC 2181 section 8), first or last."""
    for rdtype, rdata in (("A", b"\x00\x04\xc0\x00\x02"), ("MX", b"\x00\x06\x00\x0a\x01")):
        question = question_wire("acme.example.", rdtype)
        for ttls in ((0x80000000,), (60, 0xFFFFFFFF), (0x80000001, 60), (0x7FFFFFFF,), (60, 30)):
            wire = HEAD[:6] + len(ttls).to_bytes(2, "big") + HEAD[8:12] + question
            for number, ttl in enumerate(ttls):
                end = bytes((0x61 + number,)) + (b"\xc0\x0c" if rdtype == "MX" else b"")
                wire += b"\xc0\x0c" + question[-4:] + ttl.to_bytes(4, "big") + rdata + end
            assert check(wire, question), (rdtype, ttls)


def test_two_opt_records_are_left_to_dnspython() -> None:
    """It refuses them (RFC 6891 section 6.1.1)."""
    head = HEAD[:10] + b"\x00\x02" + HEAD[12:] + mx_record(b"\x00\x0a\x01m\xc0\x0c")
    assert not check(head + (b"\x00\x00\x29\x04\xd0" + bytes(6)) * 2, QUESTION)


def test_a_name_in_the_values_of_an_answer_is_read_from_there() -> None:
    """Nobody points there as a rule; what such a message says is no common knowledge of all that look alike."""
    question = question_wire("acme.example.", "TXT")
    for text in (b"\x04acme\x07example\x00", b"\x04ACME\x07example\x00", b"\x04\x00\x00\x00\x00\x07example\x00"):
        answer = b"\xc0\x0c" + question[-4:] + bytes(4) + b"\x00\x0f\x0e" + text
        place = 12 + len(question) + 13
        authority = (0xC000 | place).to_bytes(2, "big") + b"\x00\x02\x00\x01" + bytes(4) + b"\x00\x02\xc0\x0c"
        head = b"\x12\x34\x84\x00\x00\x01\x00\x01\x00\x01\x00\x00"
        assert check(head + question + answer + authority, question) == (b"c" in text.lower())


def test_values_with_letters_of_the_question_are_sorted_and_told_apart_by_these() -> None:
    """The order of two exchanges, and whether they are the same, is not the same for all names of one shape."""
    below, example = b"\x00\x0a\xc0\x0c", b"\xc0\x11"
    for letters in (b"acme", b"beta", b"zeta"):
        question = QUESTION.replace(b"acme", letters)
        records = mx_record(below) + mx_record(b"\x00\x0a\x04beta" + example)
        assert check(HEAD[:6] + b"\x00\x02" + HEAD[8:12] + question + records, question)


def test_a_label_of_more_than_63_octets_is_none() -> None:
    """RFC 1035 section 2.3.4; the upper bits have other meanings, and dnspython refuses it."""
    for size in (63, 64, 127, 128, 191):
        exchange = bytes((size,)) + b"x" * size + b"\xc0\x0c"
        assert check(HEAD + mx_record(b"\x00\x0a" + exchange), QUESTION) == (size == 63)
