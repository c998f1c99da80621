"""What a step at an origin waits for: every mail domain that uses the list, and every sender's cache. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.gates import GateResult, Verdict
from reconciler.gates.early_removal import earliest_removal
from reconciler.gates.observed import history_with_this_look
from reconciler.gates.switch_observed import SwitchObserved
from reconciler.history import caches_empty_at

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reconciler.gates import Facts

_ASSUMED = "what senders may still hold is not known in full, so the longest time is assumed"
_KNOWN = "senders may hold the old MX until its TTL has passed"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Judges for all mail domains behind one origin, those of services that share its lists included; never none."""

    domains: Sequence[Facts]

    @property
    def now(self) -> datetime:
        """The time of the plan."""
        return self.domains[0].now

    def switched(self) -> GateResult:
        """The first mail domain whose MX is not yet as it shall be, or that all are."""
        gate = SwitchObserved()
        for facts in self.domains:
            result = gate.judge(facts)
            if result.verdict is not Verdict.PASS:
                return replace(result, evidence=f"{facts.domain.written}: {result.evidence}")
        return GateResult(gate.id, Verdict.PASS, "every mail domain of the service is as it shall be")

    def caches_empty(self) -> datetime:
        """Since when, or from when on, no sender can use an MX that is not shown now; the settle time included."""
        return max(self._empty(facts) + facts.waits.settle for facts in self.domains)

    @staticmethod
    def _empty(facts: Facts) -> datetime:
        empty = caches_empty_at(history_with_this_look(facts), facts.now, facts.waits)
        # while a switch is still to come, the MX of now will be the old one
        return max(empty, earliest_removal(facts).moment - facts.waits.settle) if _is_moving(facts) else empty

    def until(self, gate: str, moment: datetime, evidence: str) -> GateResult:
        """A hold that ends by itself at a time."""
        if moment <= self.now:
            return GateResult(gate, Verdict.PASS, "the time has passed")
        advice = "nothing to do: a run after that goes on"
        text = f"{evidence}: not before {moment.isoformat(timespec='minutes')}"
        return GateResult(gate, Verdict.HOLD, text, advice, not_before=moment)

    def early_removal(self) -> GateResult:
        """What only an old MX needed goes when no sender can hold that MX any more."""
        removals = [earliest_removal(facts) for facts in self.domains]
        last = max(removals, key=lambda r: r.moment)
        return self.until("early-removal", last.moment, _ASSUMED if last.is_assumed else _KNOWN)


def _is_moving(facts: Facts) -> bool:
    return SwitchObserved().judge(facts).verdict is not Verdict.PASS
