"""Before mail goes past the gateway again, the origin has to take it from everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.gates.attestations import RESTRICTED, RESTRICTED_HARD, attested
from reconciler.gates.base import Facts, GateResult, Verdict, combined
from reconciler.state import Unknown
from reconciler.targets.base import Enforcement, Intent
from reconciler.targets.enforcement import shows_enforcement

if TYPE_CHECKING:
    from reconciler.origin import AllowlistFact

_RESTRICTING = frozenset({RESTRICTED, RESTRICTED_HARD})


@dataclass(frozen=True, slots=True)
class OriginOpen:
    """Holds the MX's way back until every list of the service that kept others out lets everybody in."""

    id: str = "origin-open"

    def judge(self, facts: Facts) -> GateResult:
        """Each list by its export where that shows it; by attestations elsewhere, also of an origin without a list."""
        lists = [f for f in facts.allowlists if f.allowlist.declared.intent is Intent.RESTRICT]
        results = [self._judge_export(fact) for fact in lists]
        if None in results or (not lists and self._restricted(facts)):
            results.append(self._judge_attestations(facts))
        judged = [r for r in results if r is not None]
        return combined(judged) if judged else GateResult(self.id, Verdict.PASS, "no list keeps others out")

    def _judge_export(self, fact: AllowlistFact) -> GateResult | None:
        """None where no export tells, and a person has to: the rule that keeps others out stands elsewhere."""
        declared, observed = fact.allowlist.declared, fact.observed
        what = f"{declared.target} {declared.name}".strip()
        if observed is None:
            return None
        if isinstance(observed, Unknown):
            evidence = f"whether {what} keeps others out is not known: {observed.detail}"
            return GateResult(self.id, Verdict.UNKNOWN, evidence, f"make a new export of it as {fact.allowlist.export}")
        if observed.refusal is Enforcement.NONE:
            return GateResult(self.id, Verdict.PASS, f"{what} lets everybody in, as its export says")
        if not shows_enforcement(declared.target):
            return None
        evidence = f"{what} keeps others than the gateway out"
        advice = "let everybody in there (`reconciler emit` writes how), then make a new export with the emitted script"
        return GateResult(self.id, Verdict.HOLD, evidence, advice)

    def _restricted(self, facts: Facts) -> bool:
        return any(a.what in _RESTRICTING for a in facts.domain.attestations)

    def _judge_attestations(self, facts: Facts) -> GateResult:
        """An attestation that the origin is open counts from the last day on which it was attested to be restricted."""
        last = max((a.on for a in facts.domain.attestations if a.what in _RESTRICTING), default=None)
        found = [a for a in attested(facts, self.id) if last is None or a.on > last]
        if found:
            evidence = f"attested by {found[0].by} on {found[0].on.isoformat()}: the origin takes mail from everybody"
            return GateResult(self.id, Verdict.PASS, evidence)
        evidence = "nobody attested yet that the origin takes mail from everybody again"
        if last is not None:
            evidence += f", and it was restricted on {last.isoformat()}"
        advice = f"let everybody in at the origin, then add to attestations: {{what: {self.id}, by: ..., on: ...}}"
        return GateResult(self.id, Verdict.HOLD, evidence, advice)
