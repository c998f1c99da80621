"""Which MX senders may still hold: what is not known counts as the longest, and a gap is never taken for quiet."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from builders import EU, EU_MULTI, NOW, OLD_MX, settled

from reconciler.history import DEFAULT_WAITS, NO_HISTORY, CachedMx, cached_mx, caches_empty_at, pruned, with_mx_seen

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OLD, NEW = ((OLD_MX,), 3600), ((EU,), 300)


def test_a_domain_that_was_never_seen_waits_the_full_time_from_now() -> None:
    assert cached_mx(NO_HISTORY, NOW, DEFAULT_WAITS) == (CachedMx(None, NOW + DEFAULT_WAITS.assumed_ttl),)


def test_after_a_switch_the_old_ttl_counts_from_when_the_old_mx_was_gone_everywhere() -> None:
    history = with_mx_seen(settled(OLD_MX), frozenset({OLD, NEW}), NOW, is_complete=True)
    assert [s.gone for s in history.mx] == [None, None], "one server still shows the old one"
    history = with_mx_seen(history, frozenset({NEW}), NOW + HOUR, is_complete=True)
    assert cached_mx(history, NOW + HOUR, DEFAULT_WAITS)[0] == CachedMx((OLD_MX,), NOW + 2 * HOUR)
    assert caches_empty_at(settled(OLD_MX), NOW, DEFAULT_WAITS) < NOW


def test_a_server_that_did_not_answer_may_still_show_the_old_one() -> None:
    history = with_mx_seen(settled(OLD_MX), frozenset({NEW}), NOW, is_complete=False)
    assert [s.gone for s in history.mx] == [None, None]


def test_what_was_there_before_the_first_look_is_unknown_for_as_long_as_it_may_be_cached() -> None:
    history = with_mx_seen(NO_HISTORY, frozenset({NEW}), NOW, is_complete=True)
    (cached,) = cached_mx(history, NOW + HOUR, DEFAULT_WAITS)
    assert cached == CachedMx(None, NOW + DEFAULT_WAITS.assumed_ttl)
    assert cached_mx(history, NOW + DEFAULT_WAITS.assumed_ttl, DEFAULT_WAITS) == ()


@pytest.mark.parametrize("gap", [8 * DAY, 90 * DAY])
def test_after_a_gap_anything_may_have_been_there_until_now(gap: timedelta) -> None:
    later = NOW + gap
    assert cached_mx(settled(EU), later, DEFAULT_WAITS) == (CachedMx(None, later + DEFAULT_WAITS.assumed_ttl),)
    seen = with_mx_seen(settled(EU), frozenset({((EU_MULTI,), 300)}), later, is_complete=True)
    assert CachedMx(None, later + DEFAULT_WAITS.assumed_ttl) in cached_mx(seen, later, DEFAULT_WAITS)


def test_that_there_was_no_mx_is_remembered_by_senders_too() -> None:
    nothing = with_mx_seen(replace(settled(), mx=settled().mx), frozenset({NEW}), NOW, is_complete=True)
    assert CachedMx((), NOW + DEFAULT_WAITS.absent_ttl) in cached_mx(nothing, NOW, DEFAULT_WAITS)


def test_pruning_changes_no_wait_and_keeps_the_newest_that_is_gone() -> None:
    history = settled(OLD_MX)
    moment = NOW
    for value in (EU, EU_MULTI, EU, EU_MULTI):
        history = with_mx_seen(history, frozenset({((value,), 300)}), moment, is_complete=True)
        moment += 5 * DAY
    kept = pruned(history, moment, DEFAULT_WAITS)
    assert len(kept.mx) < len(history.mx)
    assert caches_empty_at(kept, moment, DEFAULT_WAITS) == caches_empty_at(history, moment, DEFAULT_WAITS)
    assert [s for s in kept.mx if s.gone is not None]


def test_a_clock_that_went_back_takes_no_time_off_a_wait() -> None:
    history = with_mx_seen(settled(OLD_MX), frozenset({NEW}), NOW - DAY, is_complete=True)
    assert history.mx[0].gone == NOW
    assert with_mx_seen(settled(OLD_MX), frozenset({OLD}), NOW - DAY, is_complete=True) == settled(OLD_MX)
