"""The model of mail by itself: what it takes for lost, whose fault that is, and what it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from mailflow_builders import (
    BOTH,
    EU,
    HOUR,
    NEW,
    NOTHING,
    NOW,
    OLD,
    OTHER,
    TOKEN,
    back,
    fate,
    origin,
    proved,
    restrict,
    switch,
    untoken,
    world,
)

from reconciler.mailflow import Cached, Move, OriginList, Proof, Restriction, SetList, SetMx, SetTokens

NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)


def test_nothing_to_do_is_proved() -> None:
    assert proved(world()) == Proof()


def test_a_switch_is_told_phase_by_phase() -> None:
    allow = Move("allow", "expand", SetList("firewall", added=EU), is_open=True)
    hard = restrict(Restriction.HARD, not_before=NOW + 2 * HOUR)
    proof = proved(world(OLD, origin("192.0.2.9")), allow, switch(is_open=False), hard)
    flow = "senders -> eu.gateway.example -> 2 addresses of the gateway -> mail.acme.example"
    assert proof.lines == (
        "expand: senders -> mail.acme.example",
        f"switch: {flow}; old MX 10 mail.acme.example cached until 2026-11-21T13:00+00:00",
        f"contract: {flow}; whatever comes past the gateway is refused (5xx)",
    )


@pytest.mark.parametrize("is_open", [True, False])
def test_a_switch_that_may_come_before_what_it_needs_is_refused(*, is_open: bool) -> None:
    allow = Move("allow", "expand", SetList("firewall", added=EU), is_open=True)
    proof = proved(world(OLD, origin("192.0.2.9")), allow, switch(is_open=is_open))
    assert proof.is_ok is not is_open
    if is_open:
        assert fate(proof) == "eu.gateway.example may relay it from 192.0.2.1, which firewall does not allow"


def test_one_address_that_is_not_allowed_is_enough() -> None:
    assert "192.0.2.2" in fate(proved(world(OLD, origin("192.0.2.1")), switch()))


def test_an_origin_without_lists_takes_everything() -> None:
    assert proved(world(), switch()).is_ok


def test_without_its_token_the_gateway_drops_mail() -> None:
    proof = proved(world(tokens=NOTHING), switch())
    assert (
        fate(proof) == "the gateway at eu.gateway.example drops it, because the verification value token is not in DNS"
    )
    assert proof.failure is not None
    assert proof.failure.text.startswith("after mx, at 2026-11-21T12:00+00:00, a sender that holds MX 0 eu.gateway.")


def test_a_next_hop_that_is_the_gateway_loops() -> None:
    looping = frozenset({"eu.gateway.example."})
    assert "it loops" in fate(proved(world(), switch(), looping=looping))


@pytest.mark.parametrize(("minutes", "is_ok"), [(59, False), (60, True)])
def test_what_the_old_mx_needs_stays_until_its_ttl_has_passed(minutes: int, *, is_ok: bool) -> None:
    later = NOW + timedelta(minutes=minutes)
    away = Move("mx", "switch", SetMx(NEW, OTHER, 60), is_open=True)
    assert proved(world(NEW), away, untoken(not_before=later)).is_ok is is_ok
    # the TTL may have been lowered, and then the longer one counts until it has run out
    lower = Move("mx-ttl", "expand", SetMx(NEW, NEW, 60), is_open=True)
    held = Move("mx", "switch", SetMx(NEW, OTHER, 60), is_open=False)
    assert proved(world(NEW), lower, held, untoken(not_before=later)).is_ok is is_ok


def test_the_time_of_a_held_move_counts_from_an_mx_that_moves_later() -> None:
    away = Move("mx", "switch", SetMx(NEW, OTHER, 60), is_open=False, not_before=NOW + 5 * HOUR)
    assert proved(world(NEW), away, untoken(not_before=NOW + HOUR)).is_ok
    assert not proved(world(NEW), away, untoken(not_before=NOW + HOUR / 2)).is_ok


def test_what_may_be_done_at_any_time_may_be_done_just_after_the_switch() -> None:
    away = Move("mx", "switch", SetMx(NEW, OTHER, 60), is_open=True)
    assert not proved(world(NEW), away, untoken(is_open=True, not_before=NOW + 9 * HOUR)).is_ok


def test_a_cached_mx_counts_for_as_long_as_it_may_be_held() -> None:
    held = (Cached(NEW, NOW + HOUR),)
    assert not proved(world(OTHER), untoken(is_open=True), cached=held).is_ok
    assert proved(world(OTHER), untoken(is_open=True, not_before=NOW + HOUR), cached=held).is_ok


def test_an_unknown_cached_mx_may_be_every_one_that_delivered() -> None:
    held = (Cached(None, NOW + HOUR),)
    proof = proved(world(OTHER), untoken(is_open=True), cached=held)
    assert proof.failure is not None
    assert proof.failure.mx == "MX 0 eu.gateway.example"
    assert not proved(world(OTHER, origin("192.0.2.9")), restrict(Restriction.HARD), cached=held).is_ok
    # what could not deliver before is nobody's old MX
    assert proved(world(OTHER, origin("192.0.2.9")), untoken(is_open=True), cached=held).is_ok
    assert "any older MX cached until" in proved(world(OLD), switch(), cached=held).lines[0]


@pytest.mark.parametrize(
    ("how", "ttl", "words"),
    [
        (Restriction.SOFT, 4 * 86400, ""),
        (Restriction.SOFT, 4 * 86400 + 1, "for longer than senders retry (4 days)"),
        (Restriction.HARD, 60, "it bounces at mail.acme.example, because firewall refuses all but the gateway"),
    ],
)
def test_others_may_be_deferred_for_as_long_as_they_retry(how: Restriction, ttl: int, words: str) -> None:
    proof = proved(world(OLD, origin(), ttl=ttl), switch(is_open=False), restrict(how))
    assert proof.is_ok is (not words)
    assert words in (fate(proof) if words else "")


def test_a_deferral_that_no_retry_ends_is_a_loss() -> None:
    proof = proved(world(OLD, origin()), restrict(Restriction.SOFT, is_open=True))
    assert (
        fate(proof)
        == "firewall defers what comes to mail.acme.example past the gateway, and no retry ever gets through"
    )


def test_a_sender_goes_on_to_the_next_host_after_a_deferral() -> None:
    assert proved(world(BOTH, origin()), restrict(Restriction.SOFT, is_open=True)).is_ok
    assert not proved(world(BOTH, origin()), restrict(Restriction.HARD, is_open=True)).is_ok


def test_the_mx_goes_back_only_to_an_origin_that_takes_it() -> None:
    loosen = Move("loosen", "expand", SetList("firewall", restriction=Restriction.NONE), is_open=True)
    hard = origin(restriction=Restriction.HARD)
    assert proved(world(NEW, hard), loosen, back(is_open=False)).is_ok
    assert not proved(world(NEW, hard), loosen, back()).is_ok


def test_an_mx_is_published_only_with_hosts_that_are_known() -> None:
    wrong = Move("mx", "switch", SetMx(NEW, ((10, "typo.example."),), 60), is_open=True)
    assert fate(proved(world(NEW), wrong)) == "it goes to typo.example, which is not known to take the domain's mail"
    assert proved(world(NEW), wrong, known_hosts=frozenset({"typo.example."})).is_ok


@pytest.mark.parametrize(
    ("after", "words"),
    [((), "it goes to acme.example, which is not known"), (((0, "."),), "the MX says that the domain takes no mail")],
)
def test_a_domain_never_loses_its_mx(after: tuple[tuple[int, str], ...], words: str) -> None:
    gone = Move("mx", "switch", SetMx(OLD, after, 60), is_open=True)
    again = Move("mx-again", "switch", SetMx(after, NEW, 60), is_open=False)
    assert words in fate(proved(world(), gone, again))


def test_a_domain_that_never_had_an_mx_takes_mail_at_its_own_address() -> None:
    """RFC 5321 section 5.1: and senders remember for a while that there was none."""
    first = Move("mx", "switch", SetMx((), NEW, 60), is_open=True)
    proof = proved(world((), origin(), ttl=600), first, restrict(Restriction.HARD, not_before=NOW + HOUR / 10))
    assert proof.failure is not None
    assert proof.failure.mx == "no MX"
    assert proved(world((), origin(), ttl=600), first, restrict(Restriction.HARD, not_before=NOW + HOUR / 6)).is_ok


def test_an_mx_that_somebody_else_changed_meanwhile_is_not_overwritten() -> None:
    late = Move("mx-late", "switch", SetMx(OTHER, OLD, 60), is_open=True)
    assert proved(world(NEW, origin(restriction=Restriction.HARD)), late).is_ok


def test_what_was_broken_before_is_the_worlds_fault() -> None:
    """Half a repair is better than none, and is not refused for the other half."""
    add = Move("allow", "expand", SetList("firewall", added=frozenset({"192.0.2.1"})), is_open=True)
    assert proved(world(NEW, origin("192.0.2.9")), add).is_ok
    assert proved(world(NEW, tokens=NOTHING), Move("mx-ttl", "expand", SetMx(NEW, NEW, 60), is_open=True)).is_ok


def test_an_mx_that_is_published_has_to_deliver_whatever_was_before() -> None:
    broken = world(BOTH, tokens=NOTHING)
    assert not proved(broken, Move("mx", "contract", SetMx(BOTH, NEW, 60), is_open=True)).is_ok


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_foreign_host_that_stays_is_judged_by_what_it_did_before(*, is_kept: bool) -> None:
    """It refused mail before the switch already: that the gateway is put before it makes nothing worse."""
    hard = origin(restriction=Restriction.HARD)
    before = OLD if is_kept else OTHER
    relays = frozenset({"192.0.2.9", *EU})
    add = Move("mx", "switch", SetMx(before, BOTH, 60), is_open=True)
    proof = proved(world(before, OriginList(hard.name, relays, hard.restriction)), add)
    assert proof.is_ok is is_kept


def test_a_person_may_answer_for_a_move() -> None:
    excused = Move("retired", "contract", SetTokens(NOTHING, TOKEN), is_open=True, is_excused=True)
    assert proved(world(NEW), excused).is_ok


def test_where_the_mx_is_not_known_only_what_is_cached_is_looked_at() -> None:
    held = (Cached(OLD, NEW_YEAR), Cached(None, NEW_YEAR))
    proof = proved(world(None, origin()), restrict(Restriction.SOFT, is_open=True), cached=held)
    assert fate(proof).endswith("no retry ever gets through")
    allow = Move("allow", "expand", SetList("firewall", added=EU), is_open=True)
    assert proved(world(None, origin()), allow).lines == ("expand: senders -> an MX that is not known",)
    published = Move("mx", "switch", SetMx(OLD, NEW, 60), is_open=True)
    assert proved(world(None, origin()), published).is_ok


def test_an_rrset_that_is_held_until_several_times_counts_for_the_longest() -> None:
    held = (Cached(OLD, NOW + HOUR), Cached(OLD, NOW + timedelta(days=5)), Cached(OLD, NOW + 2 * HOUR))
    assert not proved(world(NEW, origin()), restrict(Restriction.SOFT, is_open=True), cached=held).is_ok


def test_a_list_of_another_name_is_left_alone() -> None:
    other = Move("other", "contract", SetList("other", removed=EU), is_open=True)
    assert proved(world(NEW, origin()), other).is_ok


def test_every_list_has_to_let_the_gateway_in() -> None:
    second = OriginList("mail server", frozenset({"192.0.2.1"}))
    assert "mail server" in fate(proved(world(OLD, origin(), second), switch()))


def test_an_unknown_cached_mx_may_be_the_published_one_for_longer_than_its_ttl() -> None:
    """Also where it delivers from one of its addresses alone."""
    held = (Cached(None, NOW + 2 * HOUR),)
    away = Move("mx", "switch", SetMx(NEW, OLD, 60), is_open=False)
    half = world(NEW, origin("192.0.2.1"), ttl=60)
    assert proved(half, away, untoken(not_before=NOW + 2 * HOUR), cached=held).is_ok
    assert not proved(half, away, untoken(not_before=NOW + HOUR), cached=held).is_ok


def test_a_retry_that_gets_through_from_one_address_alone_is_no_delivery() -> None:
    assert not proved(world(BOTH, origin("192.0.2.1")), restrict(Restriction.SOFT, is_open=True)).is_ok


def test_an_mx_that_moves_after_an_excused_move_is_to_blame_itself() -> None:
    excused = Move("retired", "expand", SetTokens(NOTHING, TOKEN), is_open=True, is_excused=True)
    proof = proved(world(OLD), switch(), excused)
    assert proof.failure is not None
    assert proof.failure.step == "mx"
