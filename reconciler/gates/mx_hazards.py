"""Ways past the gateway, and away from it, that show in the MX and around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import Severity
from reconciler.gates.base import Facts, build_diagnostic
from reconciler.gates.observed import (
    is_gateway,
    is_switch_pending,
    is_through_gateway,
    observed_rrset,
    old_hosts,
    wanted_hosts,
)
from reconciler.names import ROOT, display_name
from reconciler.state import Absent, Present, mx_exchange
from reconciler.surroundings import TlsaSight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.errors import Diagnostic


@dataclass(frozen=True, slots=True)
class NullMx:
    """A null MX says that the domain takes no mail, and no other MX can stand beside it (RFC 7505)."""

    id: str = "null-mx"
    severity: Severity = Severity.ERROR

    def find(self, facts: Facts) -> Iterator[Diagnostic]:
        """Only where it would stay beside the gateway's."""
        rrset = observed_rrset(facts, facts.desired.mx) if not facts.domain.mx_exclusive else None
        if rrset is None or ROOT not in map(mx_exchange, rrset.rdatas):
            return
        summary = f"{display_name(facts.domain.name)} says by a null MX that it takes no mail"
        detail = "A null MX stands alone (RFC 7505 section 3). Remove it, or declare `mx: {exclusive: true}`."
        yield build_diagnostic(self, facts, summary, detail)


@dataclass(frozen=True, slots=True)
class BypassMx:
    """Another MX stands beside the gateway's: senders may use it, and spammers do."""

    id: str = "bypass-mx"
    severity: Severity = Severity.WARNING

    def find(self, facts: Facts) -> Iterator[Diagnostic]:
        """Any host of the gateway counts, also one to be left; of a domain that leaves, others are the way out."""
        desired, is_exclusive = facts.desired.mx, facts.domain.mx_exclusive
        rrset = observed_rrset(facts, desired)
        if desired is None or rrset is None or facts.domain.is_leaving or not is_through_gateway(facts):
            return
        hosts = {v: mx_exchange(v) for v in rrset.rdatas}
        others = [v for v, host in hosts.items() if v not in desired.wanted and not is_gateway(facts, host)]
        if not others or (ROOT in hosts.values() and not is_exclusive):
            return
        step = "switch" if is_switch_pending(facts) else "contract"
        advice = (
            f"It goes with this plan's {step} step."
            if is_exclusive
            else "Remove it at the DNS, or declare `mx: {exclusive: true}` so that it goes."
        )
        summary = f"mail can pass by the gateway: {', '.join(others)} stands beside the gateway's MX"
        yield build_diagnostic(self, facts, summary, advice)


@dataclass(frozen=True, slots=True)
class WildcardMx:
    """A wildcard below the domain has an MX: mail to any name there passes by the gateway (RFC 4592)."""

    id: str = "wildcard-mx"
    severity: Severity = Severity.ADVISORY

    def find(self, facts: Facts) -> Iterator[Diagnostic]:
        """Look at the hosts of that MX."""
        seen = facts.surroundings.wildcard_mx
        if facts.domain.is_leaving or not isinstance(seen, Present):
            return
        hosts = [h for h in map(mx_exchange, seen.rrset.rdatas) if h != ROOT and not is_gateway(facts, h)]
        if hosts:
            name = display_name(facts.domain.name)
            summary = f"mail to names below {name} passes by the gateway, to {', '.join(map(display_name, hosts))}"
            detail = f"The MX at *.{name} says so. Remove it, or declare the names that take mail as domains too."
            yield build_diagnostic(self, facts, summary, detail)


@dataclass(frozen=True, slots=True)
class Dane:
    """The old MX has TLSA records and the new one has none: senders stop insisting on TLS (RFC 7672)."""

    id: str = "dane"
    severity: Severity = Severity.ADVISORY

    def find(self, facts: Facts) -> Iterator[Diagnostic]:
        """Only TLSA that a validating resolver authenticated counts."""
        tlsa = facts.surroundings.tlsa
        if not is_switch_pending(facts):
            return
        with_tlsa = [
            h for h in old_hosts(facts) if isinstance(seen := tlsa.get(h), TlsaSight) and seen.is_authenticated
        ]
        without = [h for h in wanted_hosts(facts) if isinstance(tlsa.get(h), Absent)]
        if with_tlsa and without:
            summary = (
                f"{', '.join(map(display_name, with_tlsa))} has TLSA records, and "
                f"{', '.join(map(display_name, without))} has none: DANE is lost with the switch"
            )
            detail = "Senders then use TLS when they like. An enforced MTA-STS policy makes up for most of it."
            yield build_diagnostic(self, facts, summary, detail)
