"""Places at addresses: how many hosts are probed at once, at one address and over all, and how soon after each other.

Many hosts may share one address (shared hosting, one provider's policy hosts): to whoever answers there they are one
visitor. An address that let two visits in a row run into their time-out is not waited for again in the same run: a
thousand hosts behind it would take hours.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

_Found = TypeVar("_Found")

MAX_ADDRESSES = 4  # of one host; more would only make the wait for a dead one longer

_SILENT_VISITS = 2  # the first may be bad luck


class Visitor(Protocol[_Found]):
    """Looks at one host, address by address."""

    async def visit(self, address: str, seconds: float) -> _Found:
        """What the address shows within `seconds`."""
        ...

    def skip(self, address: str) -> _Found:
        """What is found at an address that is not visited, because it was silent to others."""
        ...

    def is_enough(self, found: _Found) -> bool:
        """Whether the other addresses need not be visited."""
        ...

    def is_silence(self, found: _Found) -> bool:
        """Whether the time ran out, and would have for any other host there."""
        ...


@dataclass(slots=True)
class _Place:
    """What is known of one address."""

    visits: asyncio.Semaphore
    door: asyncio.Lock = field(default_factory=asyncio.Lock)
    next_beginning: float = 0.0
    silent_visits: int = 0


@dataclass(slots=True)
class Places:
    """Places for visits: `per_address` at one address, begun `spacing` seconds apart, and the `slots` over all."""

    slots: asyncio.Semaphore
    per_address: int
    spacing: float
    _places: dict[str, _Place] = field(init=False)

    def __post_init__(self) -> None:
        """Prepare; nobody is visited yet."""
        self._places = defaultdict(lambda: _Place(asyncio.Semaphore(self.per_address)))

    async def in_turn(self, addresses: Sequence[str], seconds: float, visitor: Visitor[_Found]) -> list[_Found]:
        """What each address of a host shows, until one is enough; the time of all visits together is `seconds`.

        Waiting for a place takes none of that time.
        """
        loop = asyncio.get_running_loop()
        found: list[_Found] = []
        left = seconds
        for address, share in shares(addresses):
            async with self._place(address) as place:
                if place.silent_visits >= _SILENT_VISITS:
                    found.append(visitor.skip(address))
                    continue
                begun = loop.time()
                found.append(await visitor.visit(address, left * share))
                left = max(0.0, left - (loop.time() - begun))
                place.silent_visits = place.silent_visits + 1 if visitor.is_silence(found[-1]) else 0
            if visitor.is_enough(found[-1]):
                break
        return found

    @asynccontextmanager
    async def _place(self, address: str) -> AsyncIterator[_Place]:
        """A place at an address; those who wait for it keep nobody from visiting elsewhere."""
        place = self._places[address]
        async with place.visits:
            async with place.door:
                await self._open(place)
            try:
                yield place
            finally:
                self.slots.release()

    async def _open(self, place: _Place) -> None:
        """Waits until a visit may begin, and takes a slot for it."""
        loop = asyncio.get_running_loop()
        if place.silent_visits < _SILENT_VISITS:
            await asyncio.sleep(place.next_beginning - loop.time())
        await self.slots.acquire()
        place.next_beginning = loop.time() + self.spacing


def shares(addresses: Sequence[str]) -> Iterator[tuple[str, float]]:
    """The addresses of a host that are tried, each with its share of the time that is left then."""
    tried = addresses[:MAX_ADDRESSES]
    for done, address in enumerate(tried):
        yield address, 1 / (len(tried) - done)
