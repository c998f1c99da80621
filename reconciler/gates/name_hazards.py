"""Names at which nothing can be written, or nothing without harm: errors, before anything is planned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import Severity
from reconciler.gates.base import Facts, build_diagnostic
from reconciler.gates.observed import observation_of
from reconciler.names import display_name
from reconciler.state import Absent, Cause, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.desired import DesiredRRset
    from reconciler.errors import Diagnostic
    from reconciler.gates.base import Hazard


def _found(
    hazard: Hazard, facts: Facts, rrsets: Iterable[DesiredRRset | None], cause: Cause, fix: str
) -> Iterator[Diagnostic]:
    """One diagnostic for each reason why an rrset is not known, where that is the cause."""
    details = dict.fromkeys(
        seen.detail
        for desired in rrsets
        if desired is not None
        and isinstance(seen := observation_of(facts, desired).observed, Unknown)
        and seen.cause is cause
    )
    for detail in details:
        yield build_diagnostic(hazard, facts, detail, fix)


_NO_CNAME = "No other record can stand beside a CNAME (RFC 1034 section 3.6.2). Remove the CNAME at that name."


@dataclass(frozen=True, slots=True)
class CnameApex:
    """A CNAME stands at the domain, where the MX would be written (RFC 1034)."""

    id: str = "cname-apex"
    severity: Severity = Severity.ERROR

    def find(self, facts: Facts) -> Iterator[Diagnostic]:
        """Look at why the MX is not known."""
        return _found(self, facts, (facts.desired.mx,), Cause.CNAME, _NO_CNAME)


@dataclass(frozen=True, slots=True)
class CnameToken:
    """A CNAME stands at the name of the verification values (RFC 1034)."""

    id: str = "cname-token"
    severity: Severity = Severity.ERROR

    def find(self, facts: Facts) -> Iterator[Diagnostic]:
        """Look at why the verification values are not known."""
        return _found(self, facts, (facts.desired.verification,), Cause.CNAME, _NO_CNAME)


@dataclass(frozen=True, slots=True)
class Delegated:
    """A name to be written lies below a delegation: what stands above the zone cut is never seen."""

    id: str = "delegated"
    severity: Severity = Severity.ERROR

    def find(self, facts: Facts) -> Iterator[Diagnostic]:
        """Look at why an rrset is not known."""
        fix = (
            "A record above a zone cut is never seen. Name the zone that holds the domain with `zone:`, or mend the "
            "cut."
        )
        return _found(self, facts, facts.desired.rrsets, Cause.DELEGATED, fix)


@dataclass(frozen=True, slots=True)
class NoSuchZone:
    """There is no zone that holds the domain."""

    id: str = "no-such-zone"
    severity: Severity = Severity.ERROR

    def find(self, facts: Facts) -> Iterator[Diagnostic]:
        """Look at why an rrset is not known."""
        fix = "Zones are never created here. Register or delegate the domain first, or correct its name."
        return _found(self, facts, facts.desired.rrsets, Cause.NO_SUCH_ZONE, fix)


@dataclass(frozen=True, slots=True)
class WildcardDomain:
    """The domain itself is made by a wildcard: the verification values alone would make it a name without mail."""

    id: str = "wildcard-domain"
    severity: Severity = Severity.ERROR

    def find(self, facts: Facts) -> Iterator[Diagnostic]:
        """Look whether a wildcard answers for the domain (RFC 4592)."""
        desired = facts.desired.mx
        answers = observation_of(facts, desired).answers if desired is not None else ()
        if any(isinstance(a.observed, Absent) and a.observed.is_covered for a in answers):
            yield build_diagnostic(
                self,
                facts,
                f"a wildcard answers for {display_name(facts.domain.name)}, which has no records of its own",
                "Any record at or below it ends that (RFC 4592 section 3.3.1), its mail and addresses included. First "
                "give the domain records of its own: the MX that senders get today, and addresses if it has some.",
            )
