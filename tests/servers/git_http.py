"""Git's own HTTP server (`git http-backend`) on loopback: with a token or without, pushed to or only read."""

from __future__ import annotations

import os
import subprocess
import threading
from base64 import b64encode
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USER = "x-access-token"


@dataclass
class GitServer:
    """Serves the bare repositories below a folder.

    Where there is a `token` every request has to have it. `redirect` is where all requests are sent. `authorizations`
    are the headers that came, all of each request.
    """

    root: Path
    token: str = ""
    may_push: bool = True
    redirect: str = ""
    authorizations: list[tuple[str, ...]] = field(default_factory=list)
    port: int = 0

    @property
    def origin(self) -> str:
        """Its URL, without a path."""
        return f"http://127.0.0.1:{self.port}"

    def url(self, name: str = "forge.git") -> str:
        """The URL of a repository."""
        return f"{self.origin}/{name}"

    def refusal(self, path: str, authorizations: tuple[str, ...]) -> int:
        """The status by which a request is refused; 0 where it is not."""
        expected = b64encode(f"{USER}:{self.token}".encode()).decode()
        if self.token and len(authorizations) > 1:
            return 400  # as GitHub does
        if self.token and authorizations != (f"Basic {expected}",):
            return 401
        return 403 if "git-receive-pack" in path and not self.may_push else 0


class _Handler(BaseHTTPRequestHandler):
    """One request: refused, sent elsewhere, or given to git."""

    served: GitServer

    def log_message(self, *_: object) -> None:  # nothing on the test's stderr
        return

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self._body()
        authorizations = tuple(self.headers.get_all("Authorization") or ())
        self.served.authorizations.append(authorizations)
        if self.served.redirect:
            self.send_response(301)
            self.send_header("Location", f"{self.served.redirect}{self.path}")
            self.end_headers()
            return
        status = self.served.refusal(self.path, authorizations)
        if status:
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._run_git(body)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _run_git(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.served.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": "http.receivepack",
            "GIT_CONFIG_VALUE_0": "true",
            "GIT_CONFIG_KEY_1": "safe.directory",
            "GIT_CONFIG_VALUE_1": "*",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "REQUEST_METHOD": self.command,
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=environment, check=False)
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        headers = [line.decode().partition(": ") for line in head.split(b"\r\n") if line]
        statuses = [int(value.split()[0]) for name, _, value in headers if name == "Status"]
        self.send_response(statuses[0] if statuses else 200)
        for name, _, value in headers:
            if name != "Status":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest)


class _Server(ThreadingHTTPServer):
    """A client that was killed is no error."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        return


@contextmanager
def run_git_server(root: Path, token: str = "") -> Iterator[GitServer]:
    """A server on a free port until the end of the block."""
    served = GitServer(root, token)
    handler = type("Handler", (_Handler,), {"served": served})
    with _Server(("127.0.0.1", 0), handler) as server:
        served.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
