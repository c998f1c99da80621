"""The MX's TTL was lowered ahead of the switch, where the manifest asks for it, and the old TTL has passed."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.gates.base import Facts, GateResult, Verdict
from reconciler.gates.observed import history_with_this_look, observation_of
from reconciler.history import cached_mx
from reconciler.moments import end_text
from reconciler.state import Present, Unknown


@dataclass(frozen=True, slots=True)
class Ttl:
    """Holds until the MX has the declared switch TTL at every server, and no sender holds one with a longer TTL."""

    id: str = "ttl"

    def judge(self, facts: Facts) -> GateResult:
        """Look at the TTL of now, then at what the history says of those before."""
        desired, limit = facts.desired.mx, facts.domain.switch_ttl
        if desired is None or limit is None:
            return GateResult(self.id, Verdict.PASS, "no TTL is asked for ahead of the switch")
        answers = observation_of(facts, desired).answers
        if not answers or any(isinstance(a.observed, Unknown) for a in answers):
            evidence = "it is not known which TTL the MX has at every server"
            return GateResult(self.id, Verdict.UNKNOWN, evidence, "mend or remove the name server that does not answer")
        ttl = max((a.observed.rrset.ttl for a in answers if isinstance(a.observed, Present)), default=0)
        if ttl > limit:
            evidence = f"the TTL of the MX is {ttl} seconds, and {limit} are asked for ahead of the switch"
            return GateResult(self.id, Verdict.HOLD, evidence, "nothing to do once the TTL's step was applied")
        held = [c for c in cached_mx(history_with_this_look(facts), facts.now, facts.waits) if c.rdatas is not None]
        if held:
            until = held[-1].until
            evidence = f"senders may hold the MX with its old TTL until {end_text(until)}"
            return GateResult(
                self.id, Verdict.HOLD, evidence, "nothing to do: a run after that goes on", not_before=until
            )
        return GateResult(self.id, Verdict.PASS, f"the TTL of the MX is at most {limit} seconds")
