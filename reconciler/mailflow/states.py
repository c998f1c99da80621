"""Every state that a plan may lead through: what is done, since when at the earliest, and what senders hold then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from reconciler.mailflow.delivery import Delivery, Fate, Outcome, Way
from reconciler.mailflow.model import SetMx

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from reconciler.mailflow.model import Mx, Scenario, World

Done = frozenset[int]
"""The moves that are done, by their place in the plan."""

_EVERY_SUBSET = 8


class Held(NamedTuple):
    """An MX rrset in senders' hands: until when (None while it is published), and the ways that count.

    `is_any`: it stands for one that nobody knows.
    """

    mx: Mx
    until: datetime | None
    ways: tuple[Way, ...]
    is_any: bool = False


class Sent(NamedTuple):
    """A mail: the MX rrset that its sender holds, and the way that it takes."""

    mx: Mx
    way: Way


@dataclass(frozen=True, slots=True)
class State:
    """One state, from its earliest moment on."""

    world: World
    moment: datetime
    held: tuple[Held, ...]
    outcomes: dict[Sent, Outcome]


class States:
    """The states of one scenario, each made once."""

    def __init__(self, scenario: Scenario) -> None:
        """Nothing is worked out before it is asked for."""
        self._scenario = scenario
        self.delivery = Delivery(scenario)
        self._made: dict[Done, State] = {}

    def __getitem__(self, done: Done) -> State:
        """The state in which exactly these moves are done."""
        if done not in self._made:
            self._made[done] = self._make(done)
        return self._made[done]

    def reachable(self) -> Iterator[Done]:
        """Every state that the plan may lead through; of very many open moves only the telling subsets."""
        moves = self._scenario.moves
        for chosen in _subsets([i for i, m in enumerate(moves) if m.is_open]):
            done = chosen
            yield done
            for i, move in enumerate(moves):
                if not move.is_open:
                    if not done.issuperset(range(i)):
                        break
                    done |= {i}
                    yield done

    def last_moves(self, done: Done) -> Iterator[int]:
        """The moves that may have been the last one to lead to this state, the plan's latest first."""
        for i in sorted(done, reverse=True):
            yield i
            if not self._scenario.moves[i].is_open:
                # it waited for everything before it
                return

    def _make(self, done: Done) -> State:
        times = self._times(done)
        moment = max(times.values(), default=self._scenario.now)
        world = self._scenario.world
        held = [Held(c.mx, c.until, self._ways(c.mx)) for c in self._scenario.cached if c.mx is not None]
        held += self._anything
        for i in sorted(done):
            effect = self._scenario.moves[i].effect
            after = effect.apply(world)
            if isinstance(effect, SetMx) and after != world and world.mx is not None:
                # done later, it is as if it were not done yet: that state is looked at by itself
                held.append(Held(world.mx, times[i] + timedelta(seconds=world.ttl), self._ways(world.mx)))
            world = after
        held = [h for h in held if h.until is not None and h.until > moment]
        if world.mx is not None:
            held.append(Held(world.mx, None, self._ways(world.mx)))
        return State(world, moment, tuple(held), self._outcomes(held, world, moment))

    def _outcomes(self, held: list[Held], world: World, moment: datetime) -> dict[Sent, Outcome]:
        outcomes: dict[Sent, Outcome] = {}
        for one in held:
            for way in one.ways:
                sent = Sent(one.mx, way)
                # the same rrset may be held until several times
                if sent not in outcomes or outcomes[sent].fate is not Fate.LOST:
                    outcomes[sent] = self.delivery.outcome(one.mx, one.until, way, world, moment)
        return outcomes

    def _times(self, done: Done) -> dict[int, datetime]:
        """When each move is done at the earliest; what is held comes after all before it.

        The time of a held move counts from an MX that moves now; from one that moves later it is that much later: the
        plan that is made then tells it anew.
        """
        now = self._scenario.now
        times: dict[int, datetime] = {}
        delay = timedelta(0)
        for i in sorted(done):
            move = self._scenario.moves[i]
            time = now if move.is_open else max(times.values(), default=now)
            if move.not_before is not None:
                time = max(time, move.not_before if move.is_open else move.not_before + delay)
            if isinstance(move.effect, SetMx) and move.effect.before != move.effect.after:
                delay = time - now
            times[i] = time
        return times

    def _ways(self, mx: Mx) -> tuple[Way, ...]:
        return tuple(self.delivery.ways(self.delivery.hosts(mx)))

    @cached_property
    def _anything(self) -> list[Held]:
        """A cached MX that nobody knows: what is published, and whatever else delivered before the first move."""
        until = max((c.until for c in self._scenario.cached if c.mx is None), default=None)
        if until is None:
            return []
        scenario = self._scenario
        published = self.delivery.hosts(scenario.world.mx) if scenario.world.mx is not None else ()
        found = []
        for host in dict.fromkeys((*published, *scenario.next_hops, *scenario.known_hosts, *scenario.gateways)):
            mx = ((0, host),)
            fates = {way: self._before(mx, until, way) for way in self.delivery.ways((host,))}
            if host in published or Fate.LOST not in fates.values():
                found.append(Held(mx, until, tuple(fates), is_any=True))
        return found

    def _before(self, mx: Mx, until: datetime, way: Way) -> Fate:
        return self.delivery.outcome(mx, until, way, self._scenario.world, self._scenario.now).fate


def _subsets(open_moves: list[int]) -> Iterator[Done]:
    """Every subset; of many moves each prefix, each single one, and each single failure."""
    if len(open_moves) <= _EVERY_SUBSET:
        for size in range(len(open_moves) + 1):
            yield from map(frozenset, combinations(open_moves, size))
        return
    everything = frozenset(open_moves)
    yield from (frozenset({i}) for i in open_moves)
    yield from (frozenset(open_moves[:size]) for size in range(len(open_moves)))
    yield from (everything - {i} for i in open_moves)
    yield everything
