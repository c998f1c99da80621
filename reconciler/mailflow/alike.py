"""Lists of an origin that are alike count once for each thing that may have become of one of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.mailflow.model import SetList

if TYPE_CHECKING:
    from reconciler.mailflow.model import Move, OriginList, Scenario


def without_alike(scenario: Scenario) -> Scenario:
    """The same scenario with no more lists of one kind than tell everything apart, and with their moves alone.

    What becomes of mail depends on what lists say, not on how many say it. Lists are of one kind that say the same now
    and that the plan changes alike. Of n moves that change one of them some are done, so that a kind has at most 2**n
    different ones at a time, beside the one that the last move changes: of more, each state is a state of fewer, too.
    """
    changes = defaultdict[str, list[tuple["Move", SetList]]](list)
    for move in scenario.moves:
        if isinstance(move.effect, SetList):
            changes[move.effect.name].append((move, move.effect))
    counts = Counter[Hashable]()
    dropped = set[str]()
    for one in scenario.world.lists:
        kind = _kind(one, changes[one.name])
        counts[kind] += 1
        if counts[kind] > 2 ** len(changes[one.name]) + 1:
            dropped.add(one.name)
    if not dropped:
        return scenario
    return replace(
        scenario,
        world=replace(scenario.world, lists=tuple(one for one in scenario.world.lists if one.name not in dropped)),
        moves=tuple(m for m in scenario.moves if not isinstance(m.effect, SetList) or m.effect.name not in dropped),
    )


def _kind(one: OriginList, changes: list[tuple[Move, SetList]]) -> Hashable:
    """All of a list and of what changes it, but for names."""
    return one.allowed, one.restriction, tuple(replace(move, id="", effect=replace(e, name="")) for move, e in changes)
