"""Laws of the pure core, over generated rrsets and manifests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from builders import MX_KEY, TXT_KEY, attestation, catalog, domain, facts, observation
from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired import DesiredRRset, build_desired
from reconciler.diff import diff_rrset
from reconciler.manifest.fleet import Domain, Verification
from reconciler.names import Name
from reconciler.plan import DomainPlan, Phase, Status, plan_domain
from reconciler.state import Absent, Cause, Key, Observed, Present, Rdata, Unknown, build_rrset

if TYPE_CHECKING:
    import random

    from reconciler.gates import Facts

ZONE = Name("acme.example.")
TTLS = st.sampled_from([60, 300, 3600])
TOKENS = st.sampled_from(["one", "two", "three"])
TXT_VALUES = st.sampled_from([Rdata(v) for v in ('"one"', '"two"', '"three"', '"one" ""', '"\\\\"', '"\\255"', '""')])
MX_VALUES = st.sampled_from(
    [
        Rdata(v)
        for v in (
            "0 inbound-smtp.eu-west-1.amazonaws.com.",
            "10 inbound-smtp.eu-west-1.amazonaws.com.",
            "0 eu.mx-pp.com.",
            "0 us.mx-pp.com.",
            "0 .",
            "10 mail.acme.example.",
            "0 mail.acme.example.",
        )
    ]
)


@st.composite
def domains(draw: st.DrawFn) -> Domain:
    multi_region = draw(st.booleans())
    primary, secondary = draw(st.permutations(["one", "two", "three"]))[:2]
    return domain(
        region=draw(st.sampled_from(["us", "eu", "au"])),
        multi_region=multi_region,
        verification=Verification(primary, secondary if multi_region or draw(st.booleans()) else None),
        mx_exclusive=draw(st.booleans()),
        ttl=draw(st.none() | TTLS),
        attestations=draw(
            st.sampled_from([(), (attestation(),), (attestation(multi_region=True), attestation(region="us"))])
        ),
    )


def rrsets(key: Key, values: st.SearchStrategy[Rdata]) -> st.SearchStrategy[Observed]:
    there = st.builds(
        lambda rdatas, ttl: Present(build_rrset(key, ttl, frozenset(rdatas))), st.sets(values, min_size=1), TTLS
    )
    return st.one_of(there, st.just(Absent()), st.just(Unknown(Cause.TIMEOUT, "silence")))


TXT_OBSERVED = rrsets(TXT_KEY, TXT_VALUES)
MX_OBSERVED = rrsets(MX_KEY, MX_VALUES)


@st.composite
def worlds(draw: st.DrawFn) -> Facts:
    txt = observation(TXT_KEY, *draw(st.lists(TXT_OBSERVED, min_size=1, max_size=3)))
    mx = observation(MX_KEY, *draw(st.lists(MX_OBSERVED, min_size=1, max_size=3)))
    return facts(draw(domains()), txt=txt, mx=mx)


def planned(world: Facts) -> DomainPlan:
    return plan_domain(world, provider="bind", new_ttl=3600)


def both(world: Facts) -> list[tuple[DesiredRRset, Observed]]:
    return [(d, world.observations[d.key].observed) for d in world.desired.rrsets]


@given(worlds())
def test_applying_a_difference_gives_the_desired_and_then_there_is_none(world: Facts) -> None:
    for desired, observed in both(world):
        if isinstance(observed, Unknown):
            continue
        rrset = observed.rrset if isinstance(observed, Present) else None
        change = diff_rrset(desired, rrset, zone=ZONE, new_ttl=3600).change(add=True, remove=True)
        assert set(desired.wanted) == {v for v in change.wanted if desired.ownership.owns(v)}
        after = build_rrset(desired.key, change.ttl, change.wanted)
        again = diff_rrset(desired, after, zone=ZONE, new_ttl=3600)
        assert again.is_empty
        assert again.change(add=True, remove=True).is_noop


@given(worlds())
def test_foreign_values_never_change(world: Facts) -> None:
    """Not added, not removed, and the TTL that they live under stays."""
    ownership = {d.key: d.ownership for d in world.desired.rrsets}
    for step in planned(world).steps:
        if step.change is None:
            continue
        owns = ownership[step.key].owns
        assert all(owns(v) for v in (*step.change.before, *step.change.after))
        assert not any(owns(v) for v in step.change.foreign)
        foreign_before = {v for v in step.change.expected if not owns(v)}
        assert foreign_before == {v for v in step.change.wanted if not owns(v)}
        if foreign_before:
            assert step.change.ttl == step.change.ttl_before


@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_what_came_in_does_not_matter(world: Facts, chance: random.Random) -> None:
    def shuffled(observed: Observed) -> Observed:
        if not isinstance(observed, Present):
            return observed
        rdatas = list(observed.rrset.rdatas)
        chance.shuffle(rdatas)
        return Present(build_rrset(observed.rrset.key, observed.rrset.ttl, tuple(rdatas)))

    other = {
        key: replace(o, answers=tuple(replace(a, observed=shuffled(a.observed)) for a in o.answers))
        for key, o in reversed(list(world.observations.items()))
    }
    assert planned(replace(world, observations=other)) == planned(world)


@given(worlds())
def test_unknown_is_never_written_over(world: Facts) -> None:
    for step in planned(world).steps:
        if isinstance(world.observations[step.key].observed, Unknown):
            assert step.status is Status.UNKNOWN
            assert step.change is None


@given(worlds())
def test_the_mx_moves_only_where_every_server_shows_the_tokens(world: Facts) -> None:
    desired = world.desired.verification
    assert desired is not None
    seen = all(
        isinstance(a.observed, Present) and set(desired.wanted) <= set(a.observed.rrset.rdatas)
        for a in world.observations[desired.key].answers
    )
    for step in planned(world).steps:
        if step.phase is Phase.SWITCH and step.status is Status.READY:
            assert seen


@given(worlds())
def test_fewer_attestations_never_open_a_gate(world: Facts) -> None:
    bare = replace(world.desired, domain=replace(world.domain, attestations=()))
    ready = {s.id for s in planned(replace(world, desired=bare)).steps if s.status is Status.READY}
    assert ready <= {s.id for s in planned(world).steps if s.status is Status.READY}


@given(worlds())
def test_of_one_rrset_at_most_one_change_is_ready(world: Facts) -> None:
    ready = [s.key for s in planned(world).steps if s.status is Status.READY]
    assert len(ready) == len(set(ready))


@given(domains())
def test_desired_depends_on_nothing_but_its_arguments(declared: Domain) -> None:
    assert build_desired(declared, catalog()) == build_desired(replace(declared), catalog())
