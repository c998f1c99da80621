"""Which shard a mail domain is in, so that several machines can look at one fleet. Pure.

A service is never torn apart: its mail domains are in one shard with those of every service that shares an allowlist
with it, or a next hop behind a list that keeps others out, because the plan of one depends on the others. What hangs
together so is a component. A component's shard follows from a hash of its first service's name and the number of
shards alone: what is added, changed or removed elsewhere moves nothing, and whoever computes it gets the same.

Components are spread like balls thrown at random: of `c` equal ones the fullest of `n` shards rarely has more than
`c/n + 3 * sqrt(c/n)`. A component is never split, so that one service with half of a fleet's domains is half of the
work whatever the number of shards.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.document import ShardDocument, StopsDocument, digest_of
from reconciler.limits.plans import is_unhealthy
from reconciler.selection import Shard
from reconciler.service_plan import list_key
from reconciler.targets.base import Intent

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

    from reconciler.limits import Stops
    from reconciler.manifest.fleet import Domain, Fleet, Service
    from reconciler.plan import DomainPlan
    from reconciler.selection import Selection
    from reconciler.service_plan import ServicePlan

__all__ = ["Part", "ServiceKey", "Shard", "components", "part_of", "shard_document", "shard_index"]

ServiceKey = tuple[str, str]
"""An organization's name and a service's."""


@dataclass(frozen=True, slots=True)
class Part:
    """Of the domains that were chosen those of one shard, in their order, with their positions among them, from 0.

    `chosen` is the digest of the names of all that were chosen; `is_everything` where nothing was left out.
    """

    shard: Shard
    chosen: str
    is_everything: bool
    domains: tuple[Domain, ...]
    positions: tuple[int, ...]


def part_of(fleet: Fleet, selection: Selection, chosen: Sequence[Domain]) -> Part | None:
    """The part of the chosen domains that the selection's shard is; None where it has none, and all is one whole.

    Which shard a domain is in does not depend on what is chosen.
    """
    shard = selection.shard
    if shard is None:
        return None
    first = components(fleet)
    mine = {root: shard_index(root, shard.count) == shard.index for root in set(first.values())}
    found = [(at, d) for at, d in enumerate(chosen) if mine[first[d.organization, d.service]]]
    domains, positions = tuple(d for _, d in found), tuple(at for at, _ in found)
    return Part(shard, digest_of([d.name for d in chosen]), selection.whole.is_everything, domains, positions)


def shard_document(
    part: Part, fleet: Fleet, plans: Iterable[DomainPlan], service_plans: Iterable[ServicePlan], stops: Stops, mark: str
) -> ShardDocument:
    """What the document of a shard says of it, and of what only all of them together decide.

    `plans` are those of the part's domains that are not settled, `mark` is the journal's, as `Memory` has it.
    """
    unhealthy = {plan.domain.name for plan in plans if is_unhealthy(plan)}
    places = {_key(s): at for at, s in enumerate(s for o in fleet.organizations for s in o.services)}
    return ShardDocument(
        index=part.shard.index,
        count=part.shard.count,
        chosen=part.chosen,
        is_everything=part.is_everything,
        journal=mark,
        domains=list(part.positions),
        services=[places[_key(p.service)] for p in service_plans if p.steps],
        unhealthy=[at for at, d in zip(part.positions, part.domains, strict=True) if d.name in unhealthy],
        stops=StopsDocument(
            **stops.limits._asdict(),
            freeze=[window._asdict() for window in stops.freeze],
            kill_switch=stops.kill_switch,
        ),
    )


def shard_index(component: ServiceKey, count: int) -> int:
    """The shard of a component, from 1 to `count`; `component` is its first service."""
    text = "\0".join(component).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8]) % count + 1


def components(fleet: Fleet) -> dict[ServiceKey, ServiceKey]:
    """For each service of the fleet the first one, by name, of all that hang together with it."""
    first = {key: key for key in (_key(s) for o in fleet.organizations for s in o.services)}

    def root(key: ServiceKey) -> ServiceKey:
        while first[key] != key:
            first[key] = key = first[first[key]]
        return key

    for group in _groups(fleet):
        roots = {root(key) for key in group}
        first.update(dict.fromkeys(roots, min(roots)))
    return {key: root(key) for key in first}


def _groups(fleet: Fleet) -> Iterator[Iterable[ServiceKey]]:
    """Services that share one thing, for each thing that is shared: a list, or a next hop behind one that restricts."""
    services = [s for o in fleet.organizations for s in o.services]
    by_list: dict[Hashable, list[ServiceKey]] = defaultdict(list)
    for service in services:
        for key in filter(None, map(list_key, service.allowlists)):
            by_list[key].append(_key(service))
    yield from by_list.values()
    restricting = {_key(s) for s in services if any(a.declared.intent is Intent.RESTRICT for a in s.allowlists)}
    by_host: dict[Hashable, dict[ServiceKey, None]] = defaultdict(dict)
    for domain in fleet.domains if restricting else ():
        if domain.is_filtered_by_mx:
            for host in domain.next_hops:
                by_host[host][domain.organization, domain.service] = None
    yield from (users for users in by_host.values() if not restricting.isdisjoint(users))


def _key(service: Service) -> ServiceKey:
    return service.organization, service.name
