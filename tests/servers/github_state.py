"""What the stand-in for GitHub knows: pull requests, issues, comments, labels, runs and artifacts of one repository.

Shapes, limits and refusals are those of https://docs.github.com/rest as far as our program meets them.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_BODY = 65_536
MAX_TITLE = 256
ACTIONS_BOT = "github-actions[bot]"
ALL_PERMISSIONS = frozenset({"actions", "contents", "issues", "pull-requests"})

Json = dict[str, Any]


class RefusedError(Exception):
    """An answer that is an error, with its status."""

    def __init__(self, status: int, message: str, errors: list[Json] | None = None) -> None:
        """As GitHub words it."""
        super().__init__(message)
        self.status = status
        self.document: Json = {"message": message, "documentation_url": "https://docs.github.com/rest"}
        if errors is not None:
            self.document["errors"] = errors


def _linear(commits: list[str]) -> Callable[[str, str], bool]:
    def is_ancestor(older: str, newer: str) -> bool:
        return older == newer or (
            older in commits and newer in commits and commits.index(older) <= commits.index(newer)
        )

    return is_ancestor


def zipped(members: dict[str, bytes]) -> bytes:
    """A zip file, as `upload-artifact` makes it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, octets in members.items():
            archive.writestr(name, octets)
    return file.getvalue()


