"""One question to one server, for whoever wants to wait for it: the engine with the settings' pace.

How fast each server is asked is a matter of politeness: see `politeness.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from reconciler.observe.asking import Address, DnsSettings, ExchangeError, Query, shown_address
from reconciler.observe.attempts import Pace
from reconciler.observe.engine import Engine
from reconciler.observe.politeness import allowance_of
from reconciler.observe.wire import EDNS_PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import dns.message

    from reconciler.observe.reply import Reply

__all__ = ["EDNS_PAYLOAD", "Address", "DnsSettings", "ExchangeError", "Exchanger", "Query", "shown_address"]


@dataclass(slots=True)
class Exchanger:
    """Asks servers, at most `in_flight` attempts at the same time."""

    settings: DnsSettings
    begin: Callable[[tuple[Address, ...], Query, Callable[[Reply | ExchangeError], None]], object] = field(init=False)
    """Asks as `reply` does, and calls the last argument later, once."""
    _engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        """Prepare the engine; nothing is asked yet."""
        settings = self.settings
        pace = Pace(
            timeout=settings.timeout,
            attempts=settings.attempts,
            in_flight=settings.in_flight,
            allowance=partial(allowance_of, settings=settings),
        )
        self._engine = Engine(pace)
        self.begin = self._engine.start

    def stop(self) -> None:
        """Gives up whatever is under way, without a word to who waits for it, and closes every socket."""
        self._engine.stop()

    async def reply(self, addresses: Sequence[Address], query: Query) -> Reply:
        """The reply of the server behind `addresses`, which take turns: NOERROR, NXDOMAIN or YXDOMAIN, not truncated.

        Every address gets at least one attempt. An address that cannot be reached at all does not use up an attempt
        while there is another one (no IPv6 here, as a rule).

        Raises:
            ExchangeError: no such reply; with the cause of the first failure and the details of all.

        """
        return await self._engine.ask(addresses, query)

    async def ask(self, addresses: Sequence[Address], query: Query) -> dns.message.Message:
        """The same as a message.

        Raises:
            ExchangeError: as `reply`.

        """
        return (await self.reply(addresses, query)).message
