"""What only an old MX needed stays until no sender can hold that MX any more.

A gateway address that the origin no longer allows while mail still comes from it bounces that mail at once, or defers
it for days (RFC 5321 section 4.5.4.1). Senders hold an MX for as long as its OLD TTL was; then the settle time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from reconciler.gates.base import Facts, GateResult, Verdict
from reconciler.gates.observed import history_with_this_look, observation_of
from reconciler.gates.switch_observed import SwitchObserved
from reconciler.history import cached_mx, caches_empty_at
from reconciler.moments import end_text
from reconciler.state import Absent, Present

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Removal:
    """The earliest moment, the settle time included; `is_assumed` where nobody knows what senders may hold."""

    moment: datetime
    is_assumed: bool


def earliest_removal(facts: Facts) -> Removal:
    """When what only an old MX needed may go; a moment that is not after `facts.now` has passed.

    The time runs from when every server was seen to show the wanted MX; until then it is what is shown now that will
    be the old MX.
    """
    waits, now = facts.waits, facts.now
    history = history_with_this_look(facts)
    moment = caches_empty_at(history, now, waits) + waits.settle
    held = cached_mx(history, now, waits)
    is_assumed = bool(held) and held[-1].rdatas is None
    if SwitchObserved().judge(facts).verdict is Verdict.PASS:
        return Removal(moment, is_assumed)
    coming = now + _current_life(facts) + waits.settle
    return Removal(coming, is_assumed=False) if coming > moment else Removal(moment, is_assumed)


def _current_life(facts: Facts) -> timedelta:
    desired, waits = facts.desired.mx, facts.waits
    lives = []
    for answer in observation_of(facts, desired).answers if desired is not None else ():
        if isinstance(answer.observed, Present):
            lives.append(timedelta(seconds=answer.observed.rrset.ttl))
        else:
            lives.append(waits.absent_ttl if isinstance(answer.observed, Absent) else waits.assumed_ttl)
    return max(lives, default=waits.assumed_ttl)


@dataclass(frozen=True, slots=True)
class EarlyRemoval:
    """Holds until the old MX's TTL and the settle time have passed since every server was seen to show the new MX."""

    id: str = "early-removal"

    def judge(self, facts: Facts) -> GateResult:
        """Count from what the history saw; what it does not know takes the longest time."""
        if facts.desired.mx is None:
            return GateResult(self.id, Verdict.PASS, "no MX is needed")
        removal = earliest_removal(facts)
        is_switched = SwitchObserved().judge(facts).verdict is Verdict.PASS
        if is_switched and removal.moment <= facts.now:
            return GateResult(self.id, Verdict.PASS, "no sender can hold the old MX any more")
        moment = end_text(removal.moment)
        if removal.is_assumed:
            evidence = f"nobody knows which MX senders hold, so the longest time is assumed: until {moment}"
        elif is_switched:
            evidence = f"senders may hold the old MX: its TTL and the settle time pass at {moment}"
        else:
            evidence = f"the old MX's TTL and the settle time begin with the switch: not before {moment}"
        advice = "nothing to do: a run after that goes on"
        return GateResult(self.id, Verdict.HOLD, evidence, advice, not_before=removal.moment)
