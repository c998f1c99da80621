"""Gathering: what is observed, remembered and probed of many mail domains at once, as the facts that gates look at.

observed -> journal -> history -> desired -> (only where the MX is to move) surroundings -> facts

Facts come while the others are still asked, and whoever takes them decides what is kept of them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from reconciler.desired import build_desired, without_settled
from reconciler.gates import Facts
from reconciler.gates.token_hazards import suffixed_verification_key
from reconciler.neighbours import service_key
from reconciler.observe import Question
from reconciler.observe.build import build_observer
from reconciler.observe.estimate import estimate_probing
from reconciler.observe.origin import OriginObserver
from reconciler.observe.surroundings import SurroundingsWanted, observe_surroundings
from reconciler.observing import observe_domains, with_histories
from reconciler.state import Present, Unknown, mx_exchange
from reconciler.surroundings import NOT_PROBED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from reconciler.desired import DesiredDomain
    from reconciler.history import History
    from reconciler.invocation import Invocation
    from reconciler.manifest.fleet import Domain, Service
    from reconciler.names import Name
    from reconciler.neighbours import ServiceKey
    from reconciler.observing import RememberedDomain
    from reconciler.origin import OriginFacts
    from reconciler.state import Key, Observation, Rdata
    from reconciler.surroundings import Surroundings

Observations: TypeAlias = "dict[Key, Observation]"


def gather_facts(
    invocation: Invocation,
    domains: Sequence[Domain],
    origins: Mapping[ServiceKey, OriginFacts],
    histories: Callable[[Sequence[Name]], Mapping[Name, History]],
    *,
    is_everything_probed: bool = False,
) -> Iterator[Facts]:
    """The facts of every domain, as they are complete: nothing is kept here of one whose facts were taken.

    What lies around a domain is probed where its MX is to move, or everywhere; such domains come last.
    """
    remembered = with_histories(observe_domains(invocation, domains), histories)
    return facts_of(invocation, domains, remembered, origins, is_everything_probed=is_everything_probed)


def facts_of(
    invocation: Invocation,
    domains: Sequence[Domain],
    remembered: Iterable[RememberedDomain],
    origins: Mapping[ServiceKey, OriginFacts],
    *,
    is_everything_probed: bool = False,
) -> Iterator[Facts]:
    """The same of domains that somebody else observes; `domains` are these, and perhaps others, in their order."""
    late: dict[Name, tuple[DesiredDomain, Observations, History]] = {}
    for (domain, keys, observations), history in remembered:
        desired = build_desired(domain, invocation.catalog, history, keys)
        if is_everything_probed or _is_to_be_looked_at_again(desired, observations):
            late[domain.name] = desired, observations, history
        else:
            yield _facts(invocation, desired, observations, history, origins)
    if not late:
        return
    # in the order in which they are declared, however quickly their servers were
    again = [late[d.name] for d in domains if d.name in late]
    _observe_suffixed(invocation, again)
    surroundings = _observe_surroundings(invocation, again, is_everything=is_everything_probed)
    for desired, observations, history in again:
        around = surroundings.get(desired.domain.name, NOT_PROBED)
        yield _facts(invocation, desired, observations, history, origins, around)


def _facts(
    invocation: Invocation,
    desired: DesiredDomain,
    observations: Observations,
    history: History,
    origins: Mapping[ServiceKey, OriginFacts],
    surroundings: Surroundings = NOT_PROBED,
) -> Facts:
    origin = origins.get(service_key(desired.domain)) if origins else None
    return Facts(
        desired,
        observations,
        invocation.catalog,
        invocation.now,
        origin.allowlists if origin is not None else (),
        surroundings,
        history,
        invocation.settings.waits,
    )


def _is_to_be_looked_at_again(desired: DesiredDomain, observations: Mapping[Key, Observation]) -> bool:
    there = _mx_there(desired, observations)
    is_moving = there is not None and not desired.is_mx_as_wanted(there)
    return is_moving or _is_value_missing(desired, observations)


def _is_value_missing(desired: DesiredDomain, observations: Mapping[Key, Observation]) -> bool:
    """Whether it is known that a wanted verification value is not there."""
    values = desired.verification
    if values is None or not values.wanted:
        return False
    seen = observations[values.key].observed
    there = seen.rrset.rdatas if isinstance(seen, Present) else ()
    return not isinstance(seen, Unknown) and not set(values.wanted) <= set(there)


def _observe_suffixed(invocation: Invocation, late: Iterable[tuple[DesiredDomain, Observations, History]]) -> None:
    """Where a verification value is missing, see whether a DNS console appended the domain's name to its owner name."""
    questions, owner = [], {}
    for desired, observations, _ in late:
        domain = desired.domain
        key = suffixed_verification_key(domain.name, invocation.catalog)
        if key is not None and _is_value_missing(desired, observations):
            questions.append(Question(key, domain.name, domain.zone))
            owner[key] = observations
    for observation in build_observer(invocation.settings.observe).observe(questions) if questions else ():
        owner[observation.key][observation.key] = observation


def observe_origins(invocation: Invocation, services: Iterable[Service]) -> dict[ServiceKey, OriginFacts]:
    """Read every export that the services declare."""
    settings = invocation.settings
    observer = OriginObserver(settings.directory, now=invocation.now, max_age_hours=settings.export_max_age_hours)
    return {service_key(service): observer.observe(service) for service in services}


def _observe_surroundings(
    invocation: Invocation, late: Iterable[tuple[DesiredDomain, Observations, History]], *, is_everything: bool
) -> Mapping[Name, Surroundings]:
    """Look at what lies on the new way of the mail, for the domains whose MX is to move; nothing else is probed."""
    wanted = []
    for each, observations, _ in late:
        there = _mx_there(each, observations)
        if each.mx is None or there is None:
            continue
        mx = without_settled(each.mx, there) if each.domain.is_leaving else each.mx
        if is_everything or not each.is_mx_as_wanted(there):
            domain = each.domain
            hosts = (tuple(map(mx_exchange, there)), tuple(map(mx_exchange, mx.wanted)))
            wanted.append(
                SurroundingsWanted(domain.name, domain.zone, domain.next_hops, *hosts, is_origin_sought=is_everything)
            )
    if not wanted:
        return {}
    settings, probes = invocation.settings, invocation.settings.probes
    if not invocation.are_kept_probes_used:
        probes = replace(probes, cache=None)
    if probes.reference_host is None:
        # the gateway surely listens: where not even it answers, port 25 is closed here
        domain = next(d.domain for d, _, _ in late if d.mx is not None)
        reference = invocation.catalog.mx_host(domain.region, multi_region=domain.multi_region)
        probes = replace(probes, reference_host=reference)
    if (estimate := estimate_probing(wanted, settings.observe, probes)) is not None:
        invocation.say(estimate)
    with invocation.progress("probing", len(wanted)) as advance:
        return observe_surroundings(wanted, settings.observe, probes, advance)


def _mx_there(desired: DesiredDomain, observations: Mapping[Key, Observation]) -> tuple[Rdata, ...] | None:
    """The observed MX; None where it is unknown, or where there is none to be observed."""
    observed = observations[desired.mx.key].observed if desired.mx is not None else None
    if observed is None or isinstance(observed, Unknown):
        return None
    return observed.rrset.rdatas if isinstance(observed, Present) else ()
