"""The lives that a mail domain is meant to have, each in several worlds and kinds of weather."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from simulator.clock import DAY, HOUR
from simulator.declared import Declared
from simulator.life import Moment, Scenario
from simulator.world import ALLOWING, ATTESTED, HALF_READ, HOPS, OLD_HOSTS, REFUSING, RESTRICTING, Start

if TYPE_CHECKING:
    from collections.abc import Mapping

EU, EU_MULTI = Declared(), Declared(multi_region=True)
US = Declared(region="us")
GONE = Declared(leaving=1)
LONG = 38
"""Runs, 12 hours apart, in which a state is reached whatever the weather."""
SHORT = 9
"""Runs after which a state is half reached: the MX has moved and caches have run out; others are not kept out yet."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A declared state, and for how many runs it is left alone."""

    declared: Declared
    runs: int = LONG


LIVES: Mapping[str, tuple[Chapter, ...]] = {
    "new": (Chapter(EU),),
    "multi-region on": (Chapter(EU), Chapter(EU_MULTI)),
    "multi-region off": (Chapter(EU_MULTI), Chapter(EU)),
    "on again half-way through off": (Chapter(EU_MULTI), Chapter(EU, 2), Chapter(EU_MULTI)),
    "region move": (Chapter(EU), Chapter(US)),
    "region move to au": (Chapter(US), Chapter(Declared(region="au"))),
    "moved back half-way": (Chapter(EU), Chapter(US, SHORT), Chapter(EU)),
    "next-hop change": (Chapter(EU), Chapter(replace(EU, next_hops=HOPS[1:]))),
    "off-boarding": (Chapter(EU), Chapter(GONE)),
    "off-boarding before it was switched": (Chapter(EU, 1), Chapter(GONE)),
    "off-boarding half-way": (Chapter(EU, SHORT), Chapter(GONE)),
    "stays after all": (Chapter(EU), Chapter(GONE, 2), Chapter(EU)),
    "comes back": (Chapter(EU), Chapter(GONE), Chapter(EU)),
    "region move with a new TTL": (Chapter(EU), Chapter(replace(US, ttl=300))),
    "low TTL around a switch": (
        Chapter(replace(EU, switch_ttl=60, ttl=HOUR)),
        Chapter(replace(US, switch_ttl=60, ttl=HOUR)),
    ),
}

WORLDS: Mapping[str, Start] = {
    "own MX": Start(mx_ttl=DAY),
    "no MX": Start(old_mx=(), lists=(REFUSING,)),
    "hosted": Start(old_mx=tuple(f"10 {h}" for h in OLD_HOSTS), mx_ttl=2 * DAY, lists=(ALLOWING, REFUSING)),
    "people's zone": Start(is_manual=True, servers=1, has_foreign_token=False, lists=(ALLOWING,)),
    "attested": Start(lists=(ATTESTED,)),
    "refusing": Start(mx_ttl=DAY, lists=(REFUSING,)),
    "half read": Start(lists=(HALF_READ,)),
    "two domains": Start(domains=2, lists=(RESTRICTING,)),
}

WEATHERS: Mapping[str, tuple[Start, Moment]] = {
    # of the start only the gateway's patience is taken
    "calm": (Start(), Moment(hours=12)),
    "late": (Start(patience=3 * DAY), Moment(hours=12, diligence=1, seed=5)),
    "lagging": (Start(patience=DAY), Moment(hours=12, lag=30, seed=3)),
}


def build_scenario(life: str, world: str, weather: str) -> Scenario:
    """One life, by the names of its parts."""
    given, usual = WEATHERS[weather]
    start = replace(WORLDS[world], patience=given.patience)
    moments: list[Moment] = []
    for chapter in LIVES[life]:
        moments.append(replace(usual, declared=chapter.declared))
        if chapter.runs > 1:
            moments.append(replace(usual, runs=chapter.runs - 1))
    return Scenario(start, tuple(moments))
