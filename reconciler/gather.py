"""Gathering: what is remembered, observed and probed of many mail domains at once, as the facts that gates look at.

journal -> history -> desired -> observed -> (only where the MX is to move) surroundings -> facts
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from reconciler.desired import build_desired, without_settled
from reconciler.gates import Facts
from reconciler.gates.token_hazards import suffixed_verification_key
from reconciler.history import NO_HISTORY
from reconciler.manifest.fleet import Service
from reconciler.observe import Question
from reconciler.observe.build import build_observer
from reconciler.observe.estimate import estimate_observing, estimate_probing
from reconciler.observe.origin import observe_origin
from reconciler.observe.surroundings import SurroundingsWanted, observe_surroundings
from reconciler.service_plan import list_key
from reconciler.state import Present, Unknown, mx_exchange
from reconciler.surroundings import NOT_PROBED
from reconciler.targets.base import Intent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.desired import DesiredDomain
    from reconciler.history import History
    from reconciler.invocation import Invocation
    from reconciler.manifest.fleet import Domain, Fleet
    from reconciler.names import Name
    from reconciler.origin import AllowlistFact, OriginFacts
    from reconciler.state import Key, Observation, Rdata
    from reconciler.surroundings import Surroundings

ServiceKey = tuple[str, str]
"""An organization's name and a service's."""


def gather_facts(
    invocation: Invocation,
    domains: Iterable[Domain],
    origins: Mapping[ServiceKey, OriginFacts],
    histories: Mapping[Name, History],
    *,
    is_everything_probed: bool = False,
) -> dict[Name, Facts]:
    """The facts of every domain, by its name; what lies around one is probed where its MX is to move, or everywhere."""
    desired = [build_desired(d, invocation.catalog, histories.get(d.name, NO_HISTORY)) for d in domains]
    observations = observe_domains(invocation, desired)
    _observe_suffixed(invocation, desired, observations)
    surroundings = _observe_surroundings(invocation, desired, observations, is_everything=is_everything_probed)
    return {
        d.domain.name: Facts(
            desired=d,
            observations=observations[d.domain.name],
            catalog=invocation.catalog,
            now=invocation.now,
            allowlists=_allowlists(d.domain, origins),
            surroundings=surroundings.get(d.domain.name, NOT_PROBED),
            history=histories.get(d.domain.name, NO_HISTORY),
            waits=invocation.settings.waits,
        )
        for d in desired
    }


def observe_domains(invocation: Invocation, desired: Sequence[DesiredDomain]) -> dict[Name, dict[Key, Observation]]:
    """Observe every rrset that the domains desire, by mail domain."""
    questions = [Question(r.key, d.domain.name, d.domain.zone) for d in desired for r in d.rrsets]
    owner = {q.key: q.domain for q in questions}
    observations: dict[Name, dict[Key, Observation]] = defaultdict(dict)
    if (estimate := estimate_observing(questions, invocation.settings.observe)) is not None:
        invocation.say(estimate)
    with invocation.progress("observing", len(questions)) as advance:
        for observation in build_observer(invocation.settings.observe, advance).observe(questions):
            observations[owner[observation.key]][observation.key] = observation
    return observations


def _observe_suffixed(
    invocation: Invocation, desired: Sequence[DesiredDomain], observations: Mapping[Name, dict[Key, Observation]]
) -> None:
    """Where a verification value is missing, see whether a DNS console appended the domain's name to its owner name."""
    questions = []
    for each in desired:
        if each.verification is None or not each.verification.wanted:
            continue
        seen = observations[each.domain.name][each.verification.key].observed
        there = seen.rrset.rdatas if isinstance(seen, Present) else ()
        if isinstance(seen, Unknown) or set(each.verification.wanted) <= set(there):
            continue
        key = suffixed_verification_key(each.domain.name, invocation.catalog)
        if key is not None:
            questions.append(Question(key, each.domain.name, each.domain.zone))
    owner = {q.key: q.domain for q in questions}
    for observation in build_observer(invocation.settings.observe).observe(questions) if questions else ():
        observations[owner[observation.key]][observation.key] = observation


def observe_origins(invocation: Invocation, services: Iterable[Service]) -> dict[ServiceKey, OriginFacts]:
    """Read every export that the services declare."""
    settings = invocation.settings
    return {
        service_key(service): observe_origin(
            service, settings.directory, now=invocation.now, max_age_hours=settings.export_max_age_hours
        )
        for service in services
    }


