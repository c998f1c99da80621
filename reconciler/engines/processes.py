"""`--jobs N`: every order in a process of its own on this machine.

A pool for each order, of one process: where the system kills one (out of memory, mostly) it is known whose order was
lost, the others go on, and that order alone is begun again, once. There are as many orders as processes and no more:
each has to read all manifests to know what shares a list, so that more of them would cost more than they balance.

The processes end with this one, however it ends. Each watches a pipe whose other end is open here alone: it is closed
after the last result, after an error and after Ctrl-C, and by the system when this process is killed.
"""

from __future__ import annotations

import os
import signal
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import wait as wait_for_connections
from threading import Thread
from typing import TYPE_CHECKING, Generic, TypeVar

from reconciler.engines.errors import engine_error

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from concurrent.futures import Future
    from multiprocessing.connection import Connection

    from reconciler.engines.errors import EngineError

T = TypeVar("T")

_TRIES = 2
# not forked: a copy of a process with threads and open databases is a process that may hang
_CONTEXT = get_context("spawn")


class ProcessEngine:
    """An engine of `jobs` processes."""

    def __init__(self, jobs: int, prepare: Callable[[], None]) -> None:
        """With what is called once in each process, before it works; it has to be importable."""
        self._jobs, self._prepare = jobs, prepare

    @property
    def shards(self) -> int:
        """One for each process."""
        return self._jobs

    def run_each(self, orders: Sequence[T], work: Callable[[T], bytes]) -> Generator[bytes, None, None]:
        """See `Engine.run_each`; all orders are worked on at once."""
        crew = _Crew(work, self._prepare)
        try:
            waiting = {crew.begin(order): (index, 1) for index, order in enumerate(orders)}
            while waiting:
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    index, tries = waiting.pop(future)
                    if not isinstance(future.exception(), BrokenProcessPool):
                        yield future.result()
                    elif tries < _TRIES:
                        waiting[crew.begin(orders[index])] = index, tries + 1
                    else:
                        raise _lost(index, len(orders)) from future.exception()
        finally:
            crew.end()


class _Crew(Generic[T]):
    """The processes of one run."""

    def __init__(self, work: Callable[[T], bytes], prepare: Callable[[], None]) -> None:
        self._work, self._prepare = work, prepare
        self._watched, self._held = _CONTEXT.Pipe(duplex=False)
        self._pools: list[ProcessPoolExecutor] = []

    def begin(self, order: T) -> Future[bytes]:
        """Start a process for one order."""
        pool = ProcessPoolExecutor(1, _CONTEXT, _begin, (self._watched, self._prepare))
        self._pools.append(pool)
        with _interrupts_held():
            return pool.submit(self._work, order)

    def end(self) -> None:
        """End every process, at work or not, and wait until none is left."""
        self._held.close()
        for pool in self._pools:
            pool.shutdown(cancel_futures=True)
        self._watched.close()


def _begin(watched: Connection, prepare: Callable[[], None]) -> None:
    Thread(target=_end_with, args=(watched,), daemon=True).start()
    prepare()


def _end_with(watched: Connection) -> None:
    wait_for_connections([watched])  # nothing is ever sent: it is ready when the other end is closed
    os._exit(1)  # at once, whatever the work is in; its results are wanted no more, or were all taken


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """What is started meanwhile never sees Ctrl-C, which the terminal sends to all: it is ended from here."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _lost(index: int, count: int) -> EngineError:
    detail = (
        "Nothing was written. Most often the system ends a process that takes too much memory: use fewer --jobs, or "
        "make one shard after another with `--shard`, here or on other machines, and merge them."
    )
    summary = f"the process of shard {index + 1} of {count} ended before its result, {_TRIES} times"
    return engine_error("worker-lost", summary, detail)
