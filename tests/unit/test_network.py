"""What conftest.py promises, seen from inside."""

from __future__ import annotations

import asyncio
import socket

import pytest


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_no_socket_is_made(family: socket.AddressFamily, kind: socket.SocketKind) -> None:
    with pytest.raises(UserWarning, match=r"tried to use socket\.socket"):
        socket.socket(family, kind)


def test_no_name_is_looked_up() -> None:
    with pytest.raises(UserWarning, match="getaddrinfo"):
        socket.getaddrinfo("localhost", 53)


def test_asyncio_works() -> None:
    async def woken() -> str:
        return await asyncio.to_thread(lambda: "woken")

    assert asyncio.run(woken()) == "woken"
