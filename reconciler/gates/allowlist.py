"""The origin accepts mail from the gateway: a person attested it for the addresses of the target state.

The vendor's page "Connecting other email services", step 3.1: the addresses depend on the region, and multi-region
adds one. An attestation vouches for the region and the multi-region flag that it names. One that names no region
counts for the organization's region, except while the domain is moved from another region: it was true of the old one.
One that does not name the flag vouches for the addresses without multi-region.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.gates.base import Facts, GateResult, Verdict
from reconciler.state import Present, mx_exchange

if TYPE_CHECKING:
    from reconciler.manifest.fleet import Attestation

ATTESTATION = "allowlist"


@dataclass(frozen=True, slots=True)
class AllowlistAttested:
    """Holds until attestations that count today cover every gateway address of the target state."""

    id: str = "allowlist"

    def judge(self, facts: Facts) -> GateResult:
        """Add up what the attestations vouch for and compare it with the target's addresses."""
        domain = facts.domain
        current = [a for a in domain.attestations if a.what == ATTESTATION and _counts(a, facts)]
        needed = facts.catalog.addresses(domain.region, multi_region=domain.multi_region)
        vouched = {address for a in current for address in _vouched_addresses(a, facts)}
        missing = [address for address in needed if address not in vouched]
        if not missing:
            evidence = "; ".join(f"attested by {a.by} on {a.on.isoformat()}" for a in current)
            return GateResult(self.id, Verdict.PASS, f"the allowlist covers the gateway's addresses: {evidence}")
        state = f"region: {domain.region}" + (", multi_region: true" if domain.multi_region else "")
        if current:
            evidence = f"the allowlist attested by {current[0].by} does not cover {', '.join(missing)}"
        else:
            evidence = f"nobody attested yet that the origin accepts mail from {', '.join(missing)}"
        return GateResult(
            self.id,
            Verdict.HOLD,
            evidence,
            "allow these addresses at the origin, then add to attestations: "
            f"{{what: {ATTESTATION}, by: ..., on: ..., {state}}}",
        )


def _counts(attestation: Attestation, facts: Facts) -> bool:
    return attestation.on <= facts.today and (attestation.expires is None or facts.today <= attestation.expires)


def _vouched_addresses(attestation: Attestation, facts: Facts) -> tuple[str, ...]:
    if attestation.region is None and _is_region_move(facts):
        return ()
    region = attestation.region or facts.domain.region
    return facts.catalog.addresses(region, multi_region=bool(attestation.multi_region))


def _is_region_move(facts: Facts) -> bool:
    """Whether the observed MX names a gateway host that no state of the organization's region has."""
    desired = facts.desired.mx
    observed = facts.observations[desired.key].observed if desired is not None else None
    if not isinstance(observed, Present):
        return False
    hosts = [h for h in map(mx_exchange, observed.rrset.rdatas) if facts.catalog.is_gateway_host(h)]
    regions = {region for host in hosts for region, _ in facts.catalog.states_with_mx_host(host)}
    return bool(regions) and facts.domain.region not in regions
