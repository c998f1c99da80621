"""The plans that were reviewed in merged pull requests and are still to be applied.

A plan is the artifact of the newest successful run of the plan workflow for exactly the commit that was merged, from
this repository: what a fork's run wrote is never applied.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from reconciler.document import read_document
from reconciler.errors import ReconcilerError, Severity
from reconciler.files import write_atomically
from reconciler.github.apply_comment import is_refusal_told
from reconciler.github.artifact import MAX_ARCHIVE, ArtifactError, only_member
from reconciler.github.client import open_api
from reconciler.github.errors import GithubError
from reconciler.github.unplanned import tell_unplanned, unplanned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reconciler.errors import Diagnostic
    from reconciler.github.client import Api, Json
    from reconciler.github.environment import Environment

PLAN_FILE = "plan.json"
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: pull requests that were merged `since`, the plan workflow's file, its artifact's name.

    `is_used` says whether a plan, by its id, was applied before; `directory` is where plans go.
    """

    since: datetime
    now: datetime
    workflow: str
    artifact: str
    directory: Path
    is_used: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class _Merged:
    number: int
    at: datetime
    commit: str
    head_sha: str
    is_fork: bool


class _NoPlanError(Exception):
    """A pull request has no plan that can be applied; the text says why."""


def fetch_reviewed(environment: Environment, wanted: Wanted, say: Callable[[str], None]) -> Iterator[Path | Diagnostic]:
    """The file of each plan that is still to be applied, in the order of merging, as soon as it is written.

    A pull request without a plan is told so in a comment, by the first run that finds it, which has a diagnostic too.

    Raises:
        GithubError: GitHub refuses, or does not answer for as long as there is patience.
        OSError: a file cannot be written.

    """
    with open_api(environment) as api:
        for pull in _merged(api, environment, wanted.since):
            try:
                path = _fetch(api, environment, pull, wanted, say)
            except _NoPlanError as exc:
                say(f"pull request {pull.number} has no plan to apply: {exc}")
                yield from _told_once(api, pull.number, str(exc), wanted)
            else:
                if path is not None:
                    yield path


def _told_once(api: Api, number: int, why: str, wanted: Wanted) -> Iterator[Diagnostic]:
    try:
        told = tell_unplanned(api, number, why, wanted.workflow)
    except GithubError as exc:
        # it keeps nobody from applying the plans of others
        yield unplanned(number, why, wanted.workflow)
        yield from (d._replace(severity=Severity.WARNING) for d in exc.diagnostics)
    else:
        if told is not None:
            yield told


def _merged(api: Api, environment: Environment, since: datetime) -> list[_Merged]:
    """Merged into the default branch, into what this run is for; the oldest first."""
    branch = str(api.get("")["default_branch"])
    found = []
    for pull in api.pages("/pulls", state="closed", base=branch, sort="updated", direction="desc"):
        updated = _time(pull.get("updated_at"))
        if updated is None or updated < since:
            break  # what was not touched since then was not merged since then
        merged = _read(pull, environment.repository)
        if merged is not None and merged.at >= since and _is_within(api, merged.commit, environment.sha):
            found.append(merged)
    return sorted(found, key=lambda merged: (merged.at, merged.number))


def _read(pull: Json, repository: str) -> _Merged | None:
    at, head = _time(pull.get("merged_at")), pull.get("head") or {}
    commit, sha, number = str(pull.get("merge_commit_sha")), str(head.get("sha")), pull.get("number")
    if at is None or not isinstance(number, int) or not _COMMIT.fullmatch(commit) or not _COMMIT.fullmatch(sha):
        return None
    return _Merged(number, at, commit, sha, is_fork=not _is_of(head.get("repo"), repository))


def _is_of(found: object, repository: str) -> bool:
    """A fork that was deleted is null."""
    return isinstance(found, dict) and str(found.get("full_name", "")).lower() == repository.lower()


def _time(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


def _is_within(api: Api, older: str, newer: str) -> bool:
    if older == newer:
        return True
    try:
        return bool(api.get(f"/compare/{older}...{newer}", per_page="1")["status"] == "ahead")
    except GithubError as exc:
        if exc.status == 404:  # noqa: PLR2004 - a commit that a forced push took away
            return False
        raise


def _fetch(
    api: Api, environment: Environment, pull: _Merged, wanted: Wanted, say: Callable[[str], None]
) -> Path | None:
    if pull.is_fork:
        raise _NoPlanError("it is from a fork, whose plans are never applied")
    octets = _downloaded(api, environment, pull, wanted)
    path = wanted.directory / f"{pull.number}.json"
    try:
        document = read_document(octets, path)
    except ReconcilerError as exc:
        raise _NoPlanError(str(exc)) from exc
    if document.inverse_of is not None:
        # the manifests are not asked when one is applied: nobody's review may rest on that
        message = (
            "its plan is one that undoes another, and is applied by hand alone; to undo on GitHub, revert the commit"
        )
        raise _NoPlanError(message)
    if wanted.is_used(document.id):
        say(f"pull request {pull.number}: its plan was applied before")
        return None
    # an expired plan never becomes anything else; of others it is asked again
    if document.expires_at < wanted.now and is_refusal_told(api, pull.number, document.id):
        say(f"pull request {pull.number}: its plan was refused, and the pull request says why")
        return None
    write_atomically(path, octets, mode=0o600)
    return path


def _downloaded(api: Api, environment: Environment, pull: _Merged, wanted: Wanted) -> bytes:
    run = _newest_run(api, environment, pull, wanted.workflow)
    query = {"name": wanted.artifact, "per_page": "100"}
    found = api.get(f"/actions/runs/{run['id']}/artifacts", **query).get("artifacts") or []
    named = [a for a in found if a.get("name") == wanted.artifact]
    if not named:
        message = f"its run of {wanted.workflow} has no artifact {wanted.artifact}"
        raise _NoPlanError(message)
    newest = max(named, key=lambda artifact: int(artifact["id"]))
    if newest.get("expired"):
        message = f"the artifact {wanted.artifact} is kept no longer"
        raise _NoPlanError(message)
    if int(newest.get("size_in_bytes", 0)) > MAX_ARCHIVE:
        message = f"the artifact {wanted.artifact} is too large"
        raise _NoPlanError(message)
    archive = api.download(f"/actions/artifacts/{newest['id']}/zip", MAX_ARCHIVE)
    try:
        return only_member(archive, PLAN_FILE, str(newest.get("digest") or ""))
    except ArtifactError as exc:
        message = f"the artifact {wanted.artifact} is not as the plan workflow writes it: {exc}"
        raise _NoPlanError(message) from exc


def _newest_run(api: Api, environment: Environment, pull: _Merged, workflow: str) -> Json:
    query = {"event": "pull_request", "head_sha": pull.head_sha, "status": "success", "per_page": "100"}
    found = api.get(f"/actions/workflows/{quote(workflow, safe='')}/runs", **query).get("workflow_runs") or []
    runs = [
        run
        for run in found
        # what was asked for is not taken on trust
        if run.get("event") == "pull_request"
        and run.get("head_sha") == pull.head_sha
        and run.get("conclusion") == "success"
        and _is_of(run.get("head_repository"), environment.repository)
    ]
    if not runs:
        message = f"{workflow} has no successful run for its last commit {pull.head_sha[:12]}"
        raise _NoPlanError(message)
    newest: Json = max(runs, key=lambda run: (int(run.get("run_number", 0)), int(run["id"])))
    return newest
