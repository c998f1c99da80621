"""The origin accepts mail from the gateway: its allowlists cover every gateway address of the target state.

The vendor's page "Connecting other email services", step 3.1: the addresses depend on the region, and multi-region
adds one. A list with an export is observed. Where a list has none, or none is declared, a person attests: an
attestation vouches for the region and the multi-region flag that it names. One that names no region counts for the
organization's region, except while the domain is moved from another region: it was true of the old one. One that does
not name the flag vouches for the addresses without multi-region.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.allowlist_diff import missing_addresses
from reconciler.gates.attestations import attestation_example, attested, is_region_move
from reconciler.gates.base import Facts, GateResult, Verdict, combined
from reconciler.state import Unknown

if TYPE_CHECKING:
    from reconciler.manifest.fleet import Attestation
    from reconciler.origin import AllowlistFact


ATTESTATION = "allowlist"


@dataclass(frozen=True, slots=True)
class AllowlistCovers:
    """Holds until every list of the service covers every gateway address of the target state."""

    id: str = "allowlist"

    def judge(self, facts: Facts) -> GateResult:
        """Each list by its export, and by attestations what has none; the worst verdict stands for all."""
        if facts.domain.is_leaving:
            return GateResult(self.id, Verdict.PASS, "the domain leaves the gateway")
        observed = [f for f in facts.allowlists if f.observed is not None]
        results = [self._judge_export(fact, facts) for fact in observed]
        if len(observed) < len(facts.allowlists) or not observed:
            results.append(self._judge_attestations(facts))
        return combined(results)

    def _judge_export(self, fact: AllowlistFact, facts: Facts) -> GateResult:
        declared, observed = fact.allowlist.declared, fact.observed
        what = f"{declared.target} {declared.name}".strip()
        if observed is None or isinstance(observed, Unknown):
            detail = observed.detail if observed is not None else "there is no export"
            advice = f"make a new export of it as {fact.allowlist.export}"
            return GateResult(self.id, Verdict.UNKNOWN, f"what {what} allows is not known: {detail}", advice)
        missing = missing_addresses(_needed(facts), observed)
        if missing:
            evidence = f"{what} does not allow {', '.join(missing)}"
            advice = "allow these addresses there (`reconciler emit` writes how), then make a new export"
            return GateResult(self.id, Verdict.HOLD, evidence, advice)
        return GateResult(self.id, Verdict.PASS, f"{what} allows the gateway's addresses, as its export says")

    def _judge_attestations(self, facts: Facts) -> GateResult:
        current = attested(facts, ATTESTATION)
        missing = unattested_addresses(facts)
        if not missing:
            evidence = "; ".join(f"attested by {a.by} on {a.on.isoformat()}" for a in current)
            return GateResult(self.id, Verdict.PASS, f"the allowlist covers the gateway's addresses: {evidence}")
        if current:
            evidence = f"the allowlist attested by {current[0].by} does not cover {', '.join(missing)}"
        else:
            evidence = f"nobody attested yet that the origin accepts mail from {', '.join(missing)}"
        example = attestation_example(facts, ATTESTATION, multi_region=True)
        advice = f"allow these addresses at the origin, then add to attestations: {example}"
        return GateResult(self.id, Verdict.HOLD, evidence, advice)


def unattested_addresses(facts: Facts) -> tuple[str, ...]:
    """The gateway addresses of the target state that no attestation vouches for."""
    vouched = {address for a in attested(facts, ATTESTATION) for address in _vouched_addresses(a, facts)}
    return tuple(address for address in _needed(facts) if address not in vouched)


def _needed(facts: Facts) -> tuple[str, ...]:
    return facts.catalog.addresses(facts.domain.region, multi_region=facts.domain.multi_region)


def _vouched_addresses(attestation: Attestation, facts: Facts) -> tuple[str, ...]:
    if attestation.region is None and is_region_move(facts):
        return ()
    region = attestation.region or facts.domain.region
    return facts.catalog.addresses(region, multi_region=bool(attestation.multi_region))
