"""Hazards of one mail domain as findings: what the plan tells beside its steps. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.drift.finding import Cause, DriftClass, Finding, Resource, certain, uncertain
from reconciler.drift.severity import severity_of_hazard
from reconciler.gates import HAZARDS
from reconciler.gates.observed import is_switch_pending, is_through_gateway, observed_rrset
from reconciler.history import hazard_id
from reconciler.manifest.fleet import Source

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.desired import DesiredRRset
    from reconciler.document import DiagnosticDocument
    from reconciler.drift.remembered import Remembered
    from reconciler.gates import Facts

HAZARD_CODES = frozenset(hazard.id for hazard in HAZARDS)
_OF_VALUES = {"token-removed", "retired-value-unnamed", "cname-token"}
_OF_MX = {"bypass-mx", "null-mx", "mx-target", "wildcard-domain", "cname-apex", "dane"}
# people have to do something, or the vendor has
_WAITING = {"next-hops-changed", "verified"}
_UNREAD = {"cname-apex", "cname-token", "delegated", "no-such-zone"}


@dataclass(frozen=True, slots=True)
class HazardFinder:
    """Makes findings of one mail domain's hazards."""

    facts: Facts
    remembered: Remembered

    def finding(self, diagnostic: DiagnosticDocument) -> Finding:
        """The finding that a hazard is."""
        facts, code = self.facts, diagnostic.code
        desired = facts.desired.verification if code in _OF_VALUES else facts.desired.mx if code in _OF_MX else None
        rrset = observed_rrset(facts, desired)
        since = self._since(code, diagnostic.domain)
        return Finding(
            code=code,
            cause=self._cause(code, since, desired),
            severity=severity_of_hazard(code, diagnostic.severity, is_through_gateway=is_through_gateway(facts)),
            organization=facts.domain.organization,
            domain=diagnostic.domain,
            resource=Resource("rrset", desired.key.name, desired.key.type) if desired is not None else None,
            expected=tuple(desired.wanted) if desired is not None else (),
            observed=rrset.rdatas if rrset is not None else (),
            first_seen=since,
            summary=diagnostic.summary,
            repair=diagnostic.detail,
            source=Source(diagnostic.file, diagnostic.line),
        )

    def _since(self, code: str, domain: str) -> datetime:
        history = self.remembered.history
        if code == "next-hops-changed" and history.next_hops_since is not None:
            return history.next_hops_since
        return self.remembered.since(hazard_id(domain, code))

    def _cause(self, code: str, since: datetime, desired: DesiredRRset | None) -> Cause:
        if code in _UNREAD:
            return certain(DriftClass.UNKNOWN)
        if code == "retired-value-unnamed":
            return certain(DriftClass.UNAPPLIED)
        if code in _WAITING:
            return certain(DriftClass.PENDING)
        if desired is not None and code in {"bypass-mx", "token-removed"}:
            return self._cause_observed(since, desired)
        if is_switch_pending(self.facts):
            return certain(DriftClass.PENDING)
        return uncertain(DriftClass.OUT_OF_BAND, "the journal does not show since when it is so")

    def _cause_observed(self, since: datetime, desired: DesiredRRset) -> Cause:
        rrset = observed_rrset(self.facts, desired)
        there = set(rrset.rdatas) if rrset is not None else set()
        last = self.remembered.last_applied(desired.key)
        if last is not None and (
            there - last.change.wanted if desired.key.type == "MX" else set(last.change.after) - there
        ):
            when = last.at.isoformat(sep=" ", timespec="minutes")
            text = f"it was not so after the apply at {when}"
            return certain(DriftClass.OUT_OF_BAND, text)
        if last is None and desired.key.type == "MX" and self.remembered.is_mx_moved(there, since):
            return certain(DriftClass.OUT_OF_BAND, "it was not so when it was last looked at")
        return uncertain(DriftClass.OUT_OF_BAND, "the journal does not show since when it is so")
