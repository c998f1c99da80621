"""Look-ups that many wait for happen once, and each of them hears of it."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

from reconciler.observe.shared import Once, Shared, Together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def test_who_asks_meanwhile_and_later_gets_the_result_of_the_one_look_up() -> None:
    asked: list[tuple[str, Callable[[int], None]]] = []
    shared: Shared[str, int] = Shared(lambda key, then: asked.append((key, then)))
    heard: list[int] = []
    shared("a", heard.append)
    shared("a", heard.append)
    assert heard == []
    asked[0][1](7)
    assert heard == [7, 7]
    shared("a", heard.append)
    assert heard == [7, 7, 7]
    assert [key for key, _ in asked] == ["a"]


def test_a_look_up_may_end_at_once_and_each_key_has_its_own() -> None:
    shared: Shared[int, int] = Shared(lambda key, then: then(-key))
    heard: list[int] = []
    for key in (1, 2, 1):
        shared(key, heard.append)
    assert heard == [-1, -2, -1]


def test_who_hears_may_ask_again() -> None:
    """As the search for a zone does, from a name to its parent."""
    heard: list[int] = []
    waiting: list[Callable[[int], None]] = []
    shared: Shared[str, int] = Shared(lambda _key, then: waiting.append(then))
    shared("a", lambda _: shared("a", heard.append))
    waiting[0](3)
    assert heard == [3]


def test_of_thousands_of_results_those_are_kept_that_are_asked_for() -> None:
    """A mail domain's zone is asked for a few times in a row, its provider's name servers all the time."""
    asked: list[int] = []

    def look(key: int, then: Callable[[int], None]) -> None:
        asked.append(key)
        then(key)

    shared = Shared(look, kept=3)
    heard: list[int] = []
    for key in range(1, 20):
        for each in (0, key):
            shared(each, heard.append)
    assert heard == [each for key in range(1, 20) for each in (0, key)]
    assert asked == list(range(20)), "nobody is forgotten as long as fewer than three others come in between"
    shared(1, heard.append)
    assert asked == [*range(20), 1], "and nothing is kept for ever"


def test_a_look_up_that_somebody_else_makes_is_heard_of_by_all() -> None:
    asked: list[str] = []
    shared: Shared[str, int] = Shared(lambda key, _then: asked.append(key))
    heard: list[int] = []
    has_come = shared.begin("a", heard.append)
    shared("a", heard.append)
    assert not shared.is_new("a")
    has_come(7)
    shared("a", heard.append)
    assert heard == [7, 7, 7]
    assert asked == []


def test_a_key_is_new_until_somebody_asks_for_it_and_when_it_is_forgotten() -> None:
    shared: Shared[int, int] = Shared(lambda key, then: then(key), kept=3)
    new = []
    for key in range(1, 10):
        shared(key, lambda _: None)
        new.append([each for each in range(1, key + 2) if shared.is_new(each)])
    assert new[:4] == [[2], [3], [4], [5]]
    assert new[-1] == [1, 2, 3, 10], "the six that were asked for last are known"


def test_results_come_together_in_their_order() -> None:
    heard: list[Sequence[str]] = []
    together: Together[str] = Together(3, heard.append)
    for place in (2, 0, 1):
        assert heard == []
        together.at(place)("abc"[place])
    assert heard == [["a", "b", "c"]]


def test_a_coroutine_runs_once() -> None:
    runs: list[int] = []

    async def look(key: int) -> int:
        runs.append(key)
        await asyncio.sleep(0)
        return key * 2

    async def ask() -> list[int]:
        once = Once(look)
        return [*await asyncio.gather(once(4), once(4)), await once(4)]

    assert asyncio.run(ask()) == [8, 8, 8]
    assert runs == [4]


def test_of_a_hundred_hosts_the_results_are_kept_and_not_what_ran() -> None:
    async def look(key: int) -> int:
        return key

    async def ask() -> tuple[list[int], int]:
        once = Once(look)
        found = await asyncio.gather(*map(once, range(100)))
        await asyncio.sleep(0)
        gc.collect()
        return [*found, await once(99)], sum(isinstance(each, asyncio.Task) for each in gc.get_objects())

    found, running = asyncio.run(ask())
    assert found == [*range(100), 99]
    assert running < 10
