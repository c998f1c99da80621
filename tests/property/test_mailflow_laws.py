"""The proof against mail that is really followed: senders, caches and moves at random times, minute by minute.

Nothing of the proof's own reasoning is in here: a schedule is drawn as people and programs may keep it, a sender asks
DNS at some minute, holds the answer, sends later, and retries for four days. What the proof calls safe has to deliver.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.mailflow import (
    Cached,
    Gateway,
    Move,
    Mx,
    OriginList,
    Restriction,
    Scenario,
    SetList,
    SetMx,
    SetTokens,
    World,
    prove,
)

if TYPE_CHECKING:
    import random

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DIRECT, EU, US = "mail.acme.example.", "eu.gateway.example.", "us.gateway.example."
GATEWAYS = {
    EU: Gateway(("192.0.2.1", "192.0.2.2"), frozenset({"one"})),
    US: Gateway(("192.0.2.2", "192.0.2.3"), frozenset({"two"})),
}
ADDRESSES = ("192.0.2.1", "192.0.2.2", "192.0.2.3")
RETRY = 30
GIVE_UP = 4 * 24 * 60

RRSETS: tuple[Mx, ...] = (
    ((10, DIRECT),),
    ((0, EU),),
    ((0, US),),
    ((0, EU), (10, DIRECT)),
    ((0, EU), (5, US)),
)
MX = st.sampled_from(RRSETS)
TTLS = st.sampled_from([10, 60, 600])  # minutes
SETS = st.sets(st.sampled_from(ADDRESSES)).map(frozenset)
TOKENS = st.sets(st.sampled_from(["one", "two"])).map(frozenset)
RESTRICTIONS = st.sampled_from(list(Restriction))
EFFECTS = st.one_of(
    st.builds(SetTokens, TOKENS, TOKENS),
    st.builds(SetList, st.just("list"), SETS, st.just(frozenset())),
    st.builds(SetList, st.just("list"), st.just(frozenset()), SETS),
    st.builds(SetList, st.just("list"), restriction=RESTRICTIONS),
)
TIMES = st.none() | st.sampled_from([0, 5, 70, 800]).map(lambda m: NOW + m * MINUTE)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """A world that delivers now, and up to four moves, of which at most two move the MX."""
    mx, ttl = draw(MX), draw(TTLS)
    effects: list[SetMx | SetTokens | SetList] = draw(st.lists(EFFECTS, max_size=3))
    published = mx
    for _ in range(draw(st.integers(0, 2))):
        after = draw(MX)
        effects.append(SetMx(published, after, 60 * draw(TTLS)))
        published = after
    is_first = [isinstance(e, SetMx) for e in effects]
    order = draw(st.permutations(range(len(effects))))
    # the MX moves one after the other
    moving = iter(e for e in effects if isinstance(e, SetMx))
    ordered = [next(moving) if is_first[i] else effects[i] for i in order]
    moves = tuple(
        Move(f"step-{i}", "expand", effect, draw(st.booleans()), draw(TIMES)) for i, effect in enumerate(ordered)
    )
    cached = tuple(Cached(held, NOW + draw(TTLS) * MINUTE) for held in draw(st.lists(MX, max_size=1)))
    hosts = {host for rrset in (mx, *(c.mx for c in cached)) for _, host in rrset or ()}
    used = [GATEWAYS[h] for h in hosts & GATEWAYS.keys()]
    tokens = draw(TOKENS).union(*(g.needs for g in used))
    allowed = draw(SETS).union(*(g.relays for g in used))
    restriction = Restriction.NONE if DIRECT in hosts else draw(RESTRICTIONS)
    lists = (OriginList("list", allowed, restriction),)
    return Scenario(
        "acme.example.",
        NOW,
        World(mx, 60 * ttl, tokens, lists),
        GATEWAYS,
        (DIRECT,),
        moves,
        cached,
        known_hosts=frozenset({DIRECT}),
    )


class Life:
    """One drawn course of things: when each move is done, in minutes; those that never are, are missing."""

    def __init__(self, scenario: Scenario, chance: random.Random) -> None:
        """Draw the schedule."""
        self.scenario = scenario
        self.chance = chance
        self.times = self._schedule()
        done = sorted(self.times.items(), key=lambda item: (item[1], item[0]))
        self.worlds = [(0, scenario.world)]
        for i, when in done:
            self.worlds.append((when, scenario.moves[i].effect.apply(self.worlds[-1][1])))

    def _schedule(self) -> dict[int, int]:
        times: dict[int, int] = {}
        delay = 0
        previous: int | None = None
        for i, move in enumerate(self.scenario.moves):
            earliest = 0 if move.not_before is None else (move.not_before - NOW) // MINUTE
            if not move.is_open:
                if len(times) < i:
                    continue
                earliest = max([earliest + delay if move.not_before is not None else 0, *times.values()])
            elif self.chance.random() < 0.2:
                continue
            when = earliest + self.chance.choice([0, 0, 1, 9, 65, 300])
            if isinstance(move.effect, SetMx):
                # a write over another MX than expected is refused, and then it is not done
                if previous is not None and when < times.get(previous, when + 1):
                    previous = i
                    continue
                previous = i
                delay = when if move.effect.before != move.effect.after else delay
            times[i] = when
        return times

    def world(self, minute: int) -> World:
        """The world at a minute."""
        return [w for when, w in self.worlds if when <= minute][-1]

    def is_delivered(self) -> bool:
        """One mail: whether it arrives."""
        last = self.worlds[-1][0]
        asked = self.chance.choice(
            [0, *(max(0, when - 1) for when, _ in self.worlds), self.chance.randint(0, last + 5)]
        )
        world = self.world(asked)
        assert world.mx is not None
        mx, until = world.mx, asked + world.ttl // 60
        if self.scenario.cached and self.chance.random() < 0.5:
            held = self.chance.choice(self.scenario.cached)
            asked, until = 0, (held.until - NOW) // MINUTE
            assert held.mx is not None
            mx = held.mx
        inside = [when for when, _ in self.worlds if asked <= when < until]
        sent = self.chance.choice([asked, max(asked, until - 1), *inside])
        return self._follow(mx, until, sent)

    def _follow(self, mx: Mx, until: int, sent: int) -> bool:
        for minute in range(sent, sent + GIVE_UP, RETRY):
            if minute >= until:
                fresh = self.world(minute)
                assert fresh.mx is not None
                mx, until = fresh.mx, minute + fresh.ttl // 60
            hosts = [host for _, host in mx]
            # better ones may fail for now
            for host in hosts[self.chance.randrange(len(hosts)) :] if minute == sent else hosts:
                reply = self._reply(host, self.world(minute))
                if reply != "later":
                    return reply == "taken"
        return False

    def _reply(self, host: str, world: World) -> str:
        (one,) = world.lists
        if host in GATEWAYS:
            gateway = GATEWAYS[host]
            is_taken = gateway.needs <= world.tokens and self.chance.choice(gateway.relays) in one.allowed
            return "taken" if is_taken else "lost"
        return {Restriction.NONE: "taken", Restriction.SOFT: "later", Restriction.HARD: "lost"}[one.restriction]


@settings(max_examples=150, deadline=None)
@given(scenarios(), st.randoms(use_true_random=False))
def test_what_is_proved_delivers_every_mail(scenario: Scenario, chance: random.Random) -> None:
    if prove(scenario).is_ok:
        for _ in range(10):
            life = Life(scenario, chance)
            for _ in range(20):
                assert life.is_delivered(), life.times


@given(scenarios())
def test_a_failure_names_a_step_of_the_plan(scenario: Scenario) -> None:
    failure = prove(scenario).failure
    if failure is not None:
        assert failure.step in {m.id for m in scenario.moves}
        assert failure.moment >= NOW
        assert failure.text.startswith(f"after {failure.step}, ")


@given(scenarios())
def test_to_wait_longer_with_the_last_step_never_makes_it_worse(scenario: Scenario) -> None:
    if scenario.moves and not isinstance(scenario.moves[-1].effect, SetMx) and prove(scenario).is_ok:
        last = scenario.moves[-1]
        later = replace(last, is_open=False, not_before=(last.not_before or NOW) + timedelta(days=1))
        assert prove(replace(scenario, moves=(*scenario.moves[:-1], later))).is_ok


@given(scenarios())
def test_a_plan_that_does_nothing_is_never_to_blame(scenario: Scenario) -> None:
    assert prove(replace(scenario, moves=())).is_ok


@st.composite
def lists_alike(draw: st.DrawFn) -> tuple[Scenario, Scenario]:
    """A scenario whose list there are several of; and the same with lists that differ in what no mail depends on."""
    scenario, count = draw(scenarios()), draw(st.integers(2, 4))
    (one,) = scenario.world.lists
    moves = [
        replace(move, id=f"{move.id}/{name}", effect=replace(move.effect, name=name))
        for move in scenario.moves
        if isinstance(move.effect, SetList)
        for name in map(str, range(count))
    ]
    others = [move for move in scenario.moves if not isinstance(move.effect, SetList)]
    order = draw(st.permutations(moves)) if draw(st.booleans()) else moves
    merged = (*others, *order) if draw(st.booleans()) else (*order, *others)
    alike = [replace(one, name=str(i)) for i in range(count)]
    different = [replace(each, allowed=one.allowed | {f"203.0.113.{each.name}"}) for each in alike]
    several = replace(scenario, moves=merged)
    worlds = (replace(scenario.world, lists=tuple(lists)) for lists in (alike, different))
    first, second = (replace(several, world=world) for world in worlds)
    return first, second


@settings(max_examples=300, deadline=None)
@given(lists_alike())
def test_lists_that_are_alike_are_proved_as_lists_that_are_not(both: tuple[Scenario, Scenario]) -> None:
    alike, different = both
    if sum(move.is_open for move in alike.moves) <= 8:
        assert prove(alike).is_ok == prove(different).is_ok
        assert prove(alike).lines == prove(different).lines
