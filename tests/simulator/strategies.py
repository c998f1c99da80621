"""Lives drawn at random: worlds, declared states in any sequence, mishaps, people, and times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from simulator.clock import DAY, HOUR, MINUTE
from simulator.declared import Declared
from simulator.life import Moment, Scenario
from simulator.looking import Blindness
from simulator.program import NO_MISHAP, Mishap
from simulator.world import ALLOWING, ATTESTED, DEFERRING, HALF_READ, HOPS, OLD_HOSTS, REFUSING, RESTRICTING, Start

if TYPE_CHECKING:
    from simulator.world import ListKind

OLD_MX: tuple[tuple[str, ...], ...] = (
    (f"10 {HOPS[0]}",),
    (),
    (f"10 {HOPS[0]}", f"20 {HOPS[1]}"),
    (f"10 {OLD_HOSTS[0]}", f"10 {OLD_HOSTS[1]}"),
)
LISTS: tuple[tuple[ListKind, ...], ...] = (
    (ALLOWING, RESTRICTING),
    (RESTRICTING,),
    (ALLOWING,),
    (DEFERRING,),
    (REFUSING,),
    (HALF_READ,),
    (ATTESTED, DEFERRING),
    (ATTESTED,),
    (),
)

STARTS = st.builds(
    Start,
    old_mx=st.sampled_from(OLD_MX),
    mx_ttl=st.sampled_from((HOUR, MINUTE, DAY, 2 * DAY)),
    negative_ttl=st.sampled_from((HOUR, 5 * MINUTE, DAY)),
    patience=st.sampled_from((HOUR, MINUTE, DAY, 3 * DAY)),
    servers=st.integers(1, 3),
    domains=st.integers(1, 2),
    lists=st.sampled_from(LISTS),
    has_foreign_token=st.booleans(),
    is_manual=st.booleans(),
)

_MISHAPS = st.builds(
    Mishap,
    killed_at=st.none() | st.integers(0, 8),
    failing_write=st.none() | st.integers(0, 3),
    blindness=st.builds(
        Blindness,
        servers=st.frozensets(st.integers(0, 2), max_size=2),
        lists=st.frozensets(st.integers(0, 1), max_size=1),
    ),
    journal=st.sampled_from(("", "", "lost", "restored")),
)


@st.composite
def lives(draw: st.DrawFn, starts: st.SearchStrategy[Start] = STARTS) -> Scenario:
    """A life in which minds change and things go wrong at any moment."""
    start = draw(starts)
    # eu and au have one MX host without multi-region: what that means is a question of its own
    regions = draw(st.sampled_from((("eu", "us"), ("au", "us"))))
    ttls = draw(st.sampled_from(((None, None), (None, None), (HOUR, None), (None, 5 * MINUTE), (HOUR, MINUTE))))
    states = st.builds(
        Declared,
        region=st.sampled_from(regions),
        multi_region=st.booleans(),
        leaving=st.sampled_from((0, 0, 0, *range(1, start.domains + 1))),
        next_hops=st.sampled_from((HOPS[:1], HOPS, HOPS[1:])),
        ttl=st.just(ttls[0]),
        switch_ttl=st.just(ttls[1]),
    )
    moments = st.builds(
        Moment,
        hours=st.sampled_from((12, 1, 3, 24, 48, 100, 200)),
        diligence=st.sampled_from((3, 2, 1, 0)),
        seed=st.integers(0, 1000),
        declared=st.none() | states,
        mishap=st.just(NO_MISHAP) | _MISHAPS,
        lag=st.sampled_from((0, 0, 1, 30)),
        runs=st.sampled_from((1, 1, 2, 6, 20)),
    )
    first = Moment(declared=draw(states))
    return Scenario(start, (first, *draw(st.lists(moments, min_size=1, max_size=8))))
