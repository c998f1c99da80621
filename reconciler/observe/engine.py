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
from typing import TYPE_CHECKING

from reconciler.observe.asking import Address, ExchangeError, Query
from reconciler.observe.attempts import Attempts, Pace
from reconciler.observe.inquiry import Inquiry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.observe.ports import Answered
    from reconciler.observe.reply import Reply


@dataclass(slots=True)
class Engine:
    """Asks; may be used in one event loop after the other, never in two at a time."""

    pace: Pace
    _attempts: Attempts = field(init=False)
    _open: int = 0  # inquiries that are not over

    def __post_init__(self) -> None:
        """Prepare; no socket is opened yet."""
        self._attempts = Attempts(self.pace, self._answered, self._failed)

    async def ask(self, addresses: Sequence[Address], query: Query) -> Reply:
        """The reply of the server behind `addresses`, which take turns: NOERROR, NXDOMAIN or YXDOMAIN, whole.

        Every address gets at least one attempt. An address that cannot be reached at all does not use up an attempt
        while there is another one (no IPv6 here, as a rule).

        Raises:
            ExchangeError: no such reply; with the cause of the first failure and the details of all.

        """
        future: asyncio.Future[Reply | ExchangeError] = asyncio.get_running_loop().create_future()

        def wake(result: Reply | ExchangeError) -> None:
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

    def start(
        self, addresses: tuple[Address, ...], query: Query, done: Callable[[Reply | ExchangeError], None]
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

    def _cancel(self, inquiry: Inquiry) -> None:
        if not inquiry.is_over:
            inquiry.is_over = True
            self._attempts.withdraw(inquiry)
            self._has_ended(1)

    def _answered(self, answered: Answered) -> None:
        for inquiry, _ in answered:
            inquiry.is_over = True
        self._has_ended(len(answered))
        for inquiry, reply in answered:
            inquiry.done(reply)

    def _failed(self, inquiry: Inquiry, failure: ExchangeError) -> None:
        """An attempt has come to nothing: another one follows, elsewhere, later, or none."""
        delay = inquiry.next_delay(failure, self.pace.timeout)
        if delay is None:
            inquiry.is_over = True
            self._has_ended(1)
            inquiry.done(inquiry.combined_failure())
        elif delay:
            self._attempts.begin_later(inquiry, delay)
        else:
            self._attempts.begin(inquiry)

    def _has_ended(self, inquiries: int) -> None:
        self._open -= inquiries
        if not self._open:
            # whoever was waiting may go on asking at once; only then is it known that nobody does
            asyncio.get_running_loop().call_soon(self._rest)

    def _rest(self) -> None:
        if not self._open:
            self._attempts.rest()
