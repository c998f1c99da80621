"""More addresses than a process may have files open, and more than are worth remembering."""

from __future__ import annotations

import asyncio
import gc
import resource
import socket
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler.observe.asking import ExchangeError, Query
from reconciler.observe.attempts import Pace
from reconciler.observe.engine import Engine
from reconciler.observe.peer import Peer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration

WORD = Query("word.example.", "TXT")
REFUSED = "could not be asked: Connection refused"


@contextmanager
def at_most_open(files: int) -> Iterator[None]:
    """As many files as the process may have open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def told_of(count: int, in_flight: int) -> Counter[str]:
    """What is told of so many loopback addresses where nobody listens, which the kernel says at once."""
    told: Counter[str] = Counter()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        engine = Engine(Pace(timeout=20.0, attempts=1, in_flight=in_flight))

        async def ask(number: int) -> None:
            address = f"127.1.{number // 250}.{1 + number % 250}"
            with pytest.raises(ExchangeError) as caught:
                await engine.ask(((address, port),), WORD)
            told[caught.value.detail.removeprefix(f"{address}:{port} ")] += 1

        for first in range(0, count, in_flight):
            await asyncio.gather(*map(ask, range(first, min(count, first + in_flight))))
    return told


def test_addresses_wait_for_a_socket_and_leave_files_to_others() -> None:
    """Our own limit is no observation of a server; and whoever else needs a file meanwhile has one."""
    most = 0

    async def run() -> Counter[str]:
        nonlocal most
        asking = asyncio.ensure_future(told_of(1000, in_flight=1000))
        while not asking.done():
            most = max(most, open_files())
            await asyncio.sleep(0.005)
        return await asking

    before = open_files()
    with at_most_open(before + 200):
        assert asyncio.run(run()) == {REFUSED: 1000}
        assert most < before + 200 - 20


def test_whoever_has_taken_all_other_files_does_not_make_a_server_unknown() -> None:
    async def run() -> Counter[str]:
        kept: list[int] = []
        with at_most_open(300), socket.socket() as some:
            try:
                while len(kept) < 300:  # until ten are left: for the loop, the test, and a few addresses at a time
                    kept.append(some.dup().detach())
            except OSError:
                for _ in range(10):
                    socket.close(kept.pop())
            try:
                return await told_of(100, in_flight=100)
            finally:
                for number in kept:
                    socket.close(number)

    assert asyncio.run(run()) == {REFUSED: 100}


def test_addresses_of_which_nothing_would_be_missed_are_forgotten() -> None:
    async def run() -> int:
        assert await told_of(6000, in_flight=200) == {REFUSED: 6000}
        return sum(isinstance(each, Peer) for each in gc.get_objects())

    gc.collect()
    before = sum(isinstance(each, Peer) for each in gc.get_objects())
    assert asyncio.run(run()) - before < 4500
