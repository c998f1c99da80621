"""Which attestations count for a mail domain now: in force today, and seen for the state that it shall be in.

An attestation that names no region counts for the organization's, except while the domain is moved from another
region: it was true of the old one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.gates.observed import observed_hosts
from reconciler.targets.base import Enforcement
from reconciler.targets.enforcement import hardest_enforcement, softened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from reconciler.gates.base import Facts
    from reconciler.manifest.fleet import Attestation, Waiver
    from reconciler.targets.base import DeclaredAllowlist


RESTRICTED, RESTRICTED_HARD, ORIGIN_OPEN = "restricted", "restricted-hard", "origin-open"
"""A person saw that the origin turns everybody else away (for now, where it can), refuses them, or takes all mail."""

NEXT_HOP_TLS = "next-hop-tls"
"""A person saw the next hops answer with STARTTLS, where the program cannot reach them."""


def is_in_force(attestation: Attestation, today: date) -> bool:
    """Whether an attestation counts on a day."""
    return attestation.on <= today and (attestation.expires is None or today <= attestation.expires)


def attested(facts: Facts, what: str) -> list[Attestation]:
    """The attestations of `what` that are in force, the closest to the domain first."""
    return [a for a in facts.domain.attestations if a.what == what and is_in_force(a, facts.today)]


def attested_for_region(facts: Facts, what: str) -> list[Attestation]:
    """Those that also count for the organization's region."""
    is_moved = is_region_move(facts)
    return [a for a in attested(facts, what) if a.region == facts.domain.region or (a.region is None and not is_moved)]


def attested_for_next_hops(facts: Facts, what: str) -> list[Attestation]:
    """Those that were made when the next hops were the ones of now."""
    return [a for a in attested(facts, what) if is_since_next_hops(facts, a)]


def is_since_next_hops(facts: Facts, attestation: Attestation) -> bool:
    """Whether no other next hops are known to have been declared on the attestation's day, or after it."""
    since = facts.history.next_hops_since
    return since is None or not facts.history.next_hops or attestation.on >= since.date()


def is_region_move(facts: Facts) -> bool:
    """Whether the observed MX names a gateway host that no state of the organization's region has."""
    regions = {region for host in observed_hosts(facts) for region in facts.catalog.regions_with_mx_host(host)}
    return bool(regions) and facts.domain.region not in regions


def attestation_example(facts: Facts, what: str, *, multi_region: bool = False) -> str:
    """What to add to a manifest, for the organization's region as it shall be."""
    return "{" + ", ".join(_example_parts(facts, what, multi_region=multi_region)) + "}"


def _example_parts(facts: Facts, what: str, *, multi_region: bool) -> Iterator[str]:
    yield from (f"what: {what}", "by: ...", "on: ...", f"region: {facts.domain.region}")
    if multi_region and facts.domain.multi_region:
        yield "multi_region: true"


def attested_enforcement(attestations: Sequence[Attestation], declared: DeclaredAllowlist, today: date) -> Enforcement:
    """What becomes of everybody else at a list whose export does not show it.

    That the origin is open again counts from the day after it was last attested to be restricted: on the same day
    nobody knows which was the later one, and mail is not bet on that.
    """
    days = {
        what: max((a.on for a in attestations if a.what == what and is_in_force(a, today)), default=None)
        for what in (RESTRICTED, RESTRICTED_HARD, ORIGIN_OPEN)
    }
    restricted = max((d for d in (days[RESTRICTED], days[RESTRICTED_HARD]) if d is not None), default=None)
    opened = days[ORIGIN_OPEN]
    if restricted is None or (opened is not None and opened > restricted):
        return Enforcement.NONE
    is_soft = days[RESTRICTED_HARD] is None and softened(declared) is not None
    return Enforcement.SOFT if is_soft else hardest_enforcement(declared)


def waiver_in_force(facts: Facts, gate: str) -> Waiver | None:
    """The waiver of a gate or hazard that counts today, the closest to the domain."""
    waivers = facts.domain.waivers
    return next((w for w in waivers if w.gate == gate and facts.today <= w.expires), None) if waivers else None
