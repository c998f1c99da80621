"""Requests that are sent again, with bounded patience, until there is an answer; the token goes to one address alone.

A request that only reads, or that sets what is the same when it is set twice, is sent again when GitHub fails. One that
makes something is sent again only when it surely did not arrive or was refused for its rate:
https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx

from reconciler import __version__
from reconciler.escape import terminal_text
from reconciler.github.errors import GithubError, ReadOnlyTokenError, UnansweredError
from reconciler.github.waiting import Patience, is_rate_limit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_OCTETS = 64 * 1024 * 1024
"""Of an answer; an artifact has a limit of its own."""
LATER = "GitHub may be down, see https://www.githubstatus.com; run this step again later."
_MOST_REDIRECTS = 3
_SECONDS = 120.0  # for one answer, however slowly it comes
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_SAID = 300  # characters of GitHub's own message
# with these, nothing was sent
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_DETAILS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "Give the job's own token: `GITHUB_TOKEN: ${{ github.token }}`.",
    HTTPStatus.FORBIDDEN: "Look at the job's permissions, and at the token's rate limit.",
    HTTPStatus.NOT_FOUND: "Look at the name or number, and whether the job's permissions allow to read it.",
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `is_once`: done twice it is not the same as done once. `limit` is in octets of the answer."""

    method: str
    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    document: Any = None
    is_once: bool = False
    limit: int = MAX_OCTETS

    @property
    def name(self) -> str:
        """For messages; what is behind the path may be a secret of the storage."""
        return f"{self.method} {httpx.URL(self.url).path}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A success, or a redirect: then `target` is where to."""

    body: bytes
    target: str = ""
    following: str = ""

    def parsed(self) -> Any:  # noqa: ANN401 - JSON
        """The JSON data; None where there is none.

        Raises:
            GithubError: it is no JSON.

        """
        if not self.body:
            return None
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as exc:
            detail = "Something between this runner and GitHub may answer in its place: look at GITHUB_API_URL."
            raise GithubError("GitHub's answer is no JSON", detail) from exc


class Transport:
    """Sends requests with the token to the address `home`, and without it elsewhere."""

    def __init__(self, home: str, client: httpx.Client, storage: httpx.Client) -> None:
        """`client` carries the token; `storage` has none."""
        self._home = httpx.URL(home)
        self._client = client
        self._storage = storage
        self._patience = Patience()

    def send(self, request: Request) -> Answer:
        """The answer at the API; redirects there are followed, and none that leads elsewhere.

        Raises:
            UnansweredError: for a request that `is_once`: it may have been done.
            GithubError: refused, or no answer for as long as there is patience.

        """
        answer = self._patient(self._client, request)
        for _ in range(_MOST_REDIRECTS):
            if not answer.target:
                return answer
            if not self._is_home(answer.target) or request.method != "GET":
                break
            request = replace(request, url=answer.target, query={})
            answer = self._patient(self._client, request)
        summary = f"{request.name} leads to another address"
        raise _strange(summary, "Was the repository moved? See GITHUB_REPOSITORY.")

    def fetch(self, request: Request) -> bytes:
        """What the API says is kept elsewhere: there the token does not go.

        Raises:
            GithubError: it cannot be had, or is larger than the limit.

        """
        answer = self._patient(self._client, request)
        for _ in range(_MOST_REDIRECTS):
            if not answer.target:
                return answer.body
            # as safe as the API's own address at the least
            if httpx.URL(answer.target).scheme not in {"https", self._home.scheme}:
                break
            answer = self._patient(self._storage, replace(request, url=answer.target, query={}))
        summary = f"{request.name} leads from address to address"
        raise _strange(summary, LATER)

    def _is_home(self, url: str) -> bool:
        target = httpx.URL(url)
        return (target.scheme, target.host, target.port) == (self._home.scheme, self._home.host, self._home.port)

    def _patient(self, client: httpx.Client, request: Request) -> Answer:
        self._patience.begin()
        while True:
            try:
                body, response = _asked(client, request)
            except httpx.HTTPError as exc:
                failure = _unreachable(exc, request)
                if isinstance(failure, UnansweredError) or not self._patience.has_waited():
                    raise failure from exc
                continue
            if response.is_success or response.has_redirect_location:
                return self._answer(request, body, response)
            refusal, is_broken = _refusal(request, body, response), response.is_server_error
            may_be_done = is_broken and request.is_once
            may_pass = is_broken or is_rate_limit(response, _said(body))
            if may_be_done or not may_pass or not self._patience.has_waited_for(response):
                raise refusal

    def _answer(self, request: Request, body: bytes, response: httpx.Response) -> Answer:
        try:
            location = response.headers["location"] if response.has_redirect_location else None
            target = str(response.url.join(location)) if location is not None else ""
            following = str(response.links.get("next", {}).get("url", ""))
            if following and not self._is_home(following):
                summary = f"{request.name}: its next page is at another address"
                raise _strange(summary, "Look at GITHUB_API_URL.")
        except httpx.InvalidURL as exc:
            summary = f"{request.name} leads to what is no address"
            raise _strange(summary, LATER) from exc
        return Answer(body, target, following)


def _asked(client: httpx.Client, request: Request) -> tuple[bytes, httpx.Response]:
    end = time.monotonic() + _SECONDS
    parameters = dict(request.query) or None
    with client.stream(request.method, request.url, params=parameters, json=request.document) as response:
        chunks, size = [], 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > request.limit:
                summary = f"{request.name}: the answer has more than {request.limit} octets"
                raise _strange(summary, LATER)
            if time.monotonic() > end:
                raise httpx.ReadTimeout("the answer comes too slowly", request=response.request)
            chunks.append(chunk)
        return b"".join(chunks), response


def _unreachable(exc: httpx.HTTPError, request: Request) -> GithubError:
    said = terminal_text(str(exc) or type(exc).__name__)[:_SAID]
    kind = UnansweredError if request.is_once and not isinstance(exc, _NOT_SENT) else GithubError
    return kind(f"{request.name}: no answer from GitHub: {said}", LATER)


def _refusal(request: Request, body: bytes, response: httpx.Response) -> GithubError:
    status, said = response.status_code, _said(body)
    summary = f"{request.name}: GitHub answers {status}{f': {said}' if said else ''}"
    if response.is_server_error and request.is_once:
        return UnansweredError(summary, LATER, status=status)
    return refused(summary, said, status)


def refused(summary: str, said: str, status: int) -> GithubError:
    """The error for what GitHub `said`; a token that may only read has one of its own."""
    if "not accessible by" in said:
        detail = "Grant the job `pull-requests: write` and, for drift, `issues: write`."
        return ReadOnlyTokenError(summary, detail, code="github-permission", status=status)
    return GithubError(summary, _DETAILS.get(status, LATER), status=status)


def _said(body: bytes) -> str:
    """GitHub's own words."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return terminal_text(str(found.get("message", "")))[:_SAID] if isinstance(found, dict) else ""


def _strange(summary: str, detail: str) -> GithubError:
    return GithubError(summary, detail)


@contextmanager
def open_transport(home: str, token: str) -> Iterator[Transport]:
    """The connections of one run."""
    headers = {"user-agent": f"mail-gateway-reconciler/{__version__}"}
    secret = {
        "authorization": f"Bearer {token}",
        "accept": "application/vnd.github+json",
        "x-github-api-version": "2022-11-28",
    }
    with (
        httpx.Client(headers=headers | secret, timeout=_TIMEOUT, follow_redirects=False) as client,
        httpx.Client(headers=headers, timeout=_TIMEOUT, follow_redirects=False) as storage,
    ):
        yield Transport(home, client, storage)
