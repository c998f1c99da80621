"""What an UPDATE message holds: exact prerequisites, our values one by one, foreign values nowhere else."""

from __future__ import annotations

import dns.message
import dns.rdataclass
import dns.rdatatype
import pytest
from dns.update import UpdateMessage
from octodns_bind import Rfc2136Provider

from reconciler.apply import ApplyError, ProviderConfigError
from reconciler.apply.rfc2136 import Rfc2136Writer, build_update
from reconciler.diff import Change
from reconciler.names import Name
from reconciler.state import Key, Rdata

ZONE = Name("acme.example.")
TXT = Key(Name("_amazonses.acme.example."), "TXT")
OLD, KEPT, NEW, FOREIGN = (Rdata(f'"{word}"') for word in ("old", "kept", "new", "foreign"))


def sections(change: Change) -> tuple[list[tuple[str, str, str]], list[tuple[str, int, str]]]:
    """Prerequisites as (class, type, rdata) and updates as (class, TTL, rdata), read from the octets."""
    message = dns.message.from_wire(build_update(ZONE, [change]).to_wire(), one_rr_per_rrset=True)
    assert isinstance(message, UpdateMessage)
    before = [
        (
            dns.rdataclass.to_text(r.deleting or r.rdclass),
            dns.rdatatype.to_text(r.rdtype),
            r[0].to_text() if len(r) else "",
        )
        for r in message.prerequisite
    ]
    after = [
        (dns.rdataclass.to_text(r.deleting or r.rdclass), r.ttl, r[0].to_text() if len(r) else "")
        for r in message.update
    ]
    return before, after


def test_values_are_compared_whole_and_written_one_by_one() -> None:
    before, after = sections(Change(TXT, ZONE, (KEPT, OLD), (KEPT, NEW), (FOREIGN,), 900, 900))
    assert before == [("IN", "TXT", FOREIGN), ("IN", "TXT", KEPT), ("IN", "TXT", OLD)]
    assert after == [("NONE", 0, OLD), ("IN", 900, NEW)]


def test_a_new_rrset_must_be_absent() -> None:
    before, after = sections(Change(TXT, ZONE, (), (NEW,), (), None, 300))
    assert before == [("NONE", "TXT", "")]
    assert after == [("IN", 300, NEW)]


def test_another_ttl_removes_and_adds_each_value() -> None:
    before, after = sections(Change(TXT, ZONE, (KEPT, OLD), (KEPT,), (), 900, 60))
    assert before == [("IN", "TXT", KEPT), ("IN", "TXT", OLD)]
    assert after == [("NONE", 0, KEPT), ("NONE", 0, OLD), ("IN", 60, KEPT)]


def test_an_mx_that_is_ours_alone_is_replaced_and_a_shared_one_changed_by_value() -> None:
    key, old, new, other = Key(ZONE, "MX"), Rdata("10 old."), Rdata("0 new."), Rdata("20 other.")
    before, after = sections(Change(key, ZONE, (old, other), (new, other), (), 900, 900))
    assert before == [("IN", "MX", old), ("IN", "MX", other)]
    assert after == [("ANY", 0, ""), ("IN", 900, new), ("IN", 900, other)]
    shared = sections(Change(key, ZONE, (old,), (new,), (other,), 900, 900))
    assert shared[1] == [("NONE", 0, old), ("IN", 900, new)]
    assert sections(Change(key, ZONE, (old,), (old, new), (), 900, 900))[1] == [("IN", 900, new)]


def test_the_last_value_goes_without_a_word_about_ttls() -> None:
    assert sections(Change(TXT, ZONE, (OLD,), (), (), 900, 60))[1] == [("NONE", 0, OLD)]


def test_a_plan_that_would_change_the_ttl_of_foreign_values_is_not_written() -> None:
    with pytest.raises(ApplyError, match="foreign"):
        build_update(ZONE, [Change(TXT, ZONE, (OLD,), (NEW,), (FOREIGN,), 900, 60)])


def test_the_writer_shows_no_secret_of_its_key() -> None:
    secret = "bm90IHNob3du"  # noqa: S105 - an example's
    provider = Rfc2136Provider("b", host="127.0.0.1", key_name="k", key_secret=secret)
    writer = Rfc2136Writer(provider, provider_id="b")
    assert "not shown" not in repr(vars(writer))
    assert secret not in repr(vars(writer))


@pytest.mark.parametrize(
    "key",
    [
        {"key_name": "k", "key_secret": "bm90IHNob3du", "key_algorithm": "hmac-nonsense"},
        {"key_name": "k" * 64, "key_secret": "bm90IHNob3du"},
        {"key_name": "k", "key_secret": "bm90IHNob3d"},
        {"key_name": "k", "key_secret": ""},
    ],
)
def test_a_key_that_cannot_sign_is_refused_when_the_writer_is_made(key: dict[str, str]) -> None:
    with pytest.raises(ProviderConfigError, match="TSIG key cannot be used") as caught:
        Rfc2136Writer(Rfc2136Provider("b", host="127.0.0.1", **key), provider_id="b")
    assert "bm90" not in str(caught.value)
    assert caught.value.__context__ is None
