"""The planner in a simulated world: whatever happens, no mail is lost, and in the end all is as it was declared.

RECONCILER_SIMULATED_LIVES is how many random lives are lived. With more than the usual number the planned lives are
lived in every world and weather too.
"""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import cycle, product
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from simulator.clock import DAY
from simulator.life import Moment, Scenario, live
from simulator.program import Mishap
from simulator.scenarios import EU, EU_MULTI, GONE, LIVES, LONG, US, WEATHERS, WORLDS, build_scenario
from simulator.strategies import lives
from simulator.verdict import find_faults
from simulator.world import HALF_READ, REFUSING, RESTRICTING, ListKind, Start

if TYPE_CHECKING:
    from simulator.declared import Declared

USUAL = 120
COUNT = int(os.environ.get("RECONCILER_SIMULATED_LIVES", str(USUAL)))
IN_EVERY_WEATHER = tuple(product(LIVES, WORLDS, WEATHERS))
IN_SOME_WEATHER = tuple(
    (*pair, weather) for pair, weather in zip(product(LIVES, WORLDS), cycle(WEATHERS), strict=False)
)


@settings(
    max_examples=COUNT,
    deadline=None,
    # the usual run is the same everywhere; a long one looks elsewhere each time
    derandomize=COUNT <= USUAL,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
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


# What the simulator found: each is the smallest life that shows it.


def _chapters(*declared: Declared) -> tuple[Moment, ...]:
    return tuple(m for d in declared for m in (Moment(hours=12, declared=d), Moment(hours=12, runs=LONG)))


def _move_with_a_lost_journal(declared: Declared) -> tuple[Moment, ...]:
    moved = (Moment(hours=12, declared=declared), Moment(hours=12, runs=2))
    return (*_chapters(EU), *moved, Moment(hours=12, mishap=Mishap(journal="lost")))


@pytest.mark.parametrize("lists", [(REFUSING,), (RESTRICTING,)])
def test_a_long_ttl_that_nobody_remembers(lists: tuple[ListKind, ...]) -> None:
    """A week is what manifests allow for our own MX: the address of the old region stays while caches have its MX."""
    assert find_faults(live(Scenario(Start(mx_ttl=7 * DAY, lists=lists), _move_with_a_lost_journal(US)))) == []


def test_a_long_ttl_that_nobody_remembers_and_nobody_can_see() -> None:
    """As before, but the switch wrote a low TTL."""
    moments = _move_with_a_lost_journal(replace(US, ttl=300))
    assert find_faults(live(Scenario(Start(mx_ttl=7 * DAY), moments))) == []


@pytest.mark.parametrize("between", [GONE, US, EU_MULTI], ids=["gone", "moved", "multi-region"])
def test_nobody_takes_back_what_was_attested(between: Declared) -> None:
    """The value comes back, the console needs days to find it, and the MX moves on the old attestation."""
    declared = (EU_MULTI, EU, EU_MULTI) if between is EU_MULTI else (EU, between, EU)
    scenario = Scenario(Start(patience=3 * DAY), _chapters(*declared), are_forgetful=True)
    assert find_faults(live(scenario)) == []


def test_a_move_between_regions_that_share_an_mx_host() -> None:
    """At its worst the gateway relays from both regions as long as both have a verified value."""
    assert find_faults(live(Scenario(Start(patience=3 * DAY), _chapters(EU, replace(EU, region="au"))))) == []


def test_a_value_that_people_wrote_goes_when_the_manifest_names_it() -> None:
    """With `provider: manual` nobody but the manifest says whose a value is: one that it names no more stays."""
    ending = live(Scenario(Start(is_manual=True, has_foreign_token=False), _chapters(EU, US)))
    assert len(ending.world.zone.shown(0, ending.world.gateway.token_key(ending.world.domains[0])).rdatas) == 2
    assert not ending.violations


def test_a_list_without_an_export_ends_at_refusing() -> None:
    """People say apart that everybody else is deferred, and that they are refused."""
    unread = replace(RESTRICTING, is_exported=False)
    assert find_faults(live(Scenario(Start(lists=(unread,)), _chapters(EU)))) == []


def test_a_domain_leaves_an_origin_whose_export_shows_the_addresses_alone() -> None:
    """People open the origin and vouch for it; no proof presumes a refusal then."""
    assert find_faults(live(Scenario(Start(lists=(HALF_READ,)), _chapters(EU, GONE)))) == []


def test_nobody_looks_for_a_week_between_deferring_and_refusing() -> None:
    """What was in DNS in that time nobody knows: the step is held, not withdrawn as a mistake of the program."""
    moments = (Moment(declared=EU), Moment(hours=12, runs=14), Moment(hours=200))
    assert find_faults(live(Scenario(Start(lists=(RESTRICTING,)), moments))) == []
