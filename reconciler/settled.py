"""The short ways through planning, for what nearly every mail domain of a fleet is: as it shall be. Pure.

They say yes only where the long way (`plan_domain`) ends with nothing but steps that are done, in the last stage, and
with nothing to tell; where they are in doubt they say no, and the long way finds out. The shortest looks at what was
declared, observed and remembered alone: of whom it says yes, no facts are made for the gates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.desired import needed_values
from reconciler.manifest.hosts import is_numeric
from reconciler.state import Present, mx_rdata, txt_rdata

if TYPE_CHECKING:
    from reconciler.catalog import Catalog
    from reconciler.desired import DesiredRRset
    from reconciler.gates import Facts
    from reconciler.history import History
    from reconciler.manifest.fleet import Domain
    from reconciler.state import Observation, Rdata


class SettledAtSight:
    """Tells mail domains that have what they need, with nothing of ours beside it, and of which nothing is to be told.

    It knows the MX of every region and flag; a host that only one manifest names is for the long way.
    """

    def __init__(self, catalog: Catalog) -> None:
        """Prepare what is the same for all mail domains."""
        self._is_gateway_host = catalog.is_gateway_host
        self._mx: dict[tuple[str, bool], tuple[Rdata, ...]] = {
            (region, flag): (mx_rdata(catalog.mx_preference, host),)
            for region in catalog.regions
            for flag in (False, True)
            if not is_numeric(host := catalog.mx_host(region, multi_region=flag))
        }

    def has_settled(self, domain: Domain, values: Observation, mx: Observation, history: History) -> bool:
        """Whether nothing is to be done or told of a mail domain that is filtered by MX.

        `values` and `mx` are what was observed of its `desired_keys`, and nothing else was; a next hop that is the
        gateway, and next hops that were others before, are told.
        """
        if domain.is_leaving or domain.switch_ttl is not None or domain.mx_host is not None:
            return False
        return (
            _is_alone(mx, self._mx.get((domain.region, domain.multi_region)), domain.ttl)
            and _has_needed(values, domain, history)
            and not history.next_hops
            and not any(map(self._is_gateway_host, domain.next_hops))
        )


def _is_alone(observation: Observation, wanted: tuple[Rdata, ...] | None, ttl: int | None) -> bool:
    """Whether these values are there and no others, with the declared TTL."""
    seen = observation.observed
    if not isinstance(seen, Present) or seen.rrset.rdatas != wanted or observation.zone is None:
        return False
    return ttl is None or ttl == seen.rrset.ttl


def _has_needed(observation: Observation, domain: Domain, history: History) -> bool:
    """Whether the verification values are there, and beside them nothing but what is somebody else's."""
    needed, seen = needed_values(domain), observation.observed
    if not isinstance(seen, Present) or seen.rrset.rdatas == needed:
        return _is_alone(observation, needed, domain.ttl)
    there = seen.rrset.rdatas
    others = [v for v in there if v not in needed]
    is_there = len(others) + len(needed) == len(there) and observation.zone is not None
    secondary = domain.verification.secondary
    is_declared = secondary is not None and txt_rdata(secondary) in others
    is_written = history.written and any(value in others for _, value in history.written)
    return is_there and not is_declared and not is_written


def is_settled(facts: Facts) -> bool:
    """Whether everything that is desired is there, with nothing of ours beside it, and nothing is to be told."""
    from reconciler.gates import find_hazards  # noqa: PLC0415 - many modules, for what is not settled at sight

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
