"""Whom an address takes next: in their order, as many as window and rate allow, nothing for who has gone."""

from __future__ import annotations

from reconciler.observe.asking import Query
from reconciler.observe.inquiry import Inquiry
from reconciler.observe.peer import Peer
from reconciler.observe.politeness import BURST_SECONDS

ADDRESS = ("192.0.2.53", 53)


def a_peer(*, rate: float = 0.0, waiting: int = 0) -> Peer:
    peer = Peer(ADDRESS, 100, rate, 2.0, 6.0)
    for number in range(waiting):
        peer.waiting.append(Inquiry((ADDRESS,), Query(f"d{number}.example.", "MX"), 3, lambda _result: None))
    return peer


def test_as_many_as_there_are_places_in_their_order() -> None:
    peer = a_peer(waiting=5)
    all_five = list(peer.waiting)
    assert peer.take(2, 0.0) == all_five[:2]
    assert peer.take(9, 0.0) == all_five[2:]
    assert peer.take(9, 0.0) == []


def test_who_has_gone_is_not_taken_and_costs_no_token() -> None:
    peer = a_peer(rate=3 / BURST_SECONDS, waiting=7)
    first, second, third, fourth, fifth, sixth, _ = peer.waiting
    for gone in (first, third, fourth):
        gone.is_over = True
    assert peer.take(100, 1000.0) == [second], "a token each for three, two of whom have gone"
    assert peer.take(100, 1000.0) == [fifth, sixth]
    assert peer.take(100, 1000.0) == []


def test_who_is_taken_back_is_first_again_and_has_its_token() -> None:
    peer = a_peer(rate=10 / BURST_SECONDS, waiting=200)
    everybody = list(peer.waiting)
    taken = peer.take(100, 1000.0)
    assert taken == everybody[:10]
    assert peer.take(100, 1000.0) == []
    peer.take_back(taken[1:])
    assert list(peer.waiting) == everybody[1:]
    assert peer.take(100, 1000.0) == taken[1:]
    assert peer.take(100, 1000.0) == []


def test_a_doubtful_address_gets_one_at_a_time() -> None:
    peer = a_peer(waiting=50)
    for _ in range(32):
        peer.note_silence(10.0)
    assert peer.is_doubtful
    assert len(peer.take(20, 11.0)) == 1
    peer.note_answer()
    assert len(peer.take(20, 11.0)) == 20


def test_only_an_address_of_which_nothing_would_be_missed_is_as_new() -> None:
    peer = a_peer(rate=0.5, waiting=1)
    assert not peer.is_as_new(1000.0), "somebody waits"
    assert peer.take(1, 1000.0)
    assert not peer.is_as_new(1001.9), "a new one would be asked again at once, and this one in two seconds"
    now = 1002.0
    assert peer.is_as_new(now)
    peer.under_way = 1
    assert not peer.is_as_new(now)
    peer.under_way = 0
    peer.folds_case = True
    assert not peer.is_as_new(now), "it would be asked over UDP again"


def test_an_address_that_may_be_silent_is_remembered_until_its_patience_is_over() -> None:
    peer = a_peer()
    peer.note_silence(10.0)
    assert not peer.is_as_new(12.0)
    assert peer.is_as_new(20.0)
    for _ in range(31):
        peer.note_silence(10.0)
    assert not peer.is_as_new(20.0), "thousands of questions to it would take hours"
    peer.note_answer()
    assert peer.is_as_new(20.0)
