"""What was observed of a mail domain's MX, as the gates look at it: the hosts of now, and those that are wanted."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from reconciler.history import shown_in, with_mx_seen
from reconciler.manifest.hosts import is_numeric
from reconciler.names import ROOT
from reconciler.state import Observation, Present, Unknown, mx_exchange
from reconciler.surroundings import NOT_PROBED, HostSight

if TYPE_CHECKING:
    from reconciler.desired import DesiredRRset
    from reconciler.gates.base import Facts
    from reconciler.history import History
    from reconciler.names import Name
    from reconciler.state import Rdata, RRset


def observation_of(facts: Facts, desired: DesiredRRset) -> Observation:
    """What every server said; an observation without answers where nobody asked."""
    found = facts.observations.get(desired.key)
    return found if found is not None else Observation(desired.key, None, ())


def observed_rrset(facts: Facts, desired: DesiredRRset | None) -> RRset | None:
    """The rrset that the servers agree on; None where there is none, or none is known."""
    observed = observation_of(facts, desired).observed if desired is not None else None
    return observed.rrset if isinstance(observed, Present) else None


def is_mx_known(facts: Facts) -> bool:
    """Whether an MX is desired, and what is there now is known: an rrset, or that there is none."""
    desired = facts.desired.mx
    return desired is not None and not isinstance(observation_of(facts, desired).observed, Unknown)


def observed_hosts(facts: Facts) -> tuple[Name, ...]:
    """The hosts of the observed MX; a null MX (RFC 7505) names none."""
    rrset = observed_rrset(facts, facts.desired.mx)
    return _hosts(rrset.rdatas) if rrset is not None else ()


def wanted_hosts(facts: Facts) -> tuple[Name, ...]:
    """The hosts that the MX shall name."""
    return _hosts(facts.desired.mx.wanted) if facts.desired.mx is not None else ()


def old_hosts(facts: Facts) -> tuple[Name, ...]:
    """The hosts that the observed MX names and the wanted one does not."""
    wanted = wanted_hosts(facts)
    return tuple(h for h in observed_hosts(facts) if h not in wanted)


@lru_cache(maxsize=4096)  # most mail domains have one of a few MX rrsets
def _hosts(rdatas: tuple[Rdata, ...]) -> tuple[Name, ...]:
    return tuple(dict.fromkeys(h for h in map(mx_exchange, rdatas) if h != ROOT))


def is_gateway(facts: Facts, host: Name) -> bool:
    """Whether a host is the gateway's: by the catalog, or by the manifest's override."""
    override = facts.domain.mx_host
    return facts.catalog.is_gateway_host(host) or (override is not None and override.host == host)


def is_through_gateway(facts: Facts) -> bool:
    """Whether the observed MX names a host of the gateway."""
    return any(is_gateway(facts, host) for host in observed_hosts(facts))


def is_switch_pending(facts: Facts) -> bool:
    """Whether the MX is known and still to move: what is only to go from beside the wanted one moves no mail."""
    desired = facts.desired.mx
    if desired is None or not is_mx_known(facts):
        return False
    rrset = observed_rrset(facts, desired)
    there = rrset.rdatas if rrset is not None else ()
    return not facts.desired.is_mx_as_wanted(there) and not set(desired.wanted) <= set(there)


def is_anything_unknown(facts: Facts) -> bool:
    """Whether an rrset that is desired could not be observed."""
    values, mx = facts.desired.verification, facts.desired.mx
    if values is not None and isinstance(observation_of(facts, values).observed, Unknown):
        return True
    return mx is not None and isinstance(observation_of(facts, mx).observed, Unknown)


def is_mx_unsettled(facts: Facts) -> bool:
    """Whether an MX is desired, and anything else than exactly that is observed."""
    desired = facts.desired.mx
    if desired is None:
        return False
    rrset = observed_rrset(facts, desired)
    return rrset is None or rrset.rdatas != desired.wanted


def is_more_observed(facts: Facts) -> bool:
    """Whether somebody looked at other rrsets than the desired ones."""
    there, values, mx = facts.observations, facts.desired.verification, facts.desired.mx
    return len(there) > (values is not None and values.key in there) + (mx is not None and mx.key in there)


def is_probed(facts: Facts) -> bool:
    """Whether somebody looked at what is around the mail domain."""
    return facts.surroundings is not NOT_PROBED


def is_mx_doubtful(facts: Facts) -> bool:
    """Whether something can be wrong with a host that the MX shall name: it was looked up, or is no name at all."""
    desired = facts.desired.mx
    return desired is not None and (is_probed(facts) or _is_any_numeric(desired.wanted))


@lru_cache(maxsize=4096)
def _is_any_numeric(rdatas: tuple[Rdata, ...]) -> bool:
    return any(map(is_numeric, _hosts(rdatas)))


def is_mx_shared(facts: Facts) -> bool:
    """Whether others may have values in the MX rrset."""
    return not facts.domain.mx_exclusive


def are_next_hops_remembered(facts: Facts) -> bool:
    """Whether other next hops are known to have been declared before."""
    return bool(facts.history.next_hops)


def is_loop_possible(facts: Facts) -> bool:
    """Whether a next hop can be the gateway: it was looked up, or has one of the gateway's names."""
    return is_probed(facts) or any(is_gateway(facts, host) for host in facts.domain.next_hops)


def next_hop_addresses(facts: Facts) -> frozenset[str]:
    """The addresses of the next hops, as far as known."""
    sights = [facts.surroundings.host(h) for h in facts.domain.next_hops]
    return frozenset(a for sight in sights if isinstance(sight, HostSight) for a in sight.addresses)


WANTED_VALUES_ALONE = "wanted-values-alone"
"""In `History.first_seen`: since when no server has shown a verification value of ours that is not wanted."""


def has_wanted_values_alone(facts: Facts) -> bool:
    """Whether every server answered, and none shows a verification value of ours that is not wanted."""
    desired = facts.desired.verification
    if desired is None:
        return True
    answers = [a.observed for a in observation_of(facts, desired).answers]
    shown = {v for o in answers if isinstance(o, Present) for v in o.rrset.rdatas if desired.ownership.owns(v)}
    return bool(answers) and not any(isinstance(o, Unknown) for o in answers) and shown <= set(desired.wanted)


def history_with_this_look(facts: Facts) -> History:
    """The history and what the MX shows now: whether or not the run that looked remembered it already."""
    desired = facts.desired.mx
    if desired is None:
        return facts.history
    shown, is_complete = shown_in(observation_of(facts, desired))
    return with_mx_seen(facts.history, shown, facts.now, is_complete=is_complete, waits=facts.waits)
