"""A signed zone: what is written has to go through its signer, or validating resolvers refuse the zone (RFC 4035)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import Severity
from reconciler.gates.base import Facts, build_diagnostic
from reconciler.gates.observed import is_switch_pending
from reconciler.names import display_name
from reconciler.surroundings import DnssecSight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.errors import Diagnostic


@dataclass(frozen=True, slots=True)
class DnssecSigned:
    """The zone is signed: an edit that goes around its signer makes the domain vanish for validating resolvers."""

    id: str = "dnssec"
    severity: Severity = Severity.ADVISORY

    def find(self, facts: Facts) -> Iterator[Diagnostic]:
        """Only while something is to be written for a switch."""
        seen = facts.surroundings.dnssec
        if isinstance(seen, DnssecSight) and seen.is_signed and not seen.problem and is_switch_pending(facts):
            summary = f"the zone of {display_name(facts.domain.name)} is signed with DNSSEC"
            detail = "Edits must go through what signs it. After each, ask a validating resolver: no SERVFAIL."
            yield build_diagnostic(self, facts, summary, detail)


@dataclass(frozen=True, slots=True)
class DnssecBroken:
    """Validating resolvers refuse the zone already: whatever is written there, they see nothing of it."""

    id: str = "dnssec-broken"
    severity: Severity = Severity.ERROR

    def find(self, facts: Facts) -> Iterator[Diagnostic]:
        """Look at what a validating resolver said."""
        seen = facts.surroundings.dnssec
        if isinstance(seen, DnssecSight) and seen.problem:
            summary = f"validating resolvers refuse the zone of {display_name(facts.domain.name)}: {seen.problem}"
            detail = "Mend the signatures, or the DS at the parent zone, before anything else is changed."
            yield build_diagnostic(self, facts, summary, detail)
