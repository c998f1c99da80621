"""A next hop is not the gateway: mail would run in a loop (RFC 5321 section 6.3).

The vendor's console fills the next hops in from the domain's current MX; after the switch that is the gateway. Names
are refused in the manifests already; here are the addresses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import Severity
from reconciler.gates.attestations import NEXT_HOP_TLS, attested_for_next_hops
from reconciler.gates.base import Facts, GateResult, Verdict, build_diagnostic, combined
from reconciler.gates.observed import is_gateway
from reconciler.names import display_name
from reconciler.state import Unknown
from reconciler.surroundings import HostSight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.errors import Diagnostic
    from reconciler.names import Name


def find_gateway_address(host: Name, facts: Facts) -> str | None:
    """What makes a host the gateway, in a few words; None where nothing is known to."""
    if is_gateway(facts, host):
        return "it is one of the gateway's names"
    sight = facts.surroundings.host(host)
    if not isinstance(sight, HostSight):
        return None
    if sight.alias is not None and is_gateway(facts, sight.alias):
        return f"it is an alias of {display_name(sight.alias)}"
    shared = [a for a in sight.addresses if a in _gateway_addresses(facts)]
    return f"it has the address {shared[0]}" if shared else None


def _gateway_addresses(facts: Facts) -> frozenset[str]:
    """Those that the catalog knows, and those of every gateway host that was looked up."""
    catalog = facts.catalog
    known = {a for region in catalog.regions for a in catalog.addresses(region, multi_region=True)}
    for host, sight in facts.surroundings.hosts.items():
        if isinstance(sight, HostSight) and is_gateway(facts, host):
            known.update(sight.addresses)
    return frozenset(known)


@dataclass(frozen=True, slots=True)
class Loop:
    """Holds where a next hop is a host of the gateway, or has one of its addresses."""

    id: str = "loop"
    severity: Severity = Severity.ERROR

    def judge(self, facts: Facts) -> GateResult:
        """Compare each next hop with the gateway; one that could not be looked up may be it."""
        results = [self._judge_host(host, facts) for host in facts.domain.next_hops]
        return combined(results) if results else GateResult(self.id, Verdict.PASS, "there is no next hop")

    def _judge_host(self, host: Name, facts: Facts) -> GateResult:
        shown, found = display_name(host), find_gateway_address(host, facts)
        if found is not None:
            evidence = f"the next hop {shown} is the gateway itself: {found}"
            advice = "name the domain's own mail server in next_hops, and in the vendor's console"
            return GateResult(self.id, Verdict.HOLD, evidence, advice)
        sight = facts.surroundings.host(host)
        if not isinstance(sight, Unknown):
            return GateResult(self.id, Verdict.PASS, f"{shown} is not the gateway")
        attested = attested_for_next_hops(facts, NEXT_HOP_TLS)
        if attested:
            evidence = f"{shown}: attested by {attested[0].by} on {attested[0].on.isoformat()}"
            return GateResult(self.id, Verdict.PASS, evidence)
        evidence = f"it is not known whether {shown} is the gateway: {sight.detail}"
        return GateResult(self.id, Verdict.UNKNOWN, evidence, "mend its DNS; the next run looks again")

    def find(self, facts: Facts) -> Iterator[Diagnostic]:
        """A loop is an error of the manifest, whatever else the domain waits for."""
        for host in facts.domain.next_hops:
            if find_gateway_address(host, facts) is None:
                continue
            result = self.judge(facts)
            yield build_diagnostic(self, facts, result.evidence, f"{result.advice[0].upper()}{result.advice[1:]}.")
            return
