"""Gates that wait for a time: the old TTL, the settle time, and what nobody knows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from builders import EU, MX_KEY, NOW, OLD_MX, facts, observation, present
from gate_builders import leaving, ready, ready_domain, sighting, switched

from reconciler.gates import Facts, Verdict
from reconciler.gates.early_removal import EarlyRemoval, earliest_removal
from reconciler.gates.ttl import Ttl
from reconciler.history import NO_HISTORY, History, Waits
from reconciler.state import Absent, Cause, Observed, Unknown

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
TIMEOUT = Unknown(Cause.TIMEOUT, "no answer within 2 s")


def after(history: History, mx: Observed | None = None) -> Facts:
    """Facts of a domain whose MX is the gateway's now."""
    return ready(mx=present(MX_KEY, EU) if mx is None else mx, history=history)


@pytest.mark.parametrize(
    ("ago", "verdict"),
    [
        (timedelta(0), Verdict.HOLD),
        (HOUR, Verdict.HOLD),
        (2 * HOUR - MINUTE, Verdict.HOLD),
        (2 * HOUR, Verdict.PASS),
        (5 * DAY, Verdict.PASS),
    ],
)
def test_the_old_ttl_and_the_settle_time_pass_before_anything_goes(ago: timedelta, verdict: Verdict) -> None:
    """An hour each."""
    result = EarlyRemoval().judge(after(switched(ago)))
    assert result.verdict is verdict
    if verdict is Verdict.HOLD:
        assert result.not_before == NOW - ago + 2 * HOUR


def test_it_is_the_old_ttl_that_counts_and_not_the_one_of_now() -> None:
    long = EarlyRemoval().judge(after(switched(HOUR, ttl=86400), present(MX_KEY, EU, ttl=60)))
    assert long.not_before == NOW - HOUR + DAY + HOUR
    assert "its TTL" in long.evidence


def test_the_mx_that_was_seen_last_counts_even_where_nobody_noted_that_it_went() -> None:
    """A plan reads the journal before the run that will write to it: this look is the first that shows the new MX."""
    unaware = History(mx=(sighting(OLD_MX, seen=300 * DAY),))
    assert EarlyRemoval().judge(after(unaware)).not_before == NOW + 2 * HOUR


def test_a_lost_journal_waits_the_full_time_from_now() -> None:
    result = EarlyRemoval().judge(after(NO_HISTORY))
    assert result.not_before == NOW + 7 * DAY + HOUR
    assert "nobody knows" in result.evidence
    assert earliest_removal(after(NO_HISTORY)).is_assumed


def test_a_journal_that_began_after_the_switch_waits_from_its_beginning() -> None:
    young = History(mx=(sighting(EU, seen=DAY),))
    assert EarlyRemoval().judge(after(young)).not_before == NOW + 6 * DAY + HOUR
    assert EarlyRemoval().judge(after(History(mx=(sighting(EU, seen=8 * DAY),)))).verdict is Verdict.PASS


def test_before_the_switch_the_time_has_not_begun() -> None:
    history = History(mx=(sighting(OLD_MX, seen=300 * DAY),))
    before = EarlyRemoval().judge(after(history, present(MX_KEY, OLD_MX, ttl=7200)))
    assert (before.verdict, before.not_before) == (Verdict.HOLD, NOW + 3 * HOUR)
    assert "begin with the switch" in before.evidence
    none_yet = EarlyRemoval().judge(after(history, Absent()))
    assert none_yet.not_before == NOW + DAY + HOUR, "senders remember that there is none (RFC 2308)"
    unknown = EarlyRemoval().judge(after(history, TIMEOUT))
    assert unknown.not_before == NOW + 7 * DAY + HOUR
    lost = EarlyRemoval().judge(after(NO_HISTORY, present(MX_KEY, OLD_MX)))
    assert lost.not_before == NOW + 7 * DAY + HOUR


def test_one_server_that_lags_keeps_everything_waiting() -> None:
    lagging = observation(MX_KEY, present(MX_KEY, EU), present(MX_KEY, OLD_MX, ttl=86400))
    result = EarlyRemoval().judge(ready(mx=lagging, history=switched(5 * DAY)))
    assert result.not_before == NOW + DAY + HOUR


def test_of_a_domain_that_leaves_the_gateways_mx_is_the_old_one() -> None:
    history = History(mx=(sighting(EU, seen=300 * DAY, gone=HOUR), sighting(OLD_MX, seen=HOUR)))
    away = EarlyRemoval().judge(ready(leaving(), mx=present(MX_KEY, OLD_MX), history=history))
    assert away.not_before == NOW + HOUR


def test_without_an_mx_there_is_nothing_to_wait_for() -> None:
    api = facts(ready_domain(connection="api", switch_ttl=60))
    assert EarlyRemoval().judge(api).verdict is Verdict.PASS
    assert Ttl().judge(api).verdict is Verdict.PASS
    assert earliest_removal(api).moment > NOW


def lowered(ago: timedelta) -> History:
    """The TTL of the old MX was a day until so long ago."""
    before = sighting(OLD_MX, ttl=86400, seen=300 * DAY, gone=ago)
    return History(mx=(before, sighting(OLD_MX, ttl=60, seen=ago)))


@pytest.mark.parametrize(
    ("ttl", "history", "verdict"),
    [
        (3600, NO_HISTORY, Verdict.HOLD),
        (61, lowered(9 * DAY), Verdict.HOLD),
        (60, lowered(HOUR), Verdict.HOLD),
        (60, lowered(DAY), Verdict.PASS),
        (60, NO_HISTORY, Verdict.PASS),
    ],
)
def test_where_it_is_asked_for_the_ttl_is_low_before_the_switch(ttl: int, history: History, verdict: Verdict) -> None:
    """What the history does not know is no reason to wait: a long TTL is slow, and loses no mail."""
    seen = present(MX_KEY, OLD_MX, ttl=ttl)
    result = Ttl().judge(ready(ready_domain(switch_ttl=60), mx=seen, history=history))
    assert result.verdict is verdict
    assert (result.not_before == NOW - HOUR + DAY) == (history == lowered(HOUR))
    assert Ttl().judge(ready(mx=seen, history=history)).verdict is Verdict.PASS


def test_every_server_has_the_low_ttl() -> None:
    declared = ready_domain(switch_ttl=60)
    low, high = present(MX_KEY, OLD_MX, ttl=60), present(MX_KEY, OLD_MX, ttl=600)
    assert Ttl().judge(ready(declared, mx=observation(MX_KEY, low, high))).verdict is Verdict.HOLD
    assert Ttl().judge(ready(declared, mx=observation(MX_KEY, low, TIMEOUT))).verdict is Verdict.UNKNOWN
    assert Ttl().judge(ready(declared, mx=observation(MX_KEY))).verdict is Verdict.UNKNOWN
    assert Ttl().judge(ready(declared, mx=Absent())).verdict is Verdict.PASS


def test_the_waits_are_the_settings() -> None:
    quick = Waits(settle=timedelta(seconds=2), assumed_ttl=timedelta(seconds=5))
    unseen = ready(mx=present(MX_KEY, EU, ttl=5), waits=quick, history=NO_HISTORY)
    assert earliest_removal(unseen).moment == NOW + timedelta(seconds=7)
