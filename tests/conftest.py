"""No test reaches beyond this machine; unit, property and golden tests reach no network at all.

pytest-socket refuses sockets and connections. Datagrams need no connection, so an audit hook looks at them.
"""

from __future__ import annotations

import ipaddress
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest_socket

if TYPE_CHECKING:
    import pytest

TESTS = Path(__file__).parent
WITHOUT_NETWORK = {"unit", "property", "golden"}
LOOPBACK = ["127.0.0.0/8", "::1"]
_SENDING = {"socket.sendto", "socket.sendmsg"}


def pytest_configure() -> None:
    """Before everything: what a test interrupts must not have learnt from its parents to ignore that.

    A shell without job control starts what it has in the background so.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before each test; pytest-socket takes its restrictions away after it."""
    if item.path.relative_to(TESTS).parts[0] in WITHOUT_NETWORK:
        # asyncio wakes itself through a pair of unix sockets
        pytest_socket.disable_socket(allow_unix_socket=True)
    else:
        pytest_socket.socket_allow_hosts(LOOPBACK, allow_unix_socket=True)


def _refuse_datagrams_to_elsewhere(event: str, arguments: tuple[object, ...]) -> None:
    if event not in _SENDING:
        return
    address = arguments[1]
    if isinstance(address, tuple) and not ipaddress.ip_address(address[0]).is_loopback:
        message = f"a test tried to send a datagram to {address[0]}"
        raise RuntimeError(message)


sys.addaudithook(_refuse_datagrams_to_elsewhere)
