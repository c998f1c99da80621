"""The MX is as desired at every authoritative server, so that only caches can still hold the old one."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.gates.base import Facts, GateResult, Verdict
from reconciler.gates.observed import observation_of
from reconciler.state import Present, Unknown


@dataclass(frozen=True, slots=True)
class SwitchObserved:
    """Holds what only the old state needed until every authoritative server shows the wanted MX and no old one."""

    id: str = "switch-observed"

    def judge(self, facts: Facts) -> GateResult:
        """Compare each server's MX with the wanted one; of a domain that leaves, look for hosts of the gateway."""
        desired = facts.desired.mx
        if desired is None:
            return GateResult(self.id, Verdict.PASS, "no MX is needed")
        answers = observation_of(facts, desired).answers
        unanswered = [f"{a.server} ({a.observed.detail})" for a in answers if isinstance(a.observed, Unknown)]
        if unanswered or not answers:
            asked = ", ".join(unanswered) or "no authoritative server could be asked"
            evidence = f"it is not known whether every server shows the new MX: {asked}"
            return GateResult(self.id, Verdict.UNKNOWN, evidence, "mend or remove that name server")
        behind = []
        for answer in answers:
            there = answer.observed.rrset.rdatas if isinstance(answer.observed, Present) else ()
            if not facts.desired.is_mx_as_wanted(there):
                behind.append(answer.server)
        if behind:
            evidence = f"the MX is not yet as desired at {', '.join(behind)}"
            return GateResult(self.id, Verdict.HOLD, evidence, "nothing to do: this step follows the switch of the MX")
        return GateResult(self.id, Verdict.PASS, "the MX is as desired at every authoritative server")
