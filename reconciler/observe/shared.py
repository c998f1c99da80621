"""Look-ups that many wait for: each distinct one happens once, and whoever asks meanwhile or later gets the same.

With callbacks for what there is thousands of, where a task and a future for each would cost more than the question;
with coroutines (`Once`) for the rest.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_KEPT = 4096  # many times as many as are under way; who asks for the same again does so soon


class Shared(Generic[_Key, _Value]):
    """Calls `look(key, then)` once for each key, however often it is asked for, and keeps what came.

    `look` calls `then` once, with its failures, too, at once or later. What is kept is bounded: of thousands of keys,
    those are forgotten that nobody has asked for while `kept` others came, and are looked up anew.
    """

    def __init__(self, look: Callable[[_Key, Callable[[_Value], None]], None], kept: int = _KEPT) -> None:
        """Prepare; nothing is looked up yet."""
        self._look = look
        self._kept = kept
        self._waiting: dict[_Key, list[Callable[[_Value], None]]] = {}
        self._known: dict[_Key, _Value] = {}
        self._older: dict[_Key, _Value] = {}  # forgotten when as many have come again

    def __call__(self, key: _Key, then: Callable[[_Value], None]) -> None:
        """Calls `then` with the result for `key`, at once where it is known."""
        known = self._known
        if key in known:
            then(known[key])
        elif key in self._waiting:
            self._waiting[key].append(then)
        elif key in self._older:
            value = self._older.pop(key)
            self._keep(key, value)
            then(value)
        else:
            self._look(key, self.begin(key, then))

    def is_new(self, key: _Key) -> bool:
        """Whether nobody has asked for `key` yet, or it is forgotten: it would be looked up."""
        return not (key in self._known or key in self._waiting or key in self._older)

    def begin(self, key: _Key, then: Callable[[_Value], None]) -> Callable[[_Value], None]:
        """Whom to tell what came of a look-up of a new key that the caller makes; `then` and all who ask hear of it."""
        self._waiting[key] = [then]
        return partial(self._has_come, key)

    def _has_come(self, key: _Key, value: _Value) -> None:
        self._keep(key, value)
        for then in self._waiting.pop(key):
            then(value)

    def _keep(self, key: _Key, value: _Value) -> None:
        if len(self._known) >= self._kept:
            self._older, self._known = self._known, {}
        self._known[key] = value


class Together(Generic[_Value]):
    """Calls `then` once, with all of so many results in their order, when the last one has come."""

    def __init__(self, count: int, then: Callable[[Sequence[_Value]], None]) -> None:
        """Wait for `count` results, at least one."""
        self._results: dict[int, _Value] = {}
        self._count = count
        self._then = then

    def at(self, place: int) -> Callable[[_Value], None]:
        """Who is to be called with the result at one place."""
        return partial(self._has_come, place)

    def _has_come(self, place: int, result: _Value) -> None:
        self._results[place] = result
        if len(self._results) == self._count:
            self._then([self._results[place] for place in range(self._count)])


class Once(Generic[_Key, _Value]):
    """Runs a coroutine function once for each key."""

    def __init__(self, function: Callable[[_Key], Awaitable[_Value]]) -> None:
        """Wrap a function that returns its failures instead of raising them."""
        self._function = function
        self._tasks: dict[_Key, asyncio.Future[_Value]] = {}  # under way; a result is a fraction of its task
        self._known: dict[_Key, _Value] = {}

    async def __call__(self, key: _Key) -> _Value:
        """The result for `key`."""
        if key in self._known:
            return self._known[key]
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.ensure_future(self._result(key))
        return await asyncio.shield(task)

    async def _result(self, key: _Key) -> _Value:
        value = self._known[key] = await self._function(key)
        del self._tasks[key]
        return value
