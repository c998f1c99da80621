"""The next hops take mail over TLS, as the gateway demands.

The vendor's page "Connecting other email services": the domain's own server must offer STARTTLS with a TLS version that
the catalog names, before the MX moves; the vendor's support can switch that off for a domain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.gates.attestations import NEXT_HOP_TLS, attested, attested_for_next_hops
from reconciler.gates.base import Facts, GateResult, Verdict
from reconciler.gates.next_hop import next_hop_results
from reconciler.names import display_name
from reconciler.state import Absent, Unknown
from reconciler.surroundings import SmtpRefusal, TlsSight

if TYPE_CHECKING:
    from reconciler.names import Name

SWITCHED_OFF = "tls-check-off"
_VERSION = re.compile(r"(?:TLSv)?(\d+)(?:\.(\d+))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tls:
    """Holds until each next hop offers STARTTLS with a TLS version that is new enough.

    An attestation `next-hop-tls` stands for what could not be looked at, `tls-check-off` for everything but a host that
    does not resolve.
    """

    id: str = "tls"

    def judge(self, facts: Facts) -> GateResult:
        """Look at each next hop's STARTTLS."""
        return next_hop_results(self.id, facts, [self._judge_host(host, facts) for host in facts.domain.next_hops])

    def _judge_host(self, host: Name, facts: Facts) -> GateResult:
        shown = display_name(host)
        if isinstance(facts.surroundings.host(host), Absent):
            return GateResult(self.id, Verdict.HOLD, f"{shown} does not resolve", "correct next_hops, or its DNS")
        off = attested(facts, SWITCHED_OFF)
        if off:
            evidence = f"{shown}: the vendor switched the check off, attested by {off[0].by} on {off[0].on.isoformat()}"
            return GateResult(self.id, Verdict.PASS, evidence)
        seen = facts.surroundings.mail_server(host)
        if isinstance(seen, Unknown):
            return self._judge_unknown(shown, seen, facts)
        if isinstance(seen, SmtpRefusal):
            advice = "let it take mail from this machine and from the gateway's addresses"
            return GateResult(self.id, Verdict.HOLD, f"{shown} takes no mail: {seen.detail}", advice)
        problem = _tls_problem(seen.tls, seen.tls_problem, facts.catalog.tls_minimum_version)
        if problem is None and seen.tls is not None:
            return GateResult(self.id, Verdict.PASS, f"{shown} offers STARTTLS with {seen.tls.version}{seen.ago}")
        advice = (
            f"offer STARTTLS with TLS {facts.catalog.tls_minimum_version} or later there, or ask "
            f"{facts.catalog.support} to switch the check off and add to attestations: "
            f"{{what: {SWITCHED_OFF}, by: ..., on: ...}}"
        )
        return GateResult(self.id, Verdict.HOLD, f"{shown} {problem}{seen.ago}", advice)

    def _judge_unknown(self, shown: str, unknown: Unknown, facts: Facts) -> GateResult:
        found = attested_for_next_hops(facts, NEXT_HOP_TLS)
        if found:
            evidence = f"{shown}: STARTTLS attested by {found[0].by} on {found[0].on.isoformat()}"
            return GateResult(self.id, Verdict.PASS, evidence)
        advice = (
            "look from a machine that reaches port 25, then add to attestations: "
            f"{{what: {NEXT_HOP_TLS}, by: ..., on: ...}}"
        )
        evidence = f"whether {shown} offers STARTTLS is not known: {unknown.detail}"
        return GateResult(self.id, Verdict.UNKNOWN, evidence, advice)


def _tls_problem(tls: TlsSight | None, why: str, minimum: str) -> str | None:
    if tls is None:
        return f"offers no STARTTLS that works{f' ({why})' if why else ''}"
    if _version(tls.version) < _version(minimum):
        return f"offers {tls.version}, and the gateway wants TLS {minimum} or later"
    return None


def _version(text: str) -> tuple[int, int]:
    """`TLSv1.3` and `1.3` as (1, 3); what is no version of TLS, as `SSLv3`, comes before all of them."""
    found = _VERSION.fullmatch(text)
    return (int(found[1]), int(found[2] or 0)) if found is not None else (0, 0)
