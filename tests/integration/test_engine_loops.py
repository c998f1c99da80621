"""An engine in one event loop after the other: nothing of the first one is left in the next."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest
from servers.engine_lab import run_answering, to_client

from reconciler.observe.asking import ExchangeError, Query
from reconciler.observe.attempts import Pace
from reconciler.observe.engine import Engine
from reconciler.state import Cause

if TYPE_CHECKING:
    from reconciler.observe.asking import Address

pytestmark = pytest.mark.integration

WORD = Query("word.example.", "TXT")


async def given_up(engine: Engine, address: Address, before: float, *, is_stopped: bool) -> None:
    """Gives a question up after so many seconds, and lets the loop go on."""
    asking = asyncio.ensure_future(engine.ask((address,), WORD))
    await asyncio.sleep(before)
    if is_stopped:
        engine.stop()
    asking.cancel()
    await asyncio.sleep(0.3)


@pytest.mark.parametrize("is_stopped", [False, True])
@pytest.mark.parametrize("before", [pytest.param(0.0, id="not sent yet"), pytest.param(0.05, id="in a pause, or sent")])
def test_time_runs_out_in_the_next_loop_too(before: float, is_stopped: bool) -> None:  # noqa: FBT001 - by name
    """Whatever became of what was asked in the loop before."""

    def failed(query: bytes, _answer: bytes) -> list[bytes]:
        return [query[:2] + b"\x80\x02" + bytes(8)]

    with run_answering(to_client(failed)) as failing, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead:
        dead.bind(("127.0.0.1", 0))
        for address in (failing.endpoint, dead.getsockname()):
            engine = Engine(Pace(timeout=0.2, attempts=2))
            asyncio.run(given_up(engine, address, before, is_stopped=is_stopped))
            for _ in range(2):
                with pytest.raises(ExchangeError) as caught:
                    asyncio.run(asyncio.wait_for(engine.ask((dead.getsockname(),), WORD), 10))
                assert caught.value.cause is Cause.TIMEOUT
