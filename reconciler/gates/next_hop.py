"""The next hops can take the mail that the gateway hands on, or that comes back to them when a domain leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.gates.attestations import NEXT_HOP_TLS, attested_for_next_hops
from reconciler.gates.base import Facts, GateResult, Verdict, combined
from reconciler.gates.loop import find_gateway_address
from reconciler.gates.mx_target import host_problem
from reconciler.names import display_name
from reconciler.state import Unknown
from reconciler.surroundings import SmtpRefusal, SmtpSight

if TYPE_CHECKING:
    from reconciler.names import Name

_NO_NEXT_HOP = "no next hop is declared"
_DECLARE = "declare next_hops: the domain's own mail servers"


def next_hop_results(gate: str, facts: Facts, results: list[GateResult]) -> GateResult:
    """The results of all next hops as one; without a next hop there is nothing that could take the mail."""
    if facts.desired.mx is None:
        return GateResult(gate, Verdict.PASS, "no mail comes from the gateway by MX")
    return combined(results or [GateResult(gate, Verdict.HOLD, _NO_NEXT_HOP, _DECLARE)])


@dataclass(frozen=True, slots=True)
class NextHop:
    """Holds until each next hop resolves and is no alias; of a domain that leaves, also until it answers by SMTP.

    What could not be looked at passes with an attestation `next-hop-tls` that was made for these next hops.
    """

    must_answer: bool = False
    id: str = "next-hop"

    def judge(self, facts: Facts) -> GateResult:
        """Look at each next hop."""
        return next_hop_results(self.id, facts, [self._judge_host(host, facts) for host in facts.domain.next_hops])

    def _judge_host(self, host: Name, facts: Facts) -> GateResult:
        shown = display_name(host)
        problem = self._problem(host, facts)
        if problem is not None:
            return GateResult(self.id, Verdict.HOLD, problem, "correct next_hops, or the host's DNS")
        unknown = self._unknown(host, facts)
        if unknown is None:
            return GateResult(self.id, Verdict.PASS, f"{shown} resolves{self._answer(host, facts)}")
        attested = attested_for_next_hops(facts, NEXT_HOP_TLS)
        if attested:
            evidence = f"{shown}: attested by {attested[0].by} on {attested[0].on.isoformat()}"
            return GateResult(self.id, Verdict.PASS, evidence)
        advice = f"let this machine reach it, or look yourself and add to attestations: {{what: {NEXT_HOP_TLS}, ...}}"
        return GateResult(self.id, Verdict.UNKNOWN, f"{shown} could not be looked at: {unknown.detail}", advice)

    def _problem(self, host: Name, facts: Facts) -> str | None:
        problem = host_problem(host, facts.surroundings.host(host))
        if problem is not None or not self.must_answer:
            return problem
        address = find_gateway_address(host, facts)
        if address is not None:
            return f"{display_name(host)} is the gateway itself: {address}"
        seen = facts.surroundings.mail_server(host)
        return f"{display_name(host)} takes no mail: {seen.detail}" if isinstance(seen, SmtpRefusal) else None

    def _answer(self, host: Name, facts: Facts) -> str:
        seen = facts.surroundings.mail_server(host) if self.must_answer else None
        return f" and answers{seen.ago}" if isinstance(seen, SmtpSight) else ""

    def _unknown(self, host: Name, facts: Facts) -> Unknown | None:
        sight = facts.surroundings.host(host)
        if isinstance(sight, Unknown):
            return sight
        seen = facts.surroundings.mail_server(host)
        return seen if self.must_answer and isinstance(seen, Unknown) else None
