"""One question over TCP, after truncation (RFC 7766): a connection of its own."""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from typing import TYPE_CHECKING

from reconciler.observe.asking import Address, ExchangeError, family, shown_address, unreachable
from reconciler.observe.reply import Reply, is_answer_but_for_case, read_reply
from reconciler.observe.wire import TC, folded_case
from reconciler.state import Cause

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.observe.inquiry import Inquiry


def begin_over_tcp(inquiry: Inquiry, then: Callable[[Inquiry, Reply | ExchangeError], None]) -> None:
    """Asks again what an attempt asked, as its `task`; `then` is called with what came, unless that is cancelled."""
    asking = _asked_over_tcp(inquiry.address, inquiry.packet, inquiry.sent)
    inquiry.task = asyncio.get_running_loop().create_task(asking)
    inquiry.task.add_done_callback(partial(_has_come, inquiry, then))


def _has_come(
    inquiry: Inquiry, then: Callable[[Inquiry, Reply | ExchangeError], None], task: asyncio.Task[Reply]
) -> None:
    if task.cancelled():
        return
    error = task.exception()
    if inquiry.task is not task:
        return
    inquiry.task = None
    if error is None:
        then(inquiry, task.result())
    elif isinstance(error, ExchangeError):
        then(inquiry, error)
    elif isinstance(error, OSError):
        then(inquiry, unreachable(inquiry.address, error))
    else:
        raise error


async def _asked_over_tcp(address: Address, query: bytes, sent: bytes) -> Reply:
    """The whole answer to a packed query whose question section is `sent`; the caller bounds the time.

    Raises:
        ExchangeError: what came is no whole answer.
        OSError: the network.

    """
    loop = asyncio.get_running_loop()
    with socket.socket(family(address[0]), socket.SOCK_STREAM) as sock:
        sock.settimeout(0)
        await loop.sock_connect(sock, address)
        await loop.sock_sendall(sock, len(query).to_bytes(2, "big") + query)
        length = int.from_bytes(await _received(sock, 2), "big")
        wire = await _received(sock, length)
    # the connection is what a forger has to guess here: a server that folds the case of names is heard
    if wire[:2] != query[:2] or not is_answer_but_for_case(wire, sent) or (wire[2] << 8) & TC:
        detail = f"{shown_address(address)} answered over TCP with something that is no whole answer to the question"
        raise ExchangeError(Cause.MALFORMED, detail)
    return read_reply(address, wire, folded_case(sent))


async def _received(sock: socket.socket, octets: int) -> bytes:
    loop = asyncio.get_running_loop()
    received = bytearray()
    while len(received) < octets:
        part = await loop.sock_recv(sock, octets - len(received))
        if not part:
            raise ConnectionResetError("the connection was closed before the whole answer had come")
        received += part
    return bytes(received)
