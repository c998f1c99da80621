"""Laws of lists that many services share: what is found out once for all of them is what each would find out itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from builders import catalog, domain
from fleet_strategies import World, facts_of, fleets
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.neighbours import service_key, services_around
from reconciler.service_plan import gateway_addresses, list_addresses, list_key, plan_service, plan_services
from reconciler.service_plan.lists import NOBODY, Sharing
from reconciler.service_plan.waiting import Waiting
from reconciler.targets.base import Intent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.gates import Facts
    from reconciler.manifest.fleet import Service
    from reconciler.neighbours import ServiceKey


def called(facts: Facts, written: str) -> Facts:
    return replace(facts, desired=replace(facts.desired, domain=replace(facts.domain, written=written)))


def behind(world: World) -> dict[ServiceKey, list[Facts]]:
    found: dict[ServiceKey, list[Facts]] = {key: [] for key in world.origins}
    for facts in world.facts:
        if facts.domain.is_filtered_by_mx:
            found[service_key(facts.domain)].append(facts)
    return found


def others_of(service: Service, world: World) -> list[Service]:
    """By the definition, looking at every other service."""
    by_service = behind(world)
    hosts = {key: {h for f in known for h in f.domain.next_hops} for key, known in by_service.items()}
    own = set(filter(None, map(list_key, service.allowlists)))
    is_restricting = any(a.declared.intent is Intent.RESTRICT for a in service.allowlists)
    return [
        s
        for o in world.fleet.organizations
        for s in o.services
        if s is not service
        and by_service[service_key(s)]
        and (
            own & set(filter(None, map(list_key, s.allowlists)))
            or (is_restricting and hosts[service_key(s)] & hosts[service_key(service)])
        )
    ]


@given(fleets())
@settings(deadline=None, max_examples=50)
def test_whom_a_list_is_for_is_as_it_is_defined(world: World) -> None:
    services, sharing, neighbours = services_around(world.fleet, world.fleet.domains)
    counted = {service_key(s) for s in services}
    for service in services:
        others = others_of(service, world)
        assert [s for s in sharing[service_key(service)] if s is not service] == others
        counted |= {service_key(s) for s in others}
    expected = [f.domain for f in world.facts if f.domain.is_filtered_by_mx and service_key(f.domain) in counted]
    assert neighbours == expected


@given(fleets())
@settings(deadline=None, max_examples=50)
def test_each_service_is_planned_as_if_it_looked_at_every_other_one(world: World) -> None:
    services, sharing, neighbours = services_around(world.fleet, world.fleet.domains)
    by_name = {f.domain.name: f for f in world.facts}
    origins = {service_key(s): world.origins[service_key(s)] for s in services}
    planned = plan_services(origins, sharing, [by_name[d.name] for d in neighbours], catalog())
    by_service = behind(world)
    assert [origin for origin, _ in planned] == list(origins.values())
    for origin, plan in planned:
        others = [(s, by_service[service_key(s)]) for s in others_of(origin.service, world)]
        alone = plan_service(origin, by_service[service_key(origin.service)], catalog(), others)
        assert replace(plan, sharing=NOBODY) == replace(alone, sharing=NOBODY)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(facts_of(domain()), min_size=1, max_size=3), min_size=1, max_size=4))
def test_waiting_for_many_is_waiting_for_each(groups: Sequence[Sequence[Facts]]) -> None:
    """In the same order: the first who holds is named, and of several last ones the first is meant."""
    named = [[called(f, f"{i}-{j}.example") for j, f in enumerate(group)] for i, group in enumerate(groups)]
    flat = Waiting([f for group in named for f in group])
    shared = Waiting(named[0], (Waiting((), [Waiting(group) for group in named]),))
    assert shared.switched() == flat.switched()
    assert shared.caches_empty() == flat.caches_empty()
    assert shared.early_removal() == flat.early_removal()
    assert shared.longest == flat.longest
    assert shared.is_anybody_leaving == flat.is_anybody_leaving == any(f.domain.is_leaving for g in groups for f in g)


@given(fleets(), st.booleans())
@settings(deadline=None, max_examples=50)
def test_a_list_lets_in_whoever_is_behind_it(world: World, is_needed: bool) -> None:  # noqa: FBT001
    everybody = tuple(s for o in world.fleet.organizations for s in o.services)
    for service in everybody:
        for each in service.allowlists:
            key = list_key(each)
            users = [
                s
                for s in everybody
                if each.declared.intent is Intent.RESTRICT or (key is not None and key in map(list_key, s.allowlists))
            ]
            own = [service] if is_needed else []
            expected = dict.fromkeys(a for s in (*own, *users) for a in gateway_addresses(s, catalog()))
            found = list_addresses(each, service, Sharing(everybody), catalog(), is_needed=is_needed)
            assert found == tuple(expected)
