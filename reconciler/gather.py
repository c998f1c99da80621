"""Gathering: what is remembered, observed and probed of many mail domains at once, as the facts that gates look at.

journal -> history -> desired -> observed -> (only where the MX is to move) surroundings -> facts
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
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
        key = suffixed_verification_key(each.domain.name, invocation.catalog)
        if key is None or each.verification is None or not each.verification.wanted:
            continue
        seen = observations[each.domain.name][each.verification.key].observed
        there = seen.rrset.rdatas if isinstance(seen, Present) else ()
        if not isinstance(seen, Unknown) and not set(each.verification.wanted) <= set(there):
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
) -> tuple[list[Service], dict[ServiceKey, list[Service]], list[Domain]]:
    """The services of the domains that declare an allowlist or a spam rule; by service, who else its lists are for.

    That is who declares one of them as well, and, where a list keeps others out, whose domains have a next hop of its
    own behind it. Third, all mail domains of all of these, because what an old state needed at an origin may go only
    when every domain of it is switched.
    """
    touched = {service_key(d) for d in domains}
    services = [
        s
        for organization in fleet.organizations
        for s in organization.services
        if service_key(s) in touched and (s.allowlists or s.spam_rule)
    ]
    filtered = [d for d in fleet.domains if d.is_filtered_by_mx]
    in_use = {service_key(d) for d in filtered}
    hosts: dict[ServiceKey, set[Name]] = defaultdict(set)
    for domain in filtered:
        hosts[service_key(domain)].update(domain.next_hops)
    users: dict[Sequence[str], list[Service]] = defaultdict(list)
    for service in (s for o in fleet.organizations for s in o.services if service_key(s) in in_use):
        for key in (*filter(None, map(list_key, service.allowlists)), *hosts[service_key(service)]):
            users[key].append(service)
    sharing = {}
    for service in services:
        is_restricting = any(a.declared.intent is Intent.RESTRICT for a in service.allowlists)
        behind = hosts[service_key(service)] if is_restricting else set()
        own: tuple[Sequence[str], ...] = (*filter(None, map(list_key, service.allowlists)), *behind)
        found = {service_key(u): u for key in own for u in users[key]}
        found.pop(service_key(service), None)
        sharing[service_key(service)] = list(found.values())
    keys = {*sharing, *(service_key(u) for others in sharing.values() for u in others)}
    return services, sharing, [d for d in filtered if service_key(d) in keys]
