"""Web endpoints on loopback that take messages, and others that refuse, are slow, or answer without end."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 20.0
_DRIP_SECONDS = 40
_ENDLESS_MEGABYTES = 4000
_MEGABYTE = b"x" * 1_000_000


@dataclass
class Web:
    """A running server: what was sent to each of its paths, and what it is to do at each."""

    port: int
    bodies: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    manners: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    ended: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "ok", schema: str = "json", user: str = "") -> str:
        """An Apprise URL of one of its paths."""
        return f"{schema}://{user}127.0.0.1:{self.port}/{path}"

    def titles(self, path: str = "ok") -> list[str]:
        """The titles of what was sent to one of its paths."""
        return [body["title"] for at, body in self.bodies if at == f"/{path}"]

    def await_bodies(self, number: int) -> None:
        """Wait until so many messages have come."""
        deadline = time.monotonic() + PATIENCE
        while len(self.bodies) < number and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(self.bodies) >= number, self.bodies


def answering(status: int, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """It answers with a status."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()

    return answer


def silent(web: Web) -> Callable[[BaseHTTPRequestHandler], None]:
    """It takes everything and answers nothing, until the server ends."""

    def wait(_: BaseHTTPRequestHandler) -> None:
        web.ended.wait(PATIENCE)

    return wait


def dripping(web: Web) -> Callable[[BaseHTTPRequestHandler], None]:
    """It answers an octet a second."""

    def drip(handler: BaseHTTPRequestHandler) -> None:
        answering(200)(handler)
        for _ in range(_DRIP_SECONDS):
            handler.wfile.write(b"x")
            if web.ended.wait(1):
                return

    return drip


def endless(handler: BaseHTTPRequestHandler) -> None:
    """It answers as fast as it can, with more than anybody has room for."""
    answering(200)(handler)
    for _ in range(_ENDLESS_MEGABYTES):
        handler.wfile.write(_MEGABYTE)


@contextmanager
def run_web() -> Iterator[Web]:
    """A server on a free port, until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Keep what was sent, and answer as this path does."""
            octets = self.rfile.read(int(self.headers["Content-Length"]))
            web.bodies.append((self.path, json.loads(octets)))
            with suppress(OSError):  # whoever asked went away
                web.manners.get(self.path.removeprefix("/"), answering(200))(self)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    web = Web(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield web
    finally:
        web.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
