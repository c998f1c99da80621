"""GitHub's REST and GraphQL API, as far as it is about one repository."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from reconciler.escape import terminal_text
from reconciler.github.errors import GithubError
from reconciler.github.transport import Request, open_transport, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.github.environment import Environment
    from reconciler.github.transport import Transport

Json = dict[str, Any]

_MOST_PAGES = 100


class Api:
    """The API. Every method raises `GithubError` where GitHub refuses or cannot be reached."""

    def __init__(self, environment: Environment, transport: Transport) -> None:
        """For the repository of the environment."""
        self._base = f"{environment.api_url}/repos/{environment.repository}"
        self._graphql_url = environment.graphql_url
        self._transport = transport
        self._login = ""

    @property
    def login(self) -> str:
        """Whose token it is, as in `github-actions[bot]`; only GraphQL tells that to every kind of token."""
        if not self._login:
            viewer = self.graphql("query { viewer { login } }", {}).get("viewer")
            self._login = str(viewer.get("login", "")) if isinstance(viewer, dict) else ""
        if not self._login:
            detail = "Give the job's own token: `GITHUB_TOKEN: ${{ github.token }}`."
            raise GithubError("GitHub does not say whose token this is", detail)
        return self._login

    def is_own(self, document: Json) -> bool:
        """Whether a comment or an issue is by the account of our token: a marker in it can be copied by anybody.

        An app's name in GraphQL may lack the "[bot]" that it has in REST; nobody's login but an app's has brackets.
        """
        user = document.get("user") or {}
        login = user.get("login")
        if user.get("type") == "Bot":
            return login in {self.login, f"{self.login}[bot]"}
        return bool(login == self.login)

    def get(self, path: str, **query: str) -> Any:  # noqa: ANN401 - JSON
        """What there is at a path below the repository; the error of what is not there has `status` 404."""
        return self._transport.send(Request("GET", f"{self._base}{path}", query)).parsed()

    def pages(self, path: str, **query: str) -> Iterator[Json]:
        """Every item of a list, page by page."""
        request = Request("GET", f"{self._base}{path}", {"per_page": "100", **query})
        for _ in range(_MOST_PAGES):
            answer = self._transport.send(request)
            found = answer.parsed()
            if not isinstance(found, list):
                summary = f"{request.name}: GitHub's answer is no list"
                raise GithubError(summary, "Look at GITHUB_API_URL.")
            yield from (item for item in found if isinstance(item, dict))
            if not answer.following:
                return
            request = Request("GET", answer.following)
        summary = f"{request.name} has more than {_MOST_PAGES} pages"
        raise GithubError(summary, "Close or delete there what is old.")

    def change(self, method: str, path: str, document: Json | None = None) -> None:
        """Set or delete something: twice is the same as once."""
        self._transport.send(Request(method, f"{self._base}{path}", document=document))

    def make(self, path: str, document: Json) -> Json:
        """Make something that would be there twice if it were made twice.

        Raises:
            UnansweredError: it may be there by now.

        """
        made = self._transport.send(Request("POST", f"{self._base}{path}", document=document, is_once=True)).parsed()
        return made if isinstance(made, dict) else {}

    def graphql(self, query: str, variables: Json) -> Json:
        """The data that a query gives, or a mutation that may be made twice."""
        request = Request("POST", self._graphql_url, document={"query": query, "variables": variables})
        found = self._transport.send(request).parsed()
        found = found if isinstance(found, dict) else {}
        data, errors = found.get("data"), found.get("errors")
        if errors or not isinstance(data, dict):
            listed = errors if isinstance(errors, list) else []
            said = terminal_text("; ".join(str(e.get("message")) for e in listed if isinstance(e, dict)))
            summary = f"{request.name}: GitHub answers {said or 'without data'}"
            raise refused(summary, said, 200)
        return data

    def download(self, path: str, limit: int) -> bytes:
        """A file of at most `limit` octets, which GitHub keeps elsewhere."""
        return self._transport.fetch(Request("GET", f"{self._base}{path}", limit=limit))


@contextmanager
def open_api(environment: Environment) -> Iterator[Api]:
    """The API for one run."""
    with open_transport(environment.api_url, environment.token) as transport:
        yield Api(environment, transport)
