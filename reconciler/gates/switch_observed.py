"""The MX is as desired at every authoritative server, so that only caches can still hold the old one."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.gates.base import Facts, GateResult, Verdict
from reconciler.state import Present, Unknown


@dataclass(frozen=True, slots=True)
class SwitchObserved:
    """Holds what only the old state needed until every authoritative server shows the wanted MX and no old one."""

    id: str = "switch-observed"

    def judge(self, facts: Facts) -> GateResult:
        """Compare each server's MX with the wanted one."""
        desired = facts.desired.mx
        if desired is None:
            return GateResult(self.id, Verdict.PASS, "no MX is needed")
        answers = facts.observations[desired.key].answers
        unanswered = [f"{a.server} ({a.observed.detail})" for a in answers if isinstance(a.observed, Unknown)]
        if unanswered or not answers:
            asked = ", ".join(unanswered) or "no authoritative server could be asked"
            evidence = f"it is not known whether every server shows the new MX: {asked}"
            return GateResult(self.id, Verdict.UNKNOWN, evidence, "mend or remove that name server")
        wanted = set(desired.wanted)
        behind = [
            a.server
            for a in answers
            if not isinstance(a.observed, Present)
            or {v for v in a.observed.rrset.rdatas if desired.ownership.owns(v)} != wanted
        ]
        if behind:
            evidence = f"the MX is not yet as desired at {', '.join(behind)}"
            return GateResult(self.id, Verdict.HOLD, evidence, "nothing to do: this step follows the switch of the MX")
        return GateResult(self.id, Verdict.PASS, "the MX is as desired at every authoritative server")
