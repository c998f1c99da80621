"""Many things under way at the same time, and their results as they come, in an event loop that the caller drives."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_PATIENCE = 0.02  # seconds that a result waits for others: handing them over has its price


def stream_results(
    items: Iterable[_Item],
    begin: Callable[[_Item, Callable[[_Result], None]], object],
    at_once: int,
    stop: Callable[[], None],
) -> Generator[tuple[_Item, _Result], None, None]:
    """Each item with its result, as they come.

    `begin(item, done)` has `done` called once, at once or later. At most `at_once` are under way at the same time, and
    twice as many under way or waiting to be taken. The event loop runs in the caller's thread and only while the caller
    waits. When the iteration ends, early too, `stop` is called inside the loop and has to leave nothing behind.
    """
    with asyncio.Runner() as runner:
        stream = _Stream(iter(items), begin, at_once)
        loop = runner.get_loop()
        try:
            while batch := stream.batch(loop):
                yield from batch
        finally:
            stream.end()
            runner.run(_stopped(stop))
            # what stopping brought to light; behind an error of the iteration, as its context
            stream.raise_error()


async def _stopped(stop: Callable[[], None]) -> None:
    stop()


class _Stream(Generic[_Item, _Result]):
    """What is under way and what has come of it."""

    def __init__(
        self, items: Iterator[_Item], begin: Callable[[_Item, Callable[[_Result], None]], object], at_once: int
    ) -> None:
        self._items = items
        self._begin = begin
        self._at_once = at_once
        self._running = 0
        self._results: list[tuple[_Item, _Result]] = []
        self._next_turn: asyncio.Handle | None = None
        self._patience: asyncio.Handle | None = None
        self._error: Exception | None = None
        self._is_enough: asyncio.Future[None] | None = None

    def end(self) -> None:
        """Begins nothing more, even where results come while everything is being stopped."""
        self._items = iter(())

    def batch(self, loop: asyncio.AbstractEventLoop) -> list[tuple[_Item, _Result]]:
        """Waits for results and takes all that are there; none when all have been taken."""
        loop.set_exception_handler(self._has_failed)
        self._is_enough = loop.create_future()
        self._next_turn = loop.call_soon(self._turn)
        loop.run_until_complete(self._is_enough)
        for handle in (self._patience, self._next_turn):
            if handle is not None:
                handle.cancel()
        self._patience = self._next_turn = None
        self.raise_error()
        batch, self._results = self._results, []
        return batch

    def raise_error(self) -> None:
        """Raises what a callback has raised, once."""
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _turn(self) -> None:
        """Starts others in place of those that are done: once in a turn of the loop, for all that came in it."""
        self._next_turn = None
        room = self._at_once - self._running
        for item in islice(self._items, min(room, room + self._at_once - len(self._results))):
            self._running += 1
            self._begin(item, partial(self._has_come, item))
        # before the others have to wait for room: what is under way goes on while the caller has the results in hand
        if 2 * len(self._results) >= self._at_once or not self._running:
            self._wake()
        elif self._results and self._patience is None:
            self._patience = asyncio.get_running_loop().call_later(_PATIENCE, self._wake)

    def _has_come(self, item: _Item, result: _Result) -> None:
        self._running -= 1
        self._results.append((item, result))
        if self._next_turn is None:
            self._next_turn = asyncio.get_running_loop().call_soon(self._turn)

    def _wake(self) -> None:
        if self._is_enough is not None and not self._is_enough.done():
            self._is_enough.set_result(None)

    def _has_failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A callback has raised: that is a bug, and the caller's to know; nobody else waits for what it would do."""
        error = context.get("exception")
        if isinstance(error, Exception):
            self._error = self._error or error
            self._wake()
        else:
            loop.default_exception_handler(context)
