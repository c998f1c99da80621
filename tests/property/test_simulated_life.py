"""The planner in a simulated world: whatever happens, no mail is lost, and in the end all is as it was declared.

RECONCILER_SIMULATED_LIVES is how many random lives are lived. With more than the usual number the planned lives are
lived in every world and weather too.
"""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import cycle, product

import pytest
from hypothesis import HealthCheck, given, settings
from simulator.clock import DAY, HOUR
from simulator.declared import Declared
from simulator.life import Moment, Scenario, live
from simulator.program import Mishap
from simulator.scenarios import EU, EU_MULTI, GONE, LIVES, LONG, SHORT, US, WEATHERS, WORLDS, build_scenario
from simulator.strategies import lives
from simulator.verdict import find_faults
from simulator.world import REFUSING, RESTRICTING, Start

USUAL = 120
COUNT = int(os.environ.get("RECONCILER_SIMULATED_LIVES", str(USUAL)))
IN_EVERY_WEATHER = tuple(product(LIVES, WORLDS, WEATHERS))
IN_SOME_WEATHER = tuple((*pair, weather) for pair, weather in zip(product(LIVES, WORLDS), cycle(WEATHERS), strict=False))


@settings(max_examples=COUNT, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(lives())
def test_minds_change_and_things_go_wrong_at_any_moment(scenario: Scenario) -> None:
    """Declared states in any sequence; failures, kills, lost journals, lagging and silent servers, slow people."""
    assert find_faults(live(scenario)) == []


@pytest.mark.parametrize(("life", "world", "weather"), IN_EVERY_WEATHER if COUNT > USUAL else IN_SOME_WEATHER)
def test_a_life_as_it_is_meant_to_be(life: str, world: str, weather: str) -> None:
    assert find_faults(live(build_scenario(life, world, weather))) == []


# writes to DNS, then edits of a list that only lets in, and of one that keeps others out as well
NEEDED = {
    # the value and the MX; the addresses; then deferring, then refusing
    "new": (2, 1, 3),
    # each of the next: one more value, the MX; the address
    "multi-region on": (4, 2, 4),
    "multi-region off": (4, 2, 4),
    # the MX goes there and back, and nothing else had to go
    "on again half-way through off": (4, 1, 3),
    # the new value, the MX, the old value; new addresses, old ones
    "region move": (5, 3, 5),
    "next-hop change": (2, 1, 3),
    # the MX, the value; loosened, the addresses
    "off-boarding": (4, 2, 5),
    "comes back": (6, 3, 8),
    # beside a region move: the MX's TTL down before, and up after each move
    "low TTL around a switch": (5 + 4, 3, 5),
}


@pytest.mark.parametrize("life", NEEDED)
def test_nothing_is_written_that_is_not_needed(life: str) -> None:
    ending = live(build_scenario(life, "own MX", "calm"))
    edits = [each.edits for each in ending.world.origin.lists]
    assert (len(ending.world.zone.writes), *edits) == NEEDED[life]
    assert ending.calm_runs == 0


@pytest.mark.parametrize("journal", ["lost", "restored"])
@pytest.mark.parametrize("killed_at", range(9))
@pytest.mark.parametrize("run", [1, 2, 4])
def test_killed_in_the_middle_of_a_move_with_the_journal_gone(run: int, killed_at: int, journal: str) -> None:
    """Each of the runs of a region move, killed at each moment, and afterwards nothing is remembered."""
    moments = (
        Moment(declared=EU),
        Moment(hours=12, runs=LONG),
        Moment(hours=12, declared=US),
        Moment(hours=12, runs=run, mishap=Mishap(killed_at=killed_at)),
        Moment(hours=12, mishap=Mishap(journal=journal)),
    )
    assert find_faults(live(Scenario(Start(lists=(RESTRICTING,), mx_ttl=2 * DAY), moments))) == []
