"""Which states of a plan with very many moves are looked at."""

from __future__ import annotations

from mailflow_builders import EU, NEW, NOTHING, OLD, OTHER, TOKEN, fate, proved, switch, world

from reconciler.mailflow import Move, OriginList, SetList, SetMx, SetTokens


def test_of_very_many_open_moves_each_alone_each_failure_and_each_prefix_is_looked_at() -> None:
    many = [Move(f"allow-{i}", "expand", SetList(f"list-{i}", added=EU), is_open=True) for i in range(9)]
    lists = [OriginList(f"list-{i}", NOTHING) for i in range(9)]
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
