"""MTA-STS: senders that hold an enforced policy deliver only to hosts that it lists, with a good certificate.

RFC 8461: section 3.2 (the policy and how long it is cached), 4.1 (which host a pattern matches), 8.3 (the policy is
changed before the TXT record's id, and both before the MX).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.gates.base import Facts, GateResult, Verdict, combined
from reconciler.gates.observed import is_mx_known, observed_hosts, wanted_hosts
from reconciler.names import Name, display_name
from reconciler.state import Unknown
from reconciler.surroundings import MtaStsPolicy, SmtpRefusal, SmtpSight

if TYPE_CHECKING:
    from collections.abc import Iterable

ENFORCE = "enforce"
# who only takes it away leaves senders with what they hold, for max_age
_MEND = "mend the policy or its server; to end it, publish mode none with a new id first (RFC 8461 section 8.3)"


def is_matched(host: Name, patterns: Iterable[str]) -> bool:
    """Whether a pattern matches: the name itself, or `*.` for exactly one leftmost label (RFC 8461 section 4.1).

    Certificates name hosts the same way (RFC 6125 section 6.4.3).
    """
    text = display_name(host)
    parent = text.partition(".")[2]
    texts = {text, f"*.{parent}"} if parent else {text}
    return any(pattern.lower().removesuffix(".") in texts for pattern in patterns)


@dataclass(frozen=True, slots=True)
class MtaSts:
    """Holds until an enforced MTA-STS policy lists the new MX hosts, and still the old ones.

    Where nothing but the old ones goes, and the new ones are there, it need not list those: `is_move` is False.
    """

    is_move: bool = True
    id: str = "mta-sts"

    def judge(self, facts: Facts) -> GateResult:
        """Compare the policy's patterns with every host that senders may use while the MX moves."""
        policy, hosts = facts.surroundings.mta_sts, wanted_hosts(facts)
        if not hosts:
            return GateResult(self.id, Verdict.PASS, "no MX is needed")
        if isinstance(policy, Unknown):
            evidence = f"whether an MTA-STS policy lists the new MX is not known: {policy.detail}"
            return GateResult(self.id, Verdict.UNKNOWN, evidence, _MEND)
        if not isinstance(policy, MtaStsPolicy):
            return GateResult(self.id, Verdict.PASS, "there is no MTA-STS policy")
        used = dict.fromkeys((*hosts, *(observed_hosts(facts) if self.is_move else ())))
        missing = [h for h in used if not is_matched(h, policy.mx)]
        if missing:
            return self._judge_missing(missing, policy, facts)
        if policy.mode == ENFORCE and not is_mx_known(facts):
            evidence = "the MTA-STS policy lists the new MX hosts, and which hosts the MX names now is not known"
            return GateResult(self.id, Verdict.UNKNOWN, evidence, "the next run looks again")
        evidence = f"the MTA-STS policy (mode {policy.mode}) lists the new MX hosts and the old ones{policy.ago}"
        advice = f"where the lines were added only now: {_cached(policy)}" if policy.mode == ENFORCE else ""
        return GateResult(self.id, Verdict.PASS, evidence, advice)

    def _judge_missing(self, missing: list[Name], policy: MtaStsPolicy, facts: Facts) -> GateResult:
        names = ", ".join(map(display_name, missing))
        evidence = f"the MTA-STS policy (mode {policy.mode}) does not list {names}{policy.ago}"
        lines = ", ".join(f'"mx: {display_name(h)}"' for h in missing)
        domain = display_name(facts.domain.name)
        advice = (
            f"first add to https://mta-sts.{domain}/.well-known/mta-sts.txt {lines}; then change the id (now "
            f"{policy.id}) in TXT _mta-sts.{domain}; {_cached(policy)}"
        )
        verdict = Verdict.HOLD if policy.mode == ENFORCE else Verdict.PASS
        return GateResult(self.id, verdict, evidence, advice)


def _cached(policy: MtaStsPolicy) -> str:
    return f"senders may hold the policy from before for {policy.max_age} seconds (max_age) and look at the id again"


@dataclass(frozen=True, slots=True)
class MxCertificate:
    """Holds while an enforced MTA-STS policy meets a gateway host without a good certificate of its name."""

    id: str = "mx-certificate"

    def judge(self, facts: Facts) -> GateResult:
        """Only where the policy enforces does a sender insist (RFC 8461 section 4.2)."""
        policy, hosts = facts.surroundings.mta_sts, wanted_hosts(facts)
        if not hosts:
            return GateResult(self.id, Verdict.PASS, "no MX is needed")
        if isinstance(policy, Unknown):
            evidence = f"whether an MTA-STS policy enforces certificates is not known: {policy.detail}"
            return GateResult(self.id, Verdict.UNKNOWN, evidence, _MEND)
        if not isinstance(policy, MtaStsPolicy) or policy.mode != ENFORCE:
            ago = policy.ago if isinstance(policy, MtaStsPolicy) else ""
            return GateResult(self.id, Verdict.PASS, f"no MTA-STS policy enforces certificates{ago}")
        return combined([self._judge_host(host, facts) for host in hosts])

    def _judge_host(self, host: Name, facts: Facts) -> GateResult:
        seen, shown = facts.surroundings.mail_server(host), display_name(host)
        if isinstance(seen, Unknown):
            evidence = f"the certificate of {shown} is not known: {seen.detail}"
            advice = "look from a machine that reaches port 25, or set the policy's mode to testing for the switch"
            return GateResult(self.id, Verdict.UNKNOWN, evidence, advice)
        problem = _certificate_problem(host, seen)
        ago = seen.ago if isinstance(seen, SmtpSight) else ""
        if problem is None:
            return GateResult(self.id, Verdict.PASS, f"{shown} has a good certificate of its name{ago}")
        evidence = f"the MTA-STS policy enforces, and {shown} {problem}{ago}"
        advice = f"set the policy's mode to testing for the switch, and tell {facts.catalog.support}"
        return GateResult(self.id, Verdict.HOLD, evidence, advice)


def _certificate_problem(host: Name, seen: SmtpSight | SmtpRefusal) -> str | None:
    if isinstance(seen, SmtpRefusal):
        return f"takes no mail: {seen.detail}"
    if seen.tls is None:
        return f"offers no STARTTLS that works{f' ({seen.tls_problem})' if seen.tls_problem else ''}"
    if seen.tls.problem:
        return f"has a certificate that senders refuse: {seen.tls.problem}"
    if not is_matched(host, seen.tls.names):
        return f"has a certificate for {', '.join(seen.tls.names) or 'no name'} and not for itself"
    return None
