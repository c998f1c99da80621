"""The short way through planning, for what nearly every mail domain of a fleet is: as it shall be. Pure.

It says yes only where the long way (`plan_domain`) ends with nothing but steps that are done, in the last stage, and
with nothing to tell; where it is in doubt it says no, and the long way finds out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.gates import find_hazards
from reconciler.state import Present

if TYPE_CHECKING:
    from reconciler.desired import DesiredRRset
    from reconciler.gates import Facts


def is_settled(facts: Facts) -> bool:
    """Whether everything that is desired is there, with nothing of ours beside it, and nothing is to be told."""
    domain, mx = facts.domain, facts.desired.mx
    if domain.is_leaving or domain.switch_ttl is not None:
        return False
    is_observed = all(_is_as_desired(desired, facts) for desired in facts.desired.rrsets)
    return is_observed and (mx is None or _is_whole(mx, facts)) and not find_hazards(facts)


def _is_as_desired(desired: DesiredRRset, facts: Facts) -> bool:
    """Whether of ours exactly what is wanted is there, and with the declared TTL, unless it shares a foreign one's."""
    observation = facts.observations[desired.key]
    seen = observation.observed
    if not isinstance(seen, Present) or observation.zone is None:
        return False
    there = seen.rrset.rdatas
    ours = tuple(filter(desired.ownership.owns, there))
    is_ttl_right = desired.ttl is None or desired.ttl == seen.rrset.ttl or len(ours) < len(there)
    return ours == desired.wanted and is_ttl_right


def _is_whole(desired: DesiredRRset, facts: Facts) -> bool:
    """Whether nobody else's values stand beside it."""
    seen = facts.observations[desired.key].observed
    return isinstance(seen, Present) and seen.rrset.rdatas == desired.wanted