@dataclass
class GithubState:
    """One repository. `writable` are the permissions that the token may write with (all may be read).

    `commits` is the default branch, oldest first; `is_ancestor` may be replaced, as by one that asks git.
    """

    repository: str = "acme/mail"
    default_branch: str = "main"
    login: str = ACTIONS_BOT
    writable: frozenset[str] = ALL_PERMISSIONS
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    commits: list[str] = field(default_factory=list)
    pulls: dict[int, Json] = field(default_factory=dict)
    issues: dict[int, Json] = field(default_factory=dict)
    comments: dict[int, Json] = field(default_factory=dict)
    labels: dict[str, Json] = field(default_factory=dict)
    runs: list[Json] = field(default_factory=list)
    artifacts: dict[int, Json] = field(default_factory=dict)
    archives: dict[int, bytes] = field(default_factory=dict)
    minimized: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Numbers as GitHub gives them: one series for pull requests and issues, others for the rest."""
        self._numbers, self._ids = count(1), count(1001)
        self.is_ancestor = _linear(self.commits)

    def now(self) -> str:
        """The time as GitHub writes it."""
        return self.clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def need(self, *permissions: str) -> None:
        """Refuse a token that may write with none of these permissions."""
        if not self.writable & set(permissions):
            raise RefusedError(403, "Resource not accessible by integration")

    def user(self, login: str | None = None) -> Json:
        """An account; ours where none is named."""
        name = login or self.login
        return {"login": name, "type": "Bot" if name.endswith("[bot]") else "User"}

    # what tests arrange

    def open_pull(self, head_sha: str, *, fork: str | None = None, base: str | None = None) -> int:
        """A new pull request; `fork` is the repository that its head is in, where that is another one."""
        number, now = next(self._numbers), self.now()
        self.pulls[number] = {
            "number": number, "state": "open", "merged_at": None, "merge_commit_sha": None, "updated_at": now,
            "user": self.user("octocat"),
            "base": {"ref": base or self.default_branch, "repo": {"full_name": self.repository}},
            "head": {"sha": head_sha, "ref": "change", "repo": {"full_name": fork or self.repository}},
        }  # fmt: skip
        return number

    def push(self, number: int, head_sha: str) -> None:
        """Another commit in a pull request."""
        self.pulls[number]["head"]["sha"] = head_sha
        self.pulls[number]["updated_at"] = self.now()

    def merge(self, number: int, commit: str) -> None:
        """Merge a pull request: `commit` is the newest of the default branch."""
        self.commits.append(commit)
        now = self.now()
        self.pulls[number] |= {"state": "closed", "merged_at": now, "merge_commit_sha": commit, "updated_at": now}

    def event(self, number: int) -> Json:
        """What the event file of a `pull_request` run says."""
        repository = {"full_name": self.repository, "default_branch": self.default_branch}
        return {"action": "synchronize", "number": number, "pull_request": self.pulls[number], "repository": repository}

    def add_run(self, head_sha: str, artifacts: dict[str, dict[str, bytes]] | None = None, **changes: Any) -> Json:  # noqa: ANN401
        """A run of `plan.yml` that succeeded, with artifacts: name, then file name and octets."""
        run = {
            "id": next(self._ids), "head_sha": head_sha, "event": "pull_request", "status": "completed",
            "conclusion": "success", "path": ".github/workflows/plan.yml", "run_number": len(self.runs) + 1,
            "created_at": self.now(), "head_repository": {"full_name": self.repository}, **changes,
        }  # fmt: skip
        self.runs.append(run)
        for name, members in (artifacts or {}).items():
            self.add_artifact(run["id"], name, zipped(members))
        return run

    def add_artifact(self, run: int, name: str, archive: bytes, **changes: Any) -> Json:  # noqa: ANN401
        """An artifact of a run: the octets of a zip file, whatever they are."""
        number = next(self._ids)
        self.archives[number] = archive
        self.artifacts[number] = {
            "id": number, "name": name, "size_in_bytes": len(archive), "expired": False, "created_at": self.now(),
            "digest": f"sha256:{sha256(archive).hexdigest()}", "workflow_run": {"id": run}, **changes,
        }  # fmt: skip
        return self.artifacts[number]

    def add_comment(self, number: int, body: str, login: str | None = None) -> Json:
        """A comment, as anybody makes it."""
        if not body.strip() or len(body) > MAX_BODY:
            raise RefusedError(422, "Validation Failed", [{"message": f"body is too long (maximum is {MAX_BODY})"}])
        if number not in self.pulls and number not in self.issues:
            raise RefusedError(404, "Not Found")
        made = next(self._ids)
        now = self.now()
        self.comments[made] = {
            "id": made, "node_id": f"IC_{made}", "issue": number, "body": body, "user": self.user(login),
            "created_at": now, "updated_at": now,
        }  # fmt: skip
        return self.comments[made]

    def add_issue(self, document: Json, login: str | None = None) -> Json:
        """An issue, as anybody opens it."""
        self._check_issue(document)
        number, now = next(self._numbers), self.now()
        self.issues[number] = {
            "number": number, "node_id": f"I_{number}", "title": document["title"], "body": document.get("body", ""),
            "state": "open", "state_reason": None, "user": self.user(login), "created_at": now, "updated_at": now,
            "closed_at": None, "labels": [{"name": name} for name in document.get("labels", [])],
        }  # fmt: skip
        for name in document.get("labels", []):
            self.labels.setdefault(name, {"name": name, "color": "ededed", "description": None})
        return self.issues[number]

    def edit_issue(self, number: int, document: Json) -> Json:
        """What a PATCH says."""
        self._check_issue({"title": "", **document})
        issue = self.issues[number]
        if "state" in document and document["state"] != issue["state"]:
            issue["closed_at"] = self.now() if document["state"] == "closed" else None
        if "labels" in document:
            issue["labels"] = [{"name": name} for name in document["labels"]]
        kept = {k: v for k, v in document.items() if k in {"title", "body", "state", "state_reason"}}
        issue |= {**kept, "updated_at": self.now()}
        return issue

    def _check_issue(self, document: Json) -> None:
        if len(document.get("body") or "") > MAX_BODY or len(document.get("title", "")) > MAX_TITLE:
            raise RefusedError(422, "Validation Failed", [{"message": f"body is too long (maximum is {MAX_BODY})"}])

    # what tests look at

    def comments_of(self, number: int) -> list[Json]:
        """The comments of a pull request or an issue, the oldest first."""
        return [c for c in self.comments.values() if c["issue"] == number]

    def is_minimized(self, comment: Json) -> bool:
        """Whether a comment is hidden."""
        return comment["node_id"] in self.minimized
