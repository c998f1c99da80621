"""SPF's `mx` mechanism means the hosts of the MX: after the switch the gateway's, and no more the domain's own senders.

RFC 7208 section 5.4. Whoever sends from the old MX's hosts fails SPF from then on, unless `ip4` and `ip6` name them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.addresses import parse_address_set
from reconciler.errors import Severity
from reconciler.gates.base import Facts, GateResult, Verdict, build_diagnostic, combined
from reconciler.gates.observed import is_gateway, is_mx_known, is_switch_pending, observed_hosts
from reconciler.gates.spf import spf_records
from reconciler.names import display_name
from reconciler.state import Present, Unknown
from reconciler.surroundings import HostSight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.errors import Diagnostic
    from reconciler.gates.spf import SpfRecord

_SEVERAL = "several SPF records stand at the domain, which is an error to all who read them (RFC 7208 section 4.5)"
_MERGE = "merge the SPF records into one"


@dataclass(frozen=True, slots=True)
class SpfMx:
    """Holds while SPF names senders by the MX that moves away from them."""

    id: str = "spf-mx"

    def judge(self, facts: Facts) -> GateResult:
        """Look for `mx` in the record, and for the old hosts' addresses beside it."""
        if facts.desired.mx is None:
            return GateResult(self.id, Verdict.PASS, "no MX is needed")
        seen = facts.surroundings.apex_txt
        if isinstance(seen, Unknown):
            evidence = f"whether SPF names the MX is not known: {seen.detail}"
            return GateResult(self.id, Verdict.UNKNOWN, evidence, "the next run looks again")
        records = spf_records(seen.rrset) if isinstance(seen, Present) else ()
        if len(records) > 1:
            return GateResult(self.id, Verdict.PASS, _SEVERAL, _MERGE)
        named = records[0].mx(facts.domain.name) if records else ()
        if not named:
            return GateResult(self.id, Verdict.PASS, "SPF does not name the domain's MX")
        return self._judge_hosts(records[0], ", ".join(f"`{m.written}`" for m in named), facts)

    def _judge_hosts(self, record: SpfRecord, named: str, facts: Facts) -> GateResult:
        if not is_mx_known(facts):
            evidence = f"SPF says {named}, and which hosts the MX names now is not known"
            return GateResult(self.id, Verdict.UNKNOWN, evidence, "the next run looks again")
        hosts = [h for h in observed_hosts(facts) if not is_gateway(facts, h)]
        if not hosts:
            evidence = f"SPF says {named}, and no server of the domain's own is in the MX"
            return GateResult(self.id, Verdict.PASS, evidence)
        results = []
        for host in hosts:
            sight = facts.surroundings.host(host)
            if isinstance(sight, Unknown):
                evidence = f"SPF says {named}, and the addresses of {display_name(host)} are not known: {sight.detail}"
                results.append(GateResult(self.id, Verdict.UNKNOWN, evidence, "the next run looks again"))
            elif isinstance(sight, HostSight):
                results += [self._judge_address(a, record, named) for a in sight.addresses]
        if not results:
            return GateResult(self.id, Verdict.PASS, f"SPF says {named}, and no host of the MX has an address")
        remove = f"take {named} out of the SPF record: after the switch it would let the gateway's hosts send"
        covered = f"SPF says {named}, and names the addresses of the old MX itself"
        if any(r.verdict is not Verdict.PASS for r in results):
            return combined(results)
        return GateResult(self.id, Verdict.PASS, covered, remove)

    def _judge_address(self, address: str, record: SpfRecord, named: str) -> GateResult:
        if record.addresses.covers(parse_address_set([address])):
            return GateResult(self.id, Verdict.PASS, f"SPF names {address}")
        mechanism = f"{'ip6' if ':' in address else 'ip4'}:{address}"
        evidence = f"SPF says {named}, which means {address} now and the gateway after the switch"
        advice = f"add `{mechanism}` to the SPF record in the place of {named}, unless that host sends no mail"
        return GateResult(self.id, Verdict.HOLD, evidence, advice)


@dataclass(frozen=True, slots=True)
class SpfRecords:
    """Several SPF records at the domain: all who read them see an error, and none of them counts."""

    id: str = "spf-records"
    severity: Severity = Severity.WARNING

    def find(self, facts: Facts) -> Iterator[Diagnostic]:
        """Only while the MX is to move, when somebody looks at the domain anyway."""
        seen = facts.surroundings.apex_txt
        if is_switch_pending(facts) and isinstance(seen, Present) and len(spf_records(seen.rrset)) > 1:
            yield build_diagnostic(self, facts, _SEVERAL, "Merge them into one record.")
