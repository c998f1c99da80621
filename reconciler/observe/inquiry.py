"""A question on its way from one attempt to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.observe.asking import Address, ExchangeError, Query, UnexpectedRcodeError
from reconciler.observe.wire import RD, encoded_kind, encoded_name, query_frame
from reconciler.state import Cause

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from reconciler.observe.peer import Port
    from reconciler.observe.reply import Reply

_USUAL_FRAME = query_frame(0, use_edns=True)
_PAUSE = 0.1  # seconds before asking again a server that failed at once; times the number of failures


class Inquiry:
    """A question on its way through the attempts; `done` is called once, with the reply or the failure."""

    __slots__ = (
        *("_spare", "_turn", "address", "addresses", "deadline", "done", "failures", "frame", "has_other_case"),
        *("identity", "is_over", "kind", "left", "name", "packet", "port", "query", "rdtype", "sent", "task"),
        "use_edns",
    )
    # of the attempt under way: its id, its question and the whole query as they were sent, and when the time is up
    identity: bytes
    sent: bytes
    packet: bytes
    deadline: float
    # set with the first failure
    _turn: int
    _spare: int

    def __init__(
        self,
        addresses: tuple[Address, ...],
        query: Query,
        attempts: int,
        done: Callable[[Reply | ExchangeError], None],
    ) -> None:
        """Prepare; nothing is sent yet."""
        self.addresses = addresses
        self.query = query
        self.done = done
        self.name = encoded_name(query.name)
        self.kind, self.rdtype = encoded_kind(query.type)
        self.address = addresses[0]  # whose turn it is
        self.left = attempts
        self.use_edns = True
        self.frame = query_frame(self.flags, use_edns=True) if query.recurse or query.flags else _USUAL_FRAME
        self.failures: list[ExchangeError] | None = None
        self.is_over = False
        self.has_other_case = False
        self.port: Port | None = None
        self.task: asyncio.Task[Reply] | None = None

    @property
    def question(self) -> bytes:
        """Its question section, in lower case."""
        return self.name[0] + self.kind

    @property
    def flags(self) -> int:
        """The flags in the header of its queries."""
        return self.query.flags | RD if self.query.recurse else self.query.flags

    def pack(self, identity: bytes, name: bytes) -> bytes:
        """The query of an attempt, which begins: with this id, and the name in this case."""
        head, tail = self.frame
        self.identity = identity
        self.sent = sent = name + self.kind
        self.packet = packet = identity + head + sent + tail
        return packet

    def next_delay(self, failure: ExchangeError, timeout: float) -> float | None:
        """Takes note of a failed attempt: the next address has its turn after so many seconds; None: enough.

        An address that cannot be reached at all does not use up an attempt while there is another one.
        """
        if self.failures is None:
            self.failures = []
            self.left = max(self.left, len(self.addresses))
            self._spare = len(self.addresses) - 1
            self._turn = 0
        self.failures.append(failure)
        self.has_other_case = False
        self._turn += 1
        self.address = self.addresses[self._turn % len(self.addresses)]
        if isinstance(failure, UnexpectedRcodeError):
            self.use_edns = False
            self.frame = query_frame(self.flags, use_edns=False)
        if failure.cause is Cause.NETWORK and self._spare > 0:
            self._spare -= 1
            return 0.0
        self.left -= 1
        if not self.left:
            return None
        return 0.0 if failure.cause is Cause.TIMEOUT else min(_PAUSE * len(self.failures), timeout)

    def combined_failure(self) -> ExchangeError:
        """The cause of the first failure and the details of all."""
        failures = self.failures or []
        details = dict.fromkeys(failure.detail for failure in failures)
        return ExchangeError(failures[0].cause, "; ".join(details))
