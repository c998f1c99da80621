"""What only the vendor's console shows, attested one by one: the domain and its next hops, Verified, multi-region.

The vendor's pages "Connecting other email services", steps 1 and 2, and "Multi-region". No public interface tells any
of this, so a person looks and says so in the manifest. A verification value that is visible and stays unverified is
the vendor's to look at: the page asks to be told after a few hours, and the verification may take 72.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from reconciler.errors import Severity
from reconciler.gates.attestations import attestation_example, attested_for_region, is_since_next_hops
from reconciler.gates.base import Facts, GateResult, Verdict, build_diagnostic
from reconciler.gates.observed import is_switch_pending
from reconciler.gates.token_visible import TokenVisible
from reconciler.history import TOKENS_VISIBLE
from reconciler.names import display_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from reconciler.errors import Diagnostic
    from reconciler.manifest.fleet import Attestation


@dataclass(frozen=True, slots=True)
class ConsoleEntry:
    """Holds until the domain is attested to be in the vendor's console, with the next hops of the manifest."""

    id: str = "console"

    def judge(self, facts: Facts) -> GateResult:
        """Look for an attestation that names these next hops, or was made when these were declared."""
        if facts.desired.mx is None:
            return GateResult(self.id, Verdict.PASS, "no entry is needed")
        found = attested_for_region(facts, self.id)
        counting = [a for a in found if _shows_next_hops(facts, a)]
        if counting:
            return GateResult(self.id, Verdict.PASS, f"{_attested(counting[0])} with its next hops in the console")
        hops = ", ".join(map(display_name, facts.domain.next_hops))
        example = f"then add to attestations: {attestation_example(facts, self.id)}"
        if not found:
            evidence = "nobody attested yet that the vendor's console has the domain and its next hops"
            advice = f"add the domain in the vendor's console with {hops}, {example}"
            return GateResult(self.id, Verdict.HOLD, evidence, advice)
        other = found[0]
        shown = ", ".join(map(display_name, other.next_hops)) if other.next_hops else "those declared before"
        evidence = f"the console shows other next hops than {hops}: {_attested(other)} with {shown}"
        return GateResult(self.id, Verdict.HOLD, evidence, f"enter {hops} in the vendor's console, {example}")


def _shows_next_hops(facts: Facts, attestation: Attestation) -> bool:
    if attestation.next_hops is not None:
        return attestation.next_hops == tuple(sorted(facts.domain.next_hops))
    return is_since_next_hops(facts, attestation)


def _attested(attestation: Attestation) -> str:
    return f"attested by {attestation.by} on {attestation.on.isoformat()}"


@dataclass(frozen=True, slots=True)
class Verified:
    """Holds until the domain is attested as Verified in the vendor's console, for both regions with multi-region."""

    id: str = "verified"
    severity: Severity = Severity.WARNING

    def judge(self, facts: Facts) -> GateResult:
        """Look for the attestation; once the values are visible for long without it, advise to write to the vendor."""
        if facts.desired.verification is None:
            return GateResult(self.id, Verdict.PASS, "no verification is needed")
        found = _verified(facts)
        if found:
            return GateResult(self.id, Verdict.PASS, f"{_attested(found[0])} as Verified")
        regions = " for both regions" if facts.domain.multi_region else ""
        example = attestation_example(facts, self.id, multi_region=True)
        look = f"when the vendor's console shows Verified{regions}, add to attestations: {example}"
        visible = _visible(facts)
        came_back = _came_back(facts)
        if came_back is not None and attested_for_region(facts, "verified"):
            day = came_back.isoformat()
            evidence = f"the attestation of Verified is from before the verification values were seen, on {day}"
            return GateResult(self.id, Verdict.HOLD, evidence, look)
        if visible is None or visible < facts.waits.support:
            evidence = f"nobody attested yet that the domain is Verified{regions} in the vendor's console"
            return GateResult(self.id, Verdict.HOLD, evidence, look)
        evidence = f"the verification values have been visible for {_hours(visible)}, and nobody attested Verified"
        return GateResult(self.id, Verdict.HOLD, evidence, f"{look}; if it does not, {_letter(facts)}")

    def find(self, facts: Facts) -> Iterator[Diagnostic]:
        """After the time that a verification may take it is more than something to wait for."""
        visible, limit = _visible(facts), timedelta(hours=facts.catalog.propagation_hours)
        if visible is None or visible < limit or facts.domain.is_leaving or not is_switch_pending(facts):
            return
        if not _verified(facts):
            summary = f"the verification values have been visible for {_hours(visible)}, and nobody attested Verified"
            letter = _letter(facts)
            yield build_diagnostic(self, facts, summary, f"{letter[0].upper()}{letter[1:]}")


def _verified(facts: Facts) -> list[Attestation]:
    """Those for this state; one from before the journal saw the values away speaks of another verification."""
    is_needed = facts.domain.multi_region
    came_back = _came_back(facts)
    found = [a for a in attested_for_region(facts, "verified") if a.multi_region or not is_needed]
    return [a for a in found if came_back is None or a.on >= came_back]


def _came_back(facts: Facts) -> date | None:
    """The day since which the values are visible, where the journal saw that they were not before."""
    looks = facts.history.mx
    if not looks:
        return None
    since = facts.history.first_seen.get(TOKENS_VISIBLE)
    if since is None:
        # they were not at the last look, and are now
        return max(s.last_seen for s in looks).date()
    return since.date() if since > min(s.first_seen for s in looks) else None


def _visible(facts: Facts) -> timedelta | None:
    """For how long the values have been visible, as far as remembered; None where they are not."""
    since = facts.history.first_seen.get(TOKENS_VISIBLE)
    is_visible = TokenVisible().judge(facts).verdict is Verdict.PASS
    return facts.now - since if since is not None and is_visible else None


def _hours(time: timedelta) -> str:
    return f"{time // timedelta(hours=1)} hours"


def _letter(facts: Facts) -> str:
    """What to send to the vendor's support; one line, because reports show advice so."""
    domain, desired = facts.domain, facts.desired.verification
    since = facts.history.first_seen[TOKENS_VISIBLE].isoformat(sep=" ", timespec="minutes")
    values = " and ".join(desired.wanted) if desired is not None else ""
    name = display_name(facts.catalog.verification_name(domain.name))
    regions = f"region {domain.region}" + (" and its secondary region" if domain.multi_region else "")
    return (
        f'write to {facts.catalog.support}: "The domain {display_name(domain.name)} ({regions}) does not become '
        f"Verified. Every authoritative server of its zone has shown TXT {name} with {values} since {since}. Please "
        'verify it, or tell us what is missing."'
    )


@dataclass(frozen=True, slots=True)
class MultiRegionFlag:
    """Holds a switch to a multi-region host until the flag is attested to be set in the vendor's console."""

    id: str = "multi-region"

    def judge(self, facts: Facts) -> GateResult:
        """Only with multi-region; switching it off needs nothing, because the MX goes first."""
        if facts.desired.mx is None or facts.domain.is_leaving or not facts.domain.multi_region:
            return GateResult(self.id, Verdict.PASS, "the flag is not needed")
        found = [a for a in attested_for_region(facts, self.id) if a.multi_region is not False]
        if found:
            return GateResult(self.id, Verdict.PASS, f"the flag is set in the console, {_attested(found[0])}")
        example = attestation_example(facts, self.id)
        evidence = "nobody attested yet that multi-region is on in the vendor's console"
        advice = f"switch it on there, then add to attestations: {example}"
        return GateResult(self.id, Verdict.HOLD, evidence, advice)
