"""Who has to be looked at together: services share lists, and mail domains the origin of their service. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from reconciler.manifest.fleet import Service
from reconciler.service_plan import list_key
from reconciler.targets.base import Intent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.manifest.fleet import Domain, Fleet
    from reconciler.names import Name

ServiceKey = tuple[str, str]
"""An organization's name and a service's."""


def service_key(declared: Domain | Service) -> ServiceKey:
    """The key of a service, or of the service that a domain belongs to."""
    name = declared.name if isinstance(declared, Service) else declared.service
    return declared.organization, name


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
        if (s.allowlists or s.spam_rule) and service_key(s) in touched
    ]
    if not services:
        return [], {}, []
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


@dataclass(slots=True)
class Group:
    """Mail domains that are planned together: by their names, those that are planned, and those of them to look at.

    `neighbours` are filtered by MX and in the fleet's order, `members` these and whoever else was chosen; `services`
    are the keys of those whose origin is planned.
    """

    services: list[ServiceKey]
    members: list[Name]
    neighbours: list[Name]


def group_domains(
    sharing: Mapping[ServiceKey, Sequence[Service]], neighbours: Iterable[Domain], everyone: Iterable[Domain]
) -> dict[ServiceKey, Group]:
    """The group of every service that has one; a mail domain of another service is planned alone.

    `sharing` and `neighbours` are what `services_around` gave, `everyone` is all mail domains that are planned.
    """
    first: dict[ServiceKey, ServiceKey] = {}

    def root(key: ServiceKey) -> ServiceKey:
        while (above := first.setdefault(key, key)) != key:
            first[key] = first[above]
            key = above
        return key

    united: set[int] = set()
    for key, users in sharing.items():
        # services with the same tuple hang together by any one of it
        for other in (key, *map(service_key, users[:1] if id(users) in united else users)):
            first[root(other)] = root(key)
        united.add(id(users))
    groups: dict[ServiceKey, Group] = {}
    by_service = {key: groups.setdefault(root(key), Group([], [], [])) for key in first}
    for key in sharing:
        by_service[key].services.append(key)
    for domain in neighbours:
        by_service[service_key(domain)].neighbours.append(domain.name)
    for domain in everyone:
        group = by_service.get(service_key(domain))
        if group is not None:
            group.members.append(domain.name)
    return by_service
