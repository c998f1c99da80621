"""Laws of deciding as facts come: it is what deciding about all of them at once would be, and nothing is left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from builders import EU, EU_MULTI, MX_KEY, NOW, OLD_MX, PRIMARY, SECONDARY, TXT_KEY, catalog, observation
from fleet_strategies import World, fleets
from gate_builders import EU_HOST, HOP, ready_domain
from gate_strategies import worlds
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.decide import Decided, Decider, Origins, Planning, Wanted
from reconciler.desired import build_desired, desired_keys
from reconciler.document import domain_document
from reconciler.gates import Facts
from reconciler.history import History
from reconciler.limits import Limits, Stops
from reconciler.manifest.fleet import Lifecycle, MxHostOverride, Verification
from reconciler.names import Name
from reconciler.neighbours import group_domains, service_key, services_around
from reconciler.plan import DomainPlan, Stage, Status, plan_domain
from reconciler.safety import hold_plans, prove_plans
from reconciler.seen import seen_in
from reconciler.service_plan import plan_services
from reconciler.settled import SettledAtSight, is_settled
from reconciler.state import Absent, Cause, Present, Rdata, Unknown, build_rrset
from reconciler.surroundings import NOT_PROBED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.manifest.fleet import Domain
    from reconciler.safety import Proved

T = TypeVar("T")
NEW_TTL = 3600
PLANNING = Planning(catalog(), lambda _domain: "bind", NEW_TTL, lambda domain: f"sha256:{domain.name}")


def planned(facts: Facts) -> DomainPlan:
    return plan_domain(facts, provider="bind", new_ttl=NEW_TTL)


def is_done(plan: DomainPlan) -> bool:
    """Whether there is nothing to be done and nothing to be told."""
    is_last = plan.stage is Stage.PROTECTED and not plan.diagnostics
    return is_last and {s.status for s in plan.steps} <= {Status.DONE}


@st.composite
def nearly_settled(draw: st.DrawFn) -> Facts:
    """Mostly what is wanted, sometimes with something beside it, or another TTL than declared."""
    world = draw(worlds())
    changed = replace(world.domain, ttl=draw(st.sampled_from([None, None, 3600, 60])))
    observations = dict(world.observations)
    for rrset in world.desired.rrsets:
        foreign = Rdata('"a stranger"' if rrset.key.type == "TXT" else "9 mx.x.")
        values = (*rrset.wanted, foreign) if draw(st.integers(0, 3)) == 0 else rrset.wanted
        if draw(st.integers(0, 9)) and values:
            seen = Present(build_rrset(rrset.key, draw(st.sampled_from([60, 3600])), values))
            observations[rrset.key] = observation(rrset.key, *([seen] * draw(st.integers(1, 2))))
    around = draw(st.sampled_from([NOT_PROBED, NOT_PROBED, world.surroundings]))
    desired = replace(
        world.desired,
        domain=changed,
        verification=world.desired.verification and replace(world.desired.verification, ttl=changed.ttl),
        mx=world.desired.mx and replace(world.desired.mx, ttl=changed.ttl),
    )
    return replace(world, desired=desired, observations=observations, surroundings=around)


@given(nearly_settled())
@settings(deadline=None, max_examples=300)
def test_the_short_way_says_yes_only_where_the_long_way_finds_nothing(facts: Facts) -> None:
    plan = planned(facts)
    assert is_done(plan) or not is_settled(facts)


@given(nearly_settled())
@settings(deadline=None, max_examples=300)
def test_the_short_way_misses_only_what_is_rare(facts: Facts) -> None:
    """A TTL for the switch, a domain that leaves, values that nobody declares, an MX that others share."""
    desired, domain = facts.desired, facts.domain
    if not is_done(planned(facts)) or domain.is_leaving or domain.switch_ttl is not None:
        return
    seen = [(rrset, facts.observations[rrset.key].observed) for rrset in desired.rrsets]
    if all(isinstance(o, Present) and (r.key.type == "TXT" or o.rrset.rdatas == r.wanted) for r, o in seen):
        assert is_settled(facts)


def is_settled_at_sight(facts: Facts) -> bool:
    values, mx = (facts.observations[key] for key in desired_keys(facts.domain, facts.catalog))
    return SettledAtSight(facts.catalog).has_settled(facts.domain, values, mx, facts.history)


ODD: tuple[Mapping[str, Any], ...] = (
    {"lifecycle": Lifecycle.OFFBOARDED},
    {"switch_ttl": 60},
    {"mx_host": MxHostOverride(HOP, "moved")},
    {"next_hops": (HOP, EU_HOST)},
)
NUMERIC = replace(
    catalog(), regions={key: r._replace(mx_host=Name("192.0.2.1.")) for key, r in catalog().regions.items()}
)
WANTED = st.builds(Wanted, st.booleans(), st.booleans(), st.booleans())
STRANGER = Rdata('"a stranger"')


def mostly(usual: T, *others: T) -> st.SearchStrategy[T]:
    return st.sampled_from([usual] * 6 + list(others))


@st.composite
def seen_alone(draw: st.DrawFn) -> Facts:
    """Settled, or not for one reason or two; nobody looked around, nor at other rrsets."""
    usual = ready_domain(
        region=draw(st.sampled_from(["eu", "us"])),
        multi_region=draw(st.booleans()),
        verification=draw(
            st.sampled_from([Verification("primary-token", "secondary-token"), Verification("primary-token", None)])
        ),
        mx_exclusive=draw(st.booleans()),
        ttl=draw(mostly(None, 3600, 60)),
    )
    known = draw(mostly(catalog(), NUMERIC))
    observations = {}
    for rrset in build_desired(usual, known).rrsets:
        others = (PRIMARY, SECONDARY, STRANGER) if rrset.key.type == "TXT" else (EU_MULTI, OLD_MX)
        more = draw(st.lists(st.sampled_from([Rdata(v) for v in others]), max_size=draw(st.sampled_from([0, 2]))))
        less = draw(mostly(0, 1))
        values = (*rrset.wanted[less:], *more)
        found = Present(build_rrset(rrset.key, 3600, values)) if values else Absent()
        more_servers = draw(mostly((), (found,), (Unknown(Cause.TIMEOUT, "silence"),)))
        seen = observation(rrset.key, found, *more_servers)
        observations[rrset.key] = draw(mostly(seen, replace(seen, zone=None)))
    written = draw(st.sampled_from([(), ((TXT_KEY, Rdata(PRIMARY)), (MX_KEY, Rdata(EU))), ((TXT_KEY, STRANGER),)]))
    old = draw(mostly((), (Name("old.acme.example."),)))
    history = History(next_hops=old, next_hops_since=NOW if old else None, written=frozenset(written))
    declared = replace(usual, **draw(mostly({}, *ODD)))
    desired = build_desired(declared, known, history)
    return Facts(desired, observations, known, NOW, history=history)


@given(seen_alone())
@settings(deadline=None, max_examples=500)
def test_what_is_settled_at_sight_is_settled(facts: Facts) -> None:
    assert not is_settled_at_sight(facts) or (is_settled(facts) and is_done(planned(facts)))


@pytest.mark.parametrize(
    ("secondary", "beside", "written", "is_zone_known", "expected"),
    [
        pytest.param(None, STRANGER, PRIMARY, True, True, id="a stranger's value"),
        pytest.param(None, STRANGER, STRANGER, True, False, id="what was written, and is declared no more"),
        pytest.param("secondary-token", Rdata(SECONDARY), PRIMARY, True, False, id="what is declared, and not needed"),
        pytest.param("secondary-token", STRANGER, PRIMARY, True, True, id="what is not needed is not there"),
        pytest.param(None, STRANGER, PRIMARY, False, False, id="in no zone that is known"),
    ],
)
def test_whose_a_value_beside_the_needed_one_is_is_seen_at_sight(
    secondary: str | None,
    beside: Rdata,
    written: Rdata,
    is_zone_known: bool,  # noqa: FBT001
    expected: bool,  # noqa: FBT001
) -> None:
    domain = ready_domain(verification=Verification("primary-token", secondary))
    txt = observation(TXT_KEY, Present(build_rrset(TXT_KEY, 3600, (PRIMARY, beside))))
    mx = observation(MX_KEY, Present(build_rrset(MX_KEY, 3600, (EU,))))
    seen = {TXT_KEY: txt if is_zone_known else replace(txt, zone=None), MX_KEY: mx}
    history = History(written=frozenset({(TXT_KEY, written)}))
    facts = Facts(build_desired(domain, catalog(), history), seen, catalog(), NOW, history=history)
    assert is_settled_at_sight(facts) is is_settled(facts) is expected


@pytest.mark.parametrize("is_look_kept", [False, True])
def test_a_look_that_one_server_is_missing_in_is_kept_from_all_facts(
    is_look_kept: bool,  # noqa: FBT001 - by name
) -> None:
    silence = Unknown(Cause.TIMEOUT, "silence")
    txt = observation(TXT_KEY, Present(build_rrset(TXT_KEY, 3600, (PRIMARY,))))
    mx = observation(MX_KEY, Present(build_rrset(MX_KEY, 3600, (EU,))), silence)
    domain = ready_domain(verification=Verification("primary-token", None))
    decider = Decider(PLANNING, Origins({}, {}, {}, ()), Wanted(documents=False, facts=False, seen=is_look_kept))
    assert decider.is_left_out(domain, txt, mx, History()) is not is_look_kept
    assert decider.decided == Decided()


@given(seen_alone(), WANTED)
@settings(deadline=None, max_examples=500)
def test_who_is_left_out_is_settled_and_what_was_seen_of_them_is_kept(facts: Facts, wanted: Wanted) -> None:
    planning = replace(PLANNING, catalog=facts.catalog)
    at_sight, in_full = (Decider(planning, Origins({}, {}, {}, ()), wanted) for _ in range(2))
    values, mx = (facts.observations[key] for key in desired_keys(facts.domain, facts.catalog))
    is_left_out = at_sight.is_left_out(facts.domain, values, mx, facts.history)
    if not is_left_out:
        at_sight.add(facts)
    in_full.add(facts)
    assert at_sight.decided == in_full.decided
    is_unanswered = any(isinstance(a.observed, Unknown) for a in (*values.answers, *mx.answers))
    is_kept = wanted.documents or wanted.facts or (wanted.seen and is_unanswered)
    assert is_left_out == (is_settled_at_sight(facts) and not is_kept)


@given(seen_alone())
@settings(deadline=None, max_examples=500)
def test_what_is_settled_is_so_at_sight_but_for_what_is_rare(facts: Facts) -> None:
    """A host that one manifest names, other next hops before."""
    is_rare = facts.domain.mx_host is not None or bool(facts.history.next_hops)
    assert is_rare or is_settled_at_sight(facts) == is_settled(facts)


def at_once(world: World, chosen: Sequence[Domain]) -> Proved:
    """Everything planned and proved together."""
    services, sharing, neighbours = services_around(world.fleet, chosen)
    facts = {f.domain.name: f for f in world.facts}
    origins = {service_key(s): world.origins[service_key(s)] for s in services}
    service_plans = plan_services(origins, sharing, [facts[d.name] for d in neighbours], catalog())
    everyone = dict.fromkeys((*chosen, *neighbours))
    return prove_plans([planned(facts[d.name]) for d in everyone], facts, service_plans)


def as_they_come(world: World, chosen: Sequence[Domain], order: Sequence[Facts], wanted: Wanted) -> Decided:
    services, sharing, neighbours = services_around(world.fleet, chosen)
    others = [d for d in neighbours if d not in chosen]
    everyone = [*chosen, *others]
    groups = group_domains(sharing, neighbours, everyone)
    found = {service_key(s): world.origins[service_key(s)] for s in services}
    decider = Decider(PLANNING, Origins(found, sharing, groups, {d.name for d in others}), wanted)
    for facts in order:
        if facts.domain in everyone:
            decider.add(facts)
    return decider.decided.with_origins_of(services)


@given(fleets(), st.data(), WANTED)
@settings(deadline=None, max_examples=150)
def test_what_is_decided_as_facts_come_is_what_is_decided_at_once(
    world: World, data: st.DataObject, wanted: Wanted
) -> None:
    order = data.draw(st.permutations(world.facts))
    chosen = [d for d in world.fleet.domains if data.draw(st.booleans())]
    whole, decided = at_once(world, chosen), as_they_come(world, chosen, order, wanted)
    plans = {p.domain.name: p for p in whole.plans[: len(chosen)]}
    facts = {f.domain.name: f for f in world.facts}
    assert tuple(decided.origins.values()) == whole.origins
    assert sorted(decided.diagnostics, key=repr) == sorted(whole.diagnostics, key=repr)
    assert {name: plans[name] for name in decided.plans} == decided.plans
    assert {name: whole.flows.get(name, ()) for name in decided.plans} == decided.flows
    settled = plans.keys() - decided.plans.keys()
    assert all(is_done(plans[name]) for name in settled)
    documents = {
        n: domain_document(plans[n], whole.flows[n], PLANNING.declared(plans[n].domain))
        for n in settled
        if wanted.documents
    }
    assert documents == decided.documents
    assert decided.facts.items() <= facts.items()
    unfinished = {service_key(o.service) for o, p in whole.origins if {s.status for s in p.steps} - {Status.DONE}}
    needed = decided.plans.keys() | {name for name in plans if service_key(facts[name].domain) in unfinished}
    assert decided.facts.keys() == (plans.keys() if wanted.facts else needed), "and nothing of a settled one"
    seen = {name: seen for name in plans if (seen := seen_in(facts[name])) is not None}
    assert decided.seen == (seen if wanted.seen else {})


@given(fleets(), st.integers(0, 2), st.sampled_from([0.0, 0.2, 0.5]))
@settings(deadline=None, max_examples=100)
def test_limits_of_the_plans_that_are_not_settled_are_those_of_all(world: World, switches: int, share: float) -> None:
    chosen = world.fleet.domains
    whole = at_once(world, chosen)
    decided = as_they_come(world, chosen, world.facts, Wanted(documents=False))
    stops = Stops(Limits(switches_per_run=switches, unhealthy_share=share))
    of_all = hold_plans(whole.plans, whole.origins, stops, count=len(chosen), now=NOW)
    some = [decided.plans[d.name] for d in chosen if d.name in decided.plans]
    of_some = hold_plans(some, tuple(decided.origins.values()), stops, count=len(chosen), now=NOW)
    held = {p.domain.name: p for p in of_some.plans}
    assert [held.get(p.domain.name, p) for p in of_all.plans] == list(of_all.plans)
    assert (of_some.origins, of_some.diagnostics) == (of_all.origins, of_all.diagnostics)
