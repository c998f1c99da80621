"""Before mail goes past the gateway again, the origin has to take it from everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.gates.attestations import attested
from reconciler.gates.base import Facts, GateResult, Verdict, combined
from reconciler.state import Unknown
from reconciler.targets.base import Intent

if TYPE_CHECKING:
    from reconciler.origin import AllowlistFact

RESTRICTED = "restricted"


@dataclass(frozen=True, slots=True)
class OriginOpen:
    """Holds the MX's way back until every list of the service that kept others out lets everybody in."""

    id: str = "origin-open"

    def judge(self, facts: Facts) -> GateResult:
        """Each list by its export; by attestations where there is none, or where somebody attested a restriction."""
        lists = [f for f in facts.allowlists if f.allowlist.declared.intent is Intent.RESTRICT]
        observed = [f for f in lists if f.observed is not None]
        results = [self._judge_export(fact) for fact in observed]
        if len(observed) < len(lists) or (not lists and self._restricted(facts)):
            results.append(self._judge_attestations(facts))
        return combined(results) if results else GateResult(self.id, Verdict.PASS, "no list keeps others out")

    def _judge_export(self, fact: AllowlistFact) -> GateResult:
        declared, observed = fact.allowlist.declared, fact.observed
        what = f"{declared.target} {declared.name}".strip()
        if observed is None or isinstance(observed, Unknown):
            detail = observed.detail if observed is not None else "there is no export"
            evidence = f"whether {what} keeps others out is not known: {detail}"
            return GateResult(self.id, Verdict.UNKNOWN, evidence, f"make a new export of it as {fact.allowlist.export}")
        if observed.is_open:
            return GateResult(self.id, Verdict.PASS, f"{what} lets everybody in, as its export says")
        evidence = f"{what} keeps everybody but the gateway out"
        advice = "let everybody in there (`reconciler emit` writes how), then make a new export"
        return GateResult(self.id, Verdict.HOLD, evidence, advice)

    def _restricted(self, facts: Facts) -> bool:
        return any(a.what == RESTRICTED for a in facts.domain.attestations)

    def _judge_attestations(self, facts: Facts) -> GateResult:
        """An attestation that the origin is open counts from the last day on which it was attested to be restricted."""
        last = max((a.on for a in facts.domain.attestations if a.what == RESTRICTED), default=None)
        found = [a for a in attested(facts, self.id) if last is None or a.on >= last]
        if found:
            evidence = f"attested by {found[0].by} on {found[0].on.isoformat()}: the origin takes mail from everybody"
            return GateResult(self.id, Verdict.PASS, evidence)
        evidence = "nobody attested yet that the origin takes mail from everybody again"
        if last is not None:
            evidence += f", and it was restricted on {last.isoformat()}"
        advice = f"let everybody in at the origin, then add to attestations: {{what: {self.id}, by: ..., on: ...}}"
        return GateResult(self.id, Verdict.HOLD, evidence, advice)
