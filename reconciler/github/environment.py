"""What the runner says in the environment: where GitHub is, what this run is about, and the token.

https://docs.github.com/actions/reference/workflows-and-actions/variables
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.github.errors import GithubError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_API = "https://api.github.com"
_MAX_EVENT_OCTETS = 32 * 1024 * 1024
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LOOPBACK = r"http://(?:127\.0\.0\.1|localhost|\[::1\])"
# a token goes to TLS alone, or nowhere beyond this machine
_API = re.compile(rf"(?:https://[A-Za-z0-9.-]+|{_LOOPBACK})(?::\d+)?(?:/[A-Za-z0-9._/-]*)?")
_FORMS = {
    "GITHUB_REPOSITORY": (re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+"), "OWNER/NAME"),
    "GITHUB_SERVER_URL": (re.compile(r"https?://[A-Za-z0-9.\[\]:-]+"), "as https://github.com"),
    "GITHUB_RUN_ID": (re.compile(r"\d+", re.ASCII), "a number"),
    "GITHUB_SHA": (_COMMIT, "a commit"),
    "GITHUB_API_URL": (_API, f"as {DEFAULT_API}"),
    "GITHUB_GRAPHQL_URL": (_API, f"as {DEFAULT_API}/graphql"),
}
_ALWAYS = (
    "GITHUB_REPOSITORY",
    "GITHUB_EVENT_PATH",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_RUN_ID",
    "GITHUB_SERVER_URL",
    "GITHUB_SHA",
)


@dataclass(frozen=True, slots=True)
class PullEvent:
    """The pull request that a run is about; `is_fork`: its head is in another repository."""

    number: int
    head_sha: str
    is_fork: bool


@dataclass(frozen=True, slots=True)
class Environment:
    """What the runner says. `sha` is the commit that the run is for; `pull` None where it is about no pull request."""

    token: str = field(repr=False)
    repository: str
    api_url: str
    graphql_url: str
    server_url: str
    run_id: int
    sha: str
    summary: Path
    pull: PullEvent | None

    @property
    def run_url(self) -> str:
        """The page of this run, where its artifacts are."""
        return f"{self.server_url}/{self.repository}/actions/runs/{self.run_id}"


def read_environment(environment: Mapping[str, str], *, needs_token: bool = True) -> Environment:
    """What the runner says, checked.

    Raises:
        GithubError: what is missing or malformed, all of it at once.

    """
    given = {name: value for name, value in environment.items() if name.startswith("GITHUB_") and value}
    needed = (*_ALWAYS, "GITHUB_TOKEN") if needs_token else _ALWAYS
    missing = [name for name in needed if name not in given]
    wrong = [
        f"{name} (it must be {form})"
        for name, (pattern, form) in _FORMS.items()
        if name in given and not pattern.fullmatch(given[name])
    ]
    if missing or wrong:
        raise _unusable(missing, wrong)
    api = given.get("GITHUB_API_URL", DEFAULT_API).rstrip("/")
    return Environment(
        token=given.get("GITHUB_TOKEN", ""),
        repository=given["GITHUB_REPOSITORY"],
        api_url=api,
        # an Enterprise Server has its REST API below /api/v3 and GraphQL beside it
        graphql_url=given.get("GITHUB_GRAPHQL_URL", f"{api.removesuffix('/v3')}/graphql").rstrip("/"),
        server_url=given["GITHUB_SERVER_URL"],
        run_id=int(given["GITHUB_RUN_ID"]),
        sha=given["GITHUB_SHA"],
        summary=Path(given["GITHUB_STEP_SUMMARY"]),
        pull=_pull(_event(Path(given["GITHUB_EVENT_PATH"])), given["GITHUB_REPOSITORY"]),
    )


def _unusable(missing: list[str], wrong: list[str]) -> GithubError:
    parts = [f"{' and '.join(missing)} not set"] * bool(missing) + [f"{', '.join(wrong)} malformed"] * bool(wrong)
    detail = "GitHub's runner sets all of them but the token; give that with `GITHUB_TOKEN: ${{ github.token }}`."
    return GithubError(f"in the environment: {'; '.join(parts)}", detail, code="github-environment")


def _event(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            octets = file.read(_MAX_EVENT_OCTETS + 1)
        event = json.loads(octets) if len(octets) <= _MAX_EVENT_OCTETS else None
    except (OSError, ValueError, RecursionError) as exc:
        raise _no_event(path) from exc
    if not isinstance(event, dict):
        raise _no_event(path)
    return event


def _no_event(path: Path) -> GithubError:
    detail = "GITHUB_EVENT_PATH names the file that GitHub's runner writes: run this in a workflow."
    return GithubError(f"{path}: the event cannot be read", detail, code="github-environment")


def _pull(event: Mapping[str, Any], repository: str) -> PullEvent | None:
    pull = event.get("pull_request")
    if not isinstance(pull, dict):
        return None
    head = pull.get("head")
    head = head if isinstance(head, dict) else {}
    number, sha, source = pull.get("number"), head.get("sha"), head.get("repo")
    if not isinstance(number, int) or not isinstance(sha, str) or not _COMMIT.fullmatch(sha):
        detail = "Run this for an event `pull_request` of GitHub, or name the pull request with --pull-request."
        raise GithubError("the event's pull request has no number or no commit", detail, code="github-environment")
    # the repository of a fork that was deleted is null
    is_same = isinstance(source, dict) and str(source.get("full_name", "")).lower() == repository.lower()
    return PullEvent(number, sha, is_fork=not is_same)