def service_key(declared: Domain | Service) -> ServiceKey:
    """The key of a service, or of the service that a domain belongs to."""
    name = declared.name if isinstance(declared, Service) else declared.service
    return declared.organization, name


def _allowlists(domain: Domain, origins: Mapping[ServiceKey, OriginFacts]) -> tuple[AllowlistFact, ...]:
    origin = origins.get(service_key(domain))
    return origin.allowlists if origin is not None else ()


def _observe_surroundings(
    invocation: Invocation,
    desired: Sequence[DesiredDomain],
    observations: Mapping[Name, Mapping[Key, Observation]],
    *,
    is_everything: bool,
) -> Mapping[Name, Surroundings]:
    """Look at what lies on the new way of the mail, for the domains whose MX is to move; nothing else is probed."""
    wanted = []
    for each in desired:
        there = _mx_there(each, observations[each.domain.name])
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
        domain = next(d.domain for d in desired if d.mx is not None)
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


def services_around(
    fleet: Fleet, domains: Sequence[Domain]
) -> tuple[list[Service], dict[ServiceKey, tuple[Service, ...]], list[Domain]]:
    """The services of the domains that declare an allowlist or a spam rule; by service, all whom its lists are for.

    That is the service, who declares one of them as well, and, where a list keeps others out, whose domains have a next
    hop of its own behind it; in the fleet's order, and services with the same ones have the same tuple. Third, all mail
    domains of all of these, because what an old state needed at an origin may go only when every domain is switched.
    """
    touched = {service_key(d) for d in domains}
    services = [
        s
        for organization in fleet.organizations
        for s in organization.services
        if service_key(s) in touched and (s.allowlists or s.spam_rule)
    ]
    filtered = [d for d in fleet.domains if d.is_filtered_by_mx]
    users = _Users(fleet, filtered)
    sharing = {service_key(service): users.behind_lists_of(service) for service in services}
    each = {id(others): others for others in sharing.values()}
    keys = {*sharing, *(service_key(u) for others in each.values() for u in others)}
    return services, sharing, [d for d in filtered if service_key(d) in keys]


class _Users:
    """Who declares a list, and whose domains have a next hop; by the key of the list, and by the host's name.

    A hosting company's list is declared by thousands: whoever asks gets a tuple that was made once.
    """

    def __init__(self, fleet: Fleet, filtered: Sequence[Domain]) -> None:
        self._hosts: dict[ServiceKey, dict[Name, None]] = defaultdict(dict)
        for domain in filtered:
            self._hosts[service_key(domain)].update(dict.fromkeys(domain.next_hops))
        self._services = {service_key(s): s for o in fleet.organizations for s in o.services}
        self._users: dict[Sequence[str], dict[ServiceKey, None]] = defaultdict(dict)
        for key, service in self._services.items():
            if key in self._hosts:
                for used in (*filter(None, map(list_key, service.allowlists)), *self._hosts[key]):
                    self._users[used][key] = None
        self._place = {key: place for place, key in enumerate(self._services)}
        self._together: dict[frozenset[Sequence[str]], tuple[Service, ...]] = {}
        self._is_within = cache(lambda one, other: self._users[one].keys() <= self._users[other].keys())

    def behind_lists_of(self, service: Service) -> tuple[Service, ...]:
        """All who are behind them, in the fleet's order; the service alone where it has none that others can have."""
        is_restricting = any(a.declared.intent is Intent.RESTRICT for a in service.allowlists)
        hosts = self._hosts.get(service_key(service), ()) if is_restricting else ()
        # the largest first; whoever is in it already says nothing more
        used = sorted((*filter(None, map(list_key, service.allowlists)), *hosts), key=self._size, reverse=True)
        telling: list[Sequence[str]] = []
        for key in used:
            if not any(self._is_within(key, other) for other in telling):
                telling.append(key)
        together = frozenset(telling)
        if not together:
            return (service,)
        if together not in self._together:
            found = {user for key in telling for user in self._users[key]}
            self._together[together] = tuple(self._services[k] for k in sorted(found, key=self._place.__getitem__))
        return self._together[together]

    def _size(self, key: Sequence[str]) -> tuple[int, str]:
        return len(self._users[key]), str(key)
