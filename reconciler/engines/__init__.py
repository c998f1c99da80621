"""Engines: where the shards of one run are worked on, on this machine or on others.

An engine is given orders and what is to be done with each, and gives back the octets of each result as it comes, in no
order that means anything. Both have to be importable and picklable, because the work is done in another process. A
worker that is killed loses nothing: what it had not finished is done again. An error of one order ends the whole run.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

T = TypeVar("T")


class Engine(Protocol):
    """Where orders are worked on."""

    @property
    def shards(self) -> int:
        """How many orders to make of one run, so that everybody has work: at least 1."""
        ...

    def run_each(self, orders: Sequence[T], work: Callable[[T], bytes]) -> Generator[bytes, None, None]:
        """The result of each order, as it comes; whoever wants no more of them closes the generator.

        Raises:
            EngineError: a worker was lost with an order again and again, or there are no workers.
            Exception: what `work` raised for any order, as it raised it; nothing more is worked on then.

        """
        ...


@contextmanager
def open_engine(address: str | None, jobs: int, prepare: Callable[[], None]) -> Iterator[Engine]:
    """The scheduler at an address (see `scheduler_address`), or, without one, `jobs` processes of this machine.

    With an address `jobs` is how many shards are made; 1 leaves that to the engine. `prepare` is called once in every
    process that is started here, before it works.

    Raises:
        EngineError: what the scheduler needs is not installed, it does not answer, or its workers do not fit.

    """
    if address is None:
        from reconciler.engines.processes import ProcessEngine  # noqa: PLC0415 - who has one does not need the other

        yield ProcessEngine(jobs, prepare)
        return
    from reconciler.engines.scheduler import connected  # noqa: PLC0415 - an extra, and slow to import

    with connected(address, jobs) as engine:
        yield engine
