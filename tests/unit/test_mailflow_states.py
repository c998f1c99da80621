"""Which states of a plan with very many moves are looked at."""

from __future__ import annotations

from dataclasses import replace

import pytest
from mailflow_builders import EU, NEW, NOTHING, OLD, OTHER, TOKEN, back, fate, proved, switch, world

from reconciler.mailflow import Move, OriginList, Restriction, SetList, SetMx, SetTokens


def test_of_very_many_open_moves_each_alone_each_failure_and_each_prefix_is_looked_at() -> None:
    many = [Move(f"allow-{i}", "expand", SetList(f"list-{i}", added=EU), is_open=True) for i in range(9)]
    # of lists that are alike some would stand for all
    lists = [OriginList(f"list-{i}", frozenset({f"203.0.113.{i}"})) for i in range(9)]
    assert proved(world(OLD, *lists), *many, switch(is_open=False)).is_ok
    proof = proved(world(OLD, *lists), *many, switch())
    assert proof.failure is not None
    assert proof.failure.step == "mx"
    # what is held comes after all of them
    assert "list-9" in fate(proved(world(OLD, *lists, OriginList("list-9", NOTHING)), *many, switch(is_open=False)))


def test_of_very_many_open_moves_one_that_two_others_need_may_fail() -> None:
    add = Move("verification", "expand", SetTokens(TOKEN, NOTHING), is_open=True)
    others = [Move(f"other-{i}", "expand", SetTokens(frozenset({f"{i}"}), NOTHING), is_open=True) for i in range(6)]
    first = Move("mx-1", "switch", SetMx(OLD, OTHER, 60), is_open=True)
    second = Move("mx-2", "switch", SetMx(OTHER, NEW, 60), is_open=True)
    proof = proved(world(OLD, tokens=NOTHING), add, *others, first, second)
    assert proof.failure is not None
    assert proof.failure.step == "mx-2"


MANY = 40
EXCUSED = Move("", "expand", SetList("", removed=EU), is_open=True, is_excused=True)


def listed(number: int, *, allowed: frozenset[str] = EU, restriction: Restriction = Restriction.NONE) -> OriginList:
    return OriginList(f"list-{number}", allowed, restriction)


def of_each(count: int, move: Move) -> list[Move]:
    effect = move.effect
    assert isinstance(effect, SetList)
    return [replace(move, id=f"step-{i}", effect=replace(effect, name=f"list-{i}")) for i in range(count)]


def alone(number: int, effect: SetList) -> Move:
    return Move(f"step-{number}", "expand", replace(effect, name=f"list-{number}"), is_open=True)


REFUSING, TAKING = SetList("", restriction=Restriction.HARD), SetList("", removed=EU)


@pytest.mark.parametrize(
    ("mx", "lists", "moves", "blamed"),
    [
        (OLD, [*map(listed, range(MANY)), listed(MANY, allowed=NOTHING)], [switch()], "mx"),
        (NEW, [*map(listed, range(MANY)), listed(MANY, restriction=Restriction.HARD)], [back()], "mx"),
        (OLD, [*map(listed, range(MANY))], [*of_each(MANY - 1, EXCUSED), alone(MANY - 1, REFUSING)], "step-39"),
        (NEW, [*map(listed, range(MANY))], [*of_each(MANY - 1, EXCUSED), alone(MANY - 1, TAKING)], "step-39"),
    ],
    ids=["allows nobody", "refused others", "refuses others", "nobody answers for it"],
)
def test_the_one_among_very_many_lists_that_is_another_is_looked_at(
    mx: object, lists: list[OriginList], moves: list[Move], blamed: str
) -> None:
    proof = proved(world(mx, *lists), *moves)
    assert proof.failure is not None
    assert proof.failure.step == blamed


def test_of_very_many_lists_that_are_alike_some_stand_for_all() -> None:
    """Two thousand, one after the other, would be four billion states."""
    added = of_each(2000, Move("", "expand", SetList("", added=EU), is_open=True))
    lists = [listed(i, allowed=NOTHING) for i in range(2000)]
    assert proved(world(OLD, *lists), *added, switch(is_open=False)).is_ok
    assert "list-0 does not allow" in fate(proved(world(OLD, *lists), *added, switch()))
