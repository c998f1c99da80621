"""What a step at an origin waits for: every mail domain that uses the list, and every sender's cache. Pure."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
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
    from reconciler.gates.early_removal import Removal
    from reconciler.history import Waits

_ASSUMED = "what senders may still hold is not known in full, so the longest time is assumed"
_KNOWN = "senders may hold the old MX until its TTL has passed"


class Waiting:
    """Judges for all mail domains behind one origin, those of services that share its lists included; never none.

    `domains` are the service's own; `around` judge for the others. Many services have the same ones around, so that
    each thing is found out once.
    """

    def __init__(self, domains: Sequence[Facts], around: Sequence[Waiting] = ()) -> None:
        """For these."""
        self.domains = domains
        self._around = around

    @property
    def now(self) -> datetime:
        """The time of the plan."""
        return self.domains[0].now

    @cached_property
    def is_anybody_leaving(self) -> bool:
        """Whether one of the mail domains leaves the gateway."""
        return any(f.domain.is_leaving for f in self.domains) or any(w.is_anybody_leaving for w in self._around)

    @cached_property
    def longest(self) -> Waits:
        """The waits of which nobody's time before a restriction is longer."""
        return max((*(f.waits for f in self.domains), *(w.longest for w in self._around)), key=lambda w: w.restrict)

    def switched(self) -> GateResult:
        """The first mail domain whose MX is not yet as it shall be, or that all are."""
        passed = GateResult(SwitchObserved().id, Verdict.PASS, "every mail domain of the service is as it shall be")
        return self._unswitched or passed

    @cached_property
    def _unswitched(self) -> GateResult | None:
        gate = SwitchObserved()
        for facts in self.domains:
            result = gate.judge(facts)
            if result.verdict is not Verdict.PASS:
                return replace(result, evidence=f"{facts.domain.written}: {result.evidence}")
        return next((w._unswitched for w in self._around if w._unswitched is not None), None)  # noqa: SLF001 - its own kind

    def caches_empty(self) -> datetime:
        """Since when, or from when on, no sender can use an MX that is not shown now; the settle time included."""
        return self._caches_empty

    @cached_property
    def _caches_empty(self) -> datetime:
        own = (self._empty(facts) + facts.waits.settle for facts in self.domains)
        return max((*own, *(w._caches_empty for w in self._around)))  # noqa: SLF001 - its own kind

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
        last = self._last_removal
        return self.until("early-removal", last.moment, _ASSUMED if last.is_assumed else _KNOWN)

    @cached_property
    def _last_removal(self) -> Removal:
        own = map(earliest_removal, self.domains)
        return max((*own, *(w._last_removal for w in self._around)), key=lambda r: r.moment)  # noqa: SLF001 - its own kind


def _is_moving(facts: Facts) -> bool:
    return SwitchObserved().judge(facts).verdict is not Verdict.PASS
