"""The host that the MX shall name can take mail.

It is a name with an address, and no alias: RFC 2181 section 10.3, RFC 5321 section 5.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import Severity
from reconciler.gates.base import Facts, GateResult, Verdict, build_diagnostic, combined
from reconciler.gates.observed import wanted_hosts
from reconciler.manifest.hosts import is_numeric
from reconciler.names import display_name
from reconciler.state import Unknown
from reconciler.surroundings import NOT_PROBED, HostSight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.errors import Diagnostic
    from reconciler.names import Name
    from reconciler.surroundings import Host


def host_problem(host: Name, sight: Host) -> str | None:
    """Why a host that was looked up cannot stand in an MX; None where it can, or where it is not known."""
    shown = display_name(host)
    if is_numeric(host):
        return f"{shown} is an address, and an MX names hosts"
    if isinstance(sight, Unknown):
        return None
    if not isinstance(sight, HostSight):
        return f"{shown} has no address"
    if sight.alias is not None:
        return f"{shown} is an alias of {display_name(sight.alias)}, and an MX must not name an alias"
    return None if sight.addresses else f"{shown} has no address"


@dataclass(frozen=True, slots=True)
class MxTarget:
    """Holds while the gateway's host does not resolve, is an alias, or is an address."""

    id: str = "mx-target"
    severity: Severity = Severity.ERROR

    def judge(self, facts: Facts) -> GateResult:
        """Look at each wanted host; where it could not be looked up, the catalog vouches for it."""
        results = [self._judge_host(host, facts) for host in wanted_hosts(facts)]
        return combined(results) if results else GateResult(self.id, Verdict.PASS, "no MX is needed")

    def _judge_host(self, host: Name, facts: Facts) -> GateResult:
        sight, shown = facts.surroundings.host(host), display_name(host)
        problem = host_problem(host, sight)
        if problem is not None:
            return GateResult(self.id, Verdict.HOLD, problem, self._advice(facts))
        if isinstance(sight, Unknown):
            says = "the manifest" if facts.domain.mx_host is not None else "the catalog"
            evidence = f"{says} names {shown}; it could not be looked up here ({sight.detail})"
            return GateResult(self.id, Verdict.PASS, evidence)
        return GateResult(self.id, Verdict.PASS, f"{shown} resolves and is no alias")

    @staticmethod
    def _advice(facts: Facts) -> str:
        where = "mx_host in the manifest" if facts.domain.mx_host is not None else "the catalog"
        return f"correct {where}, or ask {facts.catalog.support} for the host's name"

    @staticmethod
    def _is_troubled(facts: Facts) -> bool:
        sights, hosts = facts.surroundings, wanted_hosts(facts)
        if sights is NOT_PROBED:
            return any(map(is_numeric, hosts))
        return any(host_problem(host, sights.host(host)) is not None for host in hosts)

    def find(self, facts: Facts) -> Iterator[Diagnostic]:
        """Nothing can be done for the domain before that; of one that leaves the gate of the next hops says it."""
        if facts.domain.is_leaving or not self._is_troubled(facts):
            return
        result = self.judge(facts)
        yield build_diagnostic(self, facts, result.evidence, f"{result.advice[0].upper()}{result.advice[1:]}.")
