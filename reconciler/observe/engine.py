"""Many questions to many servers at once: one event loop, callbacks, packed queries over shared sockets.

A question goes to one address after the other until a reply counts. An attempt waits for a place (`in_flight` over all,
a window and a token bucket for each address), is sent with a random id from one of up to 32 random ports and in random
case, and ends by an answer, an error of the network, or a tick that finds its time over. A datagram that does not
match in id, port, source and question to the letter is not an answer, and waiting goes on. Truncation leads to TCP,
and so does a server that answers in another case than it was asked in.

Sockets are open while something is under way, and closed when nothing is.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from reconciler.observe.asking import Address, ExchangeError, Query
from reconciler.observe.attempts import Attempts, Pace
from reconciler.observe.inquiry import Inquiry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from reconciler.observe.reply import Reply


class Ask(NamedTuple):
    """A question to the server behind `addresses`, which take turns."""

    addresses: tuple[Address, ...]
    query: Query


class Answered(NamedTuple):
    """A question and what came of it."""

    ask: Ask
    result: Reply | ExchangeError


@dataclass(slots=True)
class Engine:
    """Asks; may be used in one event loop after the other, never in two at a time."""

    pace: Pace
    _attempts: Attempts = field(init=False)
    _open: int = 0  # inquiries that are not over

    def __post_init__(self) -> None:
        """Prepare; no socket is opened yet."""
        self._attempts = Attempts(self.pace, self._ended)

    async def ask(self, addresses: Sequence[Address], query: Query) -> Reply:
        """The reply of the server behind `addresses`, which take turns: NOERROR, NXDOMAIN or YXDOMAIN, whole.

        Every address gets at least one attempt. An address that cannot be reached at all does not use up an attempt
        while there is another one (no IPv6 here, as a rule).

        Raises:
            ExchangeError: no such reply; with the cause of the first failure and the details of all.

        """
        future: asyncio.Future[Reply | ExchangeError] = asyncio.get_running_loop().create_future()

        def wake(_: Inquiry, result: Reply | ExchangeError) -> None:
            if not future.done():
                future.set_result(result)

        inquiry = self.start(tuple(addresses), query, wake)
        try:
            result = await future
        finally:
            self._cancel(inquiry)
        if isinstance(result, ExchangeError):
            raise result
        return result

    async def replies(self, asks: Iterable[Ask]) -> AsyncIterator[list[Answered]]:
        """What comes of every question, in any order and in batches as they come.

        New questions are taken from `asks` only as results are taken from here: memory holds a few windows.
        """
        finished: list[Answered] = []
        running: dict[Inquiry, Ask] = {}
        is_there = asyncio.Event()

        def finish(inquiry: Inquiry, result: Reply | ExchangeError) -> None:
            finished.append(Answered(running.pop(inquiry), result))
            is_there.set()

        waiting = iter(asks)
        try:
            while True:
                for ask in islice(waiting, max(2 * self.pace.in_flight - len(running), 0)):
                    running[self.start(ask.addresses, ask.query, finish)] = ask
                if not running and not finished:
                    return
                await is_there.wait()
                is_there.clear()
                batch, finished[:] = finished[:], ()
                yield batch
        finally:
            self._cancel(*running)

    def start(
        self, addresses: tuple[Address, ...], query: Query, done: Callable[[Inquiry, Reply | ExchangeError], None]
    ) -> Inquiry:
        """Asks as `ask` does; `done` is called later, once, with what `ask` would return or raise."""
        inquiry = Inquiry(addresses, query, self.pace.attempts, done)
        self._open += 1
        self._attempts.begin(inquiry)
        return inquiry

    def stop(self) -> None:
        """Gives up whatever is under way, without a word to who waits for it, and closes every socket."""
        self._attempts.stop()
        self._open = 0

    def _cancel(self, *inquiries: Inquiry) -> None:
        cancelled = [inquiry for inquiry in inquiries if not inquiry.is_over]
        for inquiry in cancelled:
            inquiry.is_over = True  # all of them first: none of them takes the place that another one leaves
        for inquiry in cancelled:
            self._attempts.withdraw(inquiry)
            self._one_less()

    def _ended(self, inquiry: Inquiry, result: Reply | ExchangeError) -> None:
        """An attempt has ended: with the reply, or with another attempt, elsewhere, later, or none."""
        if isinstance(result, ExchangeError):
            delay = inquiry.next_delay(result, self.pace.timeout)
            if delay is not None:
                if delay:
                    asyncio.get_running_loop().call_later(delay, self._attempts.begin, inquiry)
                else:
                    self._attempts.begin(inquiry)
                return
            result = inquiry.combined_failure()
        inquiry.is_over = True
        self._one_less()
        inquiry.done(inquiry, result)

    def _one_less(self) -> None:
        self._open -= 1
        if not self._open:
            # whoever was waiting may go on asking at once; only then is it known that nobody does
            asyncio.get_running_loop().call_soon(self._rest)

    def _rest(self) -> None:
        if not self._open:
            self._attempts.rest()
