"""A stand-in for the REST and GraphQL API of GitHub on loopback: it keeps state, records calls, and fails on demand.

    with github_api() as api:
        number = api.state.open_pull(head_sha="a" * 40)
        run(["reconciler", "github", "publish", "plan.json"], env=os.environ | api.environment(tmp_path, number))
        [comment] = api.state.comments_of(number)
        assert api.told("POST", "/comments")
        api.fail("GET", "/comments", status=403, headers={"retry-after": "1"}, times=2)    # a secondary rate limit
        api.fail("POST", "/comments", status=502, is_done=True)     # the effect is there, the answer is lost
        api.state.merge(number, "b" * 40)
        api.state.add_run("a" * 40, {"plan": {"plan.json": octets}})

`environment` writes the event file of a `pull_request` run (or an empty one) and an empty summary, and gives the
runner's variables. `api.state` (`github_state.GithubState`) is what the repository has: arrange it and look at it
directly; `state.writable = frozenset()` is the token of a fork. The storage of artifacts is a server of its own, as
it is at GitHub; `api.storage_headers` tells what it was sent. Who else may be ahead: `state.is_ancestor`.
"""

from __future__ import annotations

import json
import re
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from servers.github_routes import answer
from servers.github_state import GithubState, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "ghs_stand-in-token"  # noqa: S105 - of the stand-in alone
RUN_ID = 4711


@dataclass(frozen=True)
class Call:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    document: Any
    status: int


@dataclass
class Failure:
    """How the next requests that fit fail: `times` of them, with the effect where `is_done`, after `delay` seconds.

    With `status` 0 the connection ends without an answer.
    """

    method: str
    path: str
    status: int
    headers: dict[str, str]
    body: bytes
    times: int
    is_done: bool
    delay: float


@dataclass
class GithubApi:
    """The running stand-in."""

    url: str
    storage: str
    state: GithubState
    calls: list[Call] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    storage_headers: list[dict[str, str]] = field(default_factory=list)

    def fail(  # noqa: PLR0913 - what a failure has
        self,
        method: str,
        path: str,
        *,
        status: int = 500,
        headers: dict[str, str] | None = None,
        body: bytes = b'{"message": "Server Error"}',
        times: int = 1,
        is_done: bool = False,
        delay: float = 0,
    ) -> None:
        """Let the next requests of a method (`*`: any) whose path fits the pattern `path` fail."""
        self.failures.append(Failure(method, path, status, headers or {}, body, times, is_done, delay))

    def told(self, method: str, path: str = "") -> list[Call]:
        """The requests of a method whose path fits the pattern, in their order."""
        return [c for c in self.calls if c.method == method and re.search(path, c.path)]

    @property
    def writes(self) -> list[Call]:
        """The requests that change something; GraphQL's queries are none."""
        changing = [c for c in self.calls if c.method != "GET"]
        return [c for c in changing if c.path != "/graphql" or "mutation" in c.document["query"]]

    def environment(self, folder: Path, pull: int | None = None, sha: str = "0" * 40) -> dict[str, str]:
        """The runner's variables, and the files that they name, in `folder`."""
        event, summary = folder / "event.json", folder / "summary.md"
        event.write_text(json.dumps(self.state.event(pull) if pull else {}), encoding="utf-8")
        summary.touch()
        return {
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_REPOSITORY": self.state.repository,
            "GITHUB_API_URL": self.url,
            "GITHUB_GRAPHQL_URL": f"{self.url}/graphql",
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_EVENT_NAME": "pull_request" if pull else "push",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_RUN_ID": str(RUN_ID),
            "GITHUB_SHA": sha,
        }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    api: GithubApi


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        with suppress(OSError):  # whoever asked did not wait
            self.send_response(status)
            for name, value in {"content-type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)


class _Rest(_Handler):
    lock = threading.Lock()

    def do_GET(self) -> None:
        """Any method."""
        api, url = self.server.api, urlsplit(self.path)
        octets = self.rfile.read(int(self.headers.get("content-length") or 0))
        document = json.loads(octets) if octets else {}
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        with self.lock:
            failure = self._failure(url.path)
            status, body, headers = self._answered(url.path, query, document, failure)
            api.calls.append(Call(self.command, url.path, query, document, status))
        if failure is not None:
            time.sleep(failure.delay)
            if not failure.status:
                self.close_connection = True
                return
        self._send(status, body, headers)

    do_POST = do_PATCH = do_DELETE = do_PUT = do_GET  # noqa: N815 - the base class's way

    def _authorize(self) -> None:
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            raise RefusedError(401, "Bad credentials")

    def _failure(self, path: str) -> Failure | None:
        for failure in self.server.api.failures:
            if failure.times and failure.method in {"*", self.command} and re.search(failure.path, path):
                failure.times -= 1
                return failure
        return None

    def _answered(
        self,
        path: str,
        query: dict[str, str],
        document: dict[str, Any],
        failure: Failure | None,
    ) -> tuple[int, bytes, dict[str, str]]:
        api = self.server.api
        if failure is not None and not failure.is_done:
            return failure.status, failure.body, failure.headers
        try:
            self._authorize()
            status, found, headers = answer(api.state, api.url, api.storage, self.command, path, query, document)
        except RefusedError as exc:
            status, found, headers = exc.status, exc.document, {}
        if failure is not None:
            return failure.status, failure.body, failure.headers
        return status, b"" if found is None else json.dumps(found).encode(), headers


class _Storage(_Handler):
    def do_GET(self) -> None:
        """An artifact; whoever has the address has it."""
        api = self.server.api
        api.storage_headers.append({name.lower(): value for name, value in self.headers.items()})
        archive = api.state.archives[int(self.path.rpartition("/")[2])]
        self._send(200, archive, {"content-type": "application/zip"})


@contextmanager
def github_api(state: GithubState | None = None) -> Iterator[GithubApi]:
    """The stand-in, until the end of the block."""
    with _Server(("127.0.0.1", 0), _Rest) as rest, _Server(("127.0.0.1", 0), _Storage) as storage:
        url, store = (f"http://127.0.0.1:{server.server_address[1]}" for server in (rest, storage))
        rest.api = storage.api = GithubApi(url, store, state or GithubState())
        threads = [threading.Thread(target=server.serve_forever, args=(0.02,)) for server in (rest, storage)]
        for thread in threads:
            thread.start()
        try:
            yield rest.api
        finally:
            for server in (rest, storage):
                server.shutdown()
            for thread in threads:
                thread.join()
