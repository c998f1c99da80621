"""The routes of the stand-in for GitHub: a request's method and path to what is answered. Unknown ones are 404."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from servers.github_state import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers.github_state import GithubState, Json

    Answer = tuple[int, Any, dict[str, str]]

_MOST = 100


def answer(
    state: GithubState, url: str, storage: str, method: str, path: str, query: dict[str, str], document: Json
) -> Answer:
    """Status, document (None: no body) and headers.

    Raises:
        RefusedError: an answer that is an error.

    """
    if (method, path) == ("POST", "/graphql"):
        return 200, _graphql(state, document), {}
    inside = path.removeprefix(f"/repos/{state.repository}")
    if inside == path:
        raise RefusedError(404, "Not Found")
    for route_method, pattern, answers in _ROUTES:
        match = re.fullmatch(pattern, inside)
        if route_method == method and match is not None:
            found = answers(state, match, query, document)
            if isinstance(found, list):
                return _page(found, f"{url}{path}", query)
            if method == "GET" and inside.endswith("/zip"):
                return 302, None, {"location": f"{storage}/artifacts/{match[1]}"}
            return {"DELETE": 204, "POST": 201}.get(method, 200), found, {}
    raise RefusedError(404, "Not Found")


def _page(found: list[Json], url: str, query: dict[str, str]) -> Answer:
    size, page = min(int(query.get("per_page", 30)), _MOST), int(query.get("page", 1))
    headers = {}
    if len(found) > size * page:
        following = urlencode({**query, "page": page + 1})
        headers["link"] = f'<{url}?{following}>; rel="next", <{url}?{following}>; rel="last"'
    return 200, found[size * (page - 1) : size * page], headers


def _known(found: dict[int, Json], number: str) -> Json:
    if int(number) not in found:
        raise RefusedError(404, "Not Found")
    return found[int(number)]


def _comments(state: GithubState, match: re.Match[str], _query: dict[str, str], _document: Json) -> list[Json]:
    _known(state.pulls | state.issues, match[1])
    return state.comments_of(int(match[1]))


def _add_comment(state: GithubState, match: re.Match[str], _query: dict[str, str], document: Json) -> Json:
    state.need("pull-requests" if int(match[1]) in state.pulls else "issues")
    return state.add_comment(int(match[1]), document["body"])


def _edit_comment(state: GithubState, match: re.Match[str], _query: dict[str, str], document: Json) -> Json:
    comment = _known(state.comments, match[1])
    state.need("pull-requests" if comment["issue"] in state.pulls else "issues")
    if len(document["body"]) > 65_536:
        raise RefusedError(422, "Validation Failed")
    comment |= {"body": document["body"], "updated_at": state.now()}
    return comment


def _delete_comment(state: GithubState, match: re.Match[str], _query: dict[str, str], _document: Json) -> None:
    comment = _known(state.comments, match[1])
    state.need("pull-requests" if comment["issue"] in state.pulls else "issues")
    del state.comments[comment["id"]]


def _pulls(state: GithubState, _match: re.Match[str], query: dict[str, str], _document: Json) -> list[Json]:
    wanted = query.get("state", "open")
    found = [p for p in state.pulls.values() if wanted in {"all", p["state"]}]
    found = [p for p in found if query.get("base") in {None, p["base"]["ref"]}]
    key = "updated_at" if query.get("sort") == "updated" else "number"
    return sorted(found, key=lambda p: p[key], reverse=query.get("direction", "desc") == "desc")


def _issues(state: GithubState, _match: re.Match[str], query: dict[str, str], _document: Json) -> list[Json]:
    labels = set(filter(None, query.get("labels", "").split(",")))
    # as GitHub has it, pull requests are issues too
    pulls = [{**p, "title": "", "body": "", "labels": [], "pull_request": {}} for p in state.pulls.values()]
    return [
        issue
        for issue in sorted([*state.issues.values(), *pulls], key=lambda i: -int(i["number"]))
        if query.get("state", "open") in {"all", issue["state"]}
        and labels <= {n["name"] for n in issue["labels"]}
        and issue["updated_at"] >= query.get("since", "")
    ]


def _add_issue(state: GithubState, _match: re.Match[str], _query: dict[str, str], document: Json) -> Json:
    state.need("issues")
    return state.add_issue(document)


def _edit_issue(state: GithubState, match: re.Match[str], _query: dict[str, str], document: Json) -> Json:
    state.need("issues")
    _known(state.issues, match[1])
    return state.edit_issue(int(match[1]), document)


def _add_label(state: GithubState, _match: re.Match[str], _query: dict[str, str], document: Json) -> Json:
    state.need("issues", "pull-requests")
    if document["name"] in state.labels:
        raise RefusedError(422, "Validation Failed", [{"resource": "Label", "code": "already_exists"}])
    state.labels[document["name"]] = document
    return document


def _label_issue(state: GithubState, match: re.Match[str], _query: dict[str, str], document: Json) -> Json:
    state.need("issues")
    issue = _known(state.issues, match[1])
    issue["labels"] += [{"name": n} for n in document["labels"] if {"name": n} not in issue["labels"]]
    return issue


def _compare(state: GithubState, match: re.Match[str], _query: dict[str, str], _document: Json) -> Json:
    base, head = match[1], match[2]
    if base == head:
        return {"status": "identical"}
    if state.is_ancestor(base, head):
        return {"status": "ahead"}
    return {"status": "behind" if state.is_ancestor(head, base) else "diverged"}


def _runs(state: GithubState, match: re.Match[str], query: dict[str, str], _document: Json) -> Json:
    found = [
        run
        for run in reversed(state.runs)
        if run["path"].endswith(f"/{match[1]}")
        and query.get("event") in {None, run["event"]}
        and query.get("head_sha") in {None, run["head_sha"]}
        and query.get("status") in {None, run["status"], run["conclusion"]}
    ]
    return {"total_count": len(found), "workflow_runs": found[: int(query.get("per_page", 30))]}


def _artifacts(state: GithubState, match: re.Match[str], query: dict[str, str], _document: Json) -> Json:
    found = [a for a in state.artifacts.values() if a["workflow_run"]["id"] == int(match[1])]
    found = [a for a in found if query.get("name") in {None, a["name"]}]
    return {"total_count": len(found), "artifacts": found}


def _graphql(state: GithubState, document: Json) -> Json:
    query, variables = document["query"], document.get("variables", {})
    if "viewer" in query:
        return {"data": {"viewer": {"login": state.login}}}
    if "isMinimized" in query and "mutation" not in query:
        nodes = [{"id": i, "isMinimized": i in state.minimized} for i in variables["ids"]]
        return {"data": {"nodes": nodes}}
    try:
        state.need("issues", "pull-requests")
    except RefusedError as exc:
        return {"data": None, "errors": [{"type": "FORBIDDEN", "message": str(exc)}]}
    if "unminimizeComment" in query:
        state.minimized.pop(variables["id"], None)
    else:
        assert "minimizeComment" in query
        assert "OUTDATED" in query
        state.minimized[variables["id"]] = "OUTDATED"
    return {"data": {"minimized": {"clientMutationId": None}}}


_ROUTES: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("GET", r"", lambda s, *_: {"full_name": s.repository, "default_branch": s.default_branch}),
    ("GET", r"/issues/(\d+)/comments", _comments),
    ("POST", r"/issues/(\d+)/comments", _add_comment),
    ("PATCH", r"/issues/comments/(\d+)", _edit_comment),
    ("DELETE", r"/issues/comments/(\d+)", _delete_comment),
    ("GET", r"/pulls", _pulls),
    ("GET", r"/pulls/(\d+)", lambda s, m, *_: _known(s.pulls, m[1])),
    ("GET", r"/issues", _issues),
    ("POST", r"/issues", _add_issue),
    ("GET", r"/issues/(\d+)", lambda s, m, *_: _known(s.issues, m[1])),
    ("PATCH", r"/issues/(\d+)", _edit_issue),
    ("POST", r"/issues/(\d+)/labels", _label_issue),
    ("POST", r"/labels", _add_label),
    ("GET", r"/compare/([0-9a-f]+)\.\.\.([0-9a-f]+)", _compare),
    ("GET", r"/actions/workflows/([^/]+)/runs", _runs),
    ("GET", r"/actions/runs/(\d+)/artifacts", _artifacts),
    ("GET", r"/actions/artifacts/(\d+)/zip", lambda s, m, *_: _known(s.artifacts, m[1])),
)
