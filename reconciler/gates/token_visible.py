"""The verification values are there, at every authoritative server of the zone.

The vendor's page "Connecting other email services", step 2: the domain is verified through the TXT record before its
mail is routed to the gateway, and the record must stay. A server that does not show a value yet may be the one that
the vendor asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.gates.base import Facts, GateResult, Verdict
from reconciler.gates.observed import observation_of
from reconciler.names import display_name
from reconciler.state import Present, Unknown

if TYPE_CHECKING:
    from reconciler.state import Observed, Rdata


@dataclass(frozen=True, slots=True)
class TokenVisible:
    """Holds until each authoritative server shows every wanted verification value."""

    id: str = "token-visible"

    def judge(self, facts: Facts) -> GateResult:
        """Compare each server's answer with the wanted values."""
        desired = facts.desired.verification
        if desired is None or facts.domain.is_leaving:
            return GateResult(self.id, Verdict.PASS, "no verification value is needed")
        observation = observation_of(facts, desired)
        where = display_name(desired.key.name)
        unanswered = [
            f"{a.server} ({a.observed.detail})" for a in observation.answers if isinstance(a.observed, Unknown)
        ]
        behind = [a.server for a in observation.answers if not _shows(a.observed, desired.wanted)]
        if unanswered or not observation.answers:
            asked = ", ".join(unanswered) or "no authoritative server could be asked"
            return GateResult(
                self.id,
                Verdict.UNKNOWN,
                f"it is not known whether every server shows the verification values at {where}: {asked}",
                "mend or remove that name server; the next run looks again",
            )
        if behind:
            return GateResult(
                self.id,
                Verdict.HOLD,
                f"the verification values at {where} are not yet seen at {', '.join(behind)}",
                "once they are written the next run looks again, and what only the console shows is attested",
            )
        count = len(observation.answers)
        servers = "the authoritative server" if count == 1 else f"all {count} authoritative servers"
        return GateResult(self.id, Verdict.PASS, f"the verification values are seen at {servers}")


def _shows(observed: Observed, wanted: tuple[Rdata, ...]) -> bool:
    return isinstance(observed, Present) and set(wanted) <= set(observed.rrset.rdatas)
