"""Results stream: as they come, a bounded number at a time, and nothing is left behind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from reconciler.observe.streaming import stream_results

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def nothing() -> None:
    """There is nothing to be stopped."""


def later(item: int, done: Callable[[int], None]) -> None:
    """The result comes in another turn of the loop."""
    asyncio.get_running_loop().call_soon(done, item * 2)


def test_every_item_has_its_result() -> None:
    found = dict(stream_results(range(1000), later, 7, nothing))
    assert found == {item: item * 2 for item in range(1000)}


def test_no_items_no_results() -> None:
    assert list(stream_results((), later, 7, nothing)) == []


def test_results_that_are_known_at_once_do_not_pile_up_on_the_stack() -> None:
    def at_once(item: int, done: Callable[[int], None]) -> None:
        done(item)

    assert sum(1 for _ in stream_results(range(5000), at_once, 3, nothing)) == 5000


def test_so_many_are_under_way_and_no_more_are_taken_than_results_are() -> None:
    taken: list[int] = []
    waiting: list[Callable[[int], None]] = []
    most = 0

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    def begin(item: int, done: Callable[[int], None]) -> None:
        nonlocal most
        waiting.append(done)
        most = max(most, len(waiting))
        asyncio.get_running_loop().call_soon(lambda: waiting.pop(0)(item))

    results = stream_results(items(), begin, 4, nothing)
    next(results)
    assert len(taken) <= 12, "under way, waiting to be taken, and those in their place"
    assert sum(1 for _ in results) == 99
    assert most == 4


def test_a_result_does_not_wait_for_the_slow_ones() -> None:
    def begin(item: int, done: Callable[[int], None]) -> None:
        asyncio.get_running_loop().call_later(0.0 if item == 0 else 60.0, done, item)

    results = stream_results(range(3), begin, 10, nothing)
    assert next(results) == (0, 0)
    results.close()


def test_an_error_of_ours_in_a_callback_is_the_callers_to_know() -> None:
    """Nobody would ever hear of that item; waiting on would have no end."""

    def broken(item: int, done: Callable[[int], None]) -> None:
        asyncio.get_running_loop().call_soon(lambda: done(1 // (item - 3)))

    with pytest.raises(ZeroDivisionError):
        list(stream_results(range(10), broken, 2, nothing))


def test_what_is_under_way_is_stopped_inside_the_loop_when_the_caller_ends_early() -> None:
    stopped: list[bool] = []

    def stop() -> None:
        stopped.append(asyncio.get_running_loop().is_running())

    results = stream_results(range(100), later, 5, stop)
    next(results)
    assert stopped == []
    results.close()
    assert stopped == [True]
    list(stream_results(range(3), later, 5, stop))
    assert stopped == [True, True]


def test_nothing_is_begun_while_everything_is_being_stopped() -> None:
    """Results may come in that very turn of the loop; whatever they made begin would be left behind."""
    begun: list[int] = []
    waiting: list[Callable[[], None]] = []

    def begin(item: int, done: Callable[[int], None]) -> None:
        begun.append(item)
        if item < 2:
            asyncio.get_running_loop().call_soon(done, item)
        else:
            waiting.append(lambda: done(item))

    def stop() -> None:
        for come in waiting:
            come()

    results = stream_results(range(100), begin, 4, stop)
    next(results)
    count = len(begun)
    results.close()
    assert len(begun) == count


def test_twice_as_many_are_under_way_or_wait_to_be_taken_and_no_more() -> None:
    """All results come in the next turn, and the caller has taken one of them."""
    taken: list[int] = []

    def begin(item: int, done: Callable[[int], None]) -> None:
        taken.append(item)
        asyncio.get_running_loop().call_soon(done, item)

    results = stream_results(range(100), begin, 4, nothing)
    next(results)
    results.close()
    assert len(taken) == 8


def test_an_error_while_everything_is_stopped_is_the_callers_to_know_too() -> None:
    def stop() -> None:
        asyncio.get_running_loop().call_soon(lambda: 1 // 0)

    results = stream_results(range(100), later, 5, stop)
    next(results)
    with pytest.raises(ZeroDivisionError):
        results.close()
    with pytest.raises(ZeroDivisionError):
        list(stream_results(range(100), later, 5, stop))
