"""A life: declared states one after the other, runs, people and mishaps in between, then a calm time at its end."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from reconciler.catalog import load_catalog
from simulator.clock import DAY, HOUR
from simulator.declared import Declared, Manifest
from simulator.people import People
from simulator.program import NO_MISHAP, Mishap, Program
from simulator.world import Start, World, build_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.catalog import Catalog
    from simulator.mail import Violation
    from simulator.program import Distortion, Transform

CALM_GAP = 12 * HOUR
CALM_RUNS = 40
"""Runs of the calm time, at most: 20 days. The longest waits come to 13: unknown caches, and the gateway's patience."""
AFTERWARDS = 6 * DAY


@dataclass(frozen=True, slots=True)
class Moment:
    """One run and the time before it.

    `hours` pass, in which people do a share of what there is to do, `diligence` of 0 to 3; `seed` chooses which, when,
    and in what order. Then somebody may declare another state, and the command runs. `lag` (hours) is how long the
    secondary servers are behind from now on. All of it happens `runs` times, the mishap at the last.
    """

    hours: int = 8
    diligence: int = 3
    seed: int = 0
    declared: Declared | None = None
    mishap: Mishap = NO_MISHAP
    lag: int = 0
    runs: int = 1


@dataclass(frozen=True, slots=True)
class Scenario:
    """A world, and what happens in it; the first moment declares the first state."""

    start: Start
    moments: tuple[Moment, ...]
    are_forgetful: bool = False


@dataclass
class Ending:
    """How a life ended. `calm_runs` is how many runs it took until nothing was left to do, None: never.

    `periods` are the declared states, each with the second from which on it was declared.
    """

    world: World
    manifest: Manifest
    program: Program
    calm_runs: int | None
    violations: list[Violation]
    periods: list[tuple[int, Declared]] = field(default_factory=list)

    @property
    def story(self) -> str:
        """What went wrong, and what was left to do, for people."""
        lines = [f"{v.when / HOUR:.2f} h: {v.domain} {v.what}" for v in self.violations]
        if self.calm_runs is None and self.program.last is not None:
            open_steps = [s for s in self.program.last.steps if s.status != "done"]
            lines += [
                f"not done: {s.id} {s.status.value} {[(g.id, g.evidence) for g in s.gates if g.verdict != 'pass']}"
                for s in open_steps
            ]
        return "\n".join(lines)


@cache
def catalog() -> Catalog:
    """The shipped catalog."""
    return load_catalog()


def live(scenario: Scenario, transform: Transform | None = None, distort: Distortion | None = None) -> Ending:
    """Let it all happen, with the real planner or a wrong one."""
    world = build_world(scenario.start, catalog())
    manifest = Manifest(world, scenario.moments[0].declared or Declared())
    program = Program(world, manifest, transform=transform, distort=distort)
    people = People(world, manifest, program, scenario.are_forgetful)
    periods = [(0, manifest.declared)]
    for moment in _each_run(scenario):
        _pass_time(world, people, moment)
        world.zone.lags[1:] = [moment.lag * HOUR] * (len(world.zone.lags) - 1)
        if moment.declared is not None and moment.declared != manifest.declared:
            manifest.declared = moment.declared
            periods.append((world.clock.now, moment.declared))
            people.tidy_up()
        # once declared, it may be that people loosen it any time before the next run
        world.may_open = bool(manifest.declared.leaving) or world.may_open
        program.run(moment.mishap)
        world.may_open = bool(manifest.declared.leaving)
    world.zone.lags = [0] * len(world.zone.lags)
    calm_runs = _calm_down(world, people, program)
    world.clock.advance(world.clock.now + AFTERWARDS)
    return Ending(world, manifest, program, calm_runs, world.senders.violations, periods)


def _each_run(scenario: Scenario) -> Iterator[Moment]:
    for moment in scenario.moments:
        quiet = replace(moment, mishap=NO_MISHAP)
        for count in range(1, moment.runs + 1):
            yield moment if count == moment.runs else quiet


def _pass_time(world: World, people: People, moment: Moment) -> None:
    """People come by a few times in the span, each time for some of what there is to do then."""
    chance = random.Random(moment.seed)  # noqa: S311 - chance, not secrets
    end = world.clock.now + moment.hours * HOUR
    for visit in range(3):
        when = world.clock.now + (end - world.clock.now) // (4 - visit)
        world.clock.advance(when)
        tasks = people.tasks()
        if moment.diligence < 3 or moment.seed:
            chance.shuffle(tasks)
        for task in tasks:
            if chance.random() * 3 < moment.diligence:
                world.clock.advance(min(end, world.clock.now + chance.randrange(600)))
                people.do(task)
    world.clock.advance(end)


def _calm_down(world: World, people: People, program: Program) -> int | None:
    calm = Moment(hours=CALM_GAP // HOUR)
    for count in range(CALM_RUNS):
        _pass_time(world, people, calm)
        program.run()
        if program.last is not None and program.last.is_done and not people.tasks():
            return count
    return None
