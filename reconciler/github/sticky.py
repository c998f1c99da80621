"""Comments that stay where they are: found by a hidden marker in their first line, and changed in place.

Only comments of our own account count, whatever marker others copy. What there should be is compared with what is
there, so everything may be done again at any time: after an answer that got lost, it is looked again first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.github.errors import GithubError, UnansweredError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.github.client import Api, Json

MAX_OCTETS = 65_000
"""Of one comment, with its marker: GitHub takes 65,536 characters."""
MOST_PARTS = 5
_ROOM_FOR_MARKER = 200
PART_OCTETS = MAX_OCTETS - _ROOM_FOR_MARKER
"""Of one part, without its marker."""
_MARKER = re.compile(
    r"<!-- reconciler:(?P<name>[a-z]+) --><!-- part (?P<part>\d{1,3}) -->(?P<note><!-- [^>]{1,150} -->)?"
)
_TRIES = 3
_STATE = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on IssueComment { id isMinimized } } }"
_MINIMIZE = "mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) { clientMutationId } }"
_UNMINIMIZE = "mutation($id: ID!) { unminimizeComment(input: {subjectId: $id}) { clientMutationId } }"


def marked(name: str, part: int, text: str, note: str = "") -> str:
    """A comment's body: the marker, with a note that nobody sees, and the text."""
    shown = f"<!-- {note} -->" if note else ""
    return f"<!-- reconciler:{name} --><!-- part {part} -->{shown}\n{text.rstrip()}"


def first_line(body: object) -> str:
    """Where a marker can be: a body that quotes one further down has none."""
    return str(body or "").split("\n", maxsplit=1)[0].strip()


def keep_comments(api: Api, number: int, name: str, parts: Sequence[str], note: str = "") -> None:
    """Let the comments of this name be these parts: changed in place, added, and the surplus ones deleted.

    Raises:
        ReadOnlyTokenError: the token may not.
        GithubError: GitHub refuses, or does not answer.

    """
    total = len(parts)
    texts = [p if total == 1 else f"*Part {i} of {total}*\n\n{p}" for i, p in enumerate(parts, 1)]
    bodies = [marked(name, i, text, note) for i, text in enumerate(texts, 1)]
    kept = _until_answered(api, number, name, bodies)
    _show(api, kept, is_hidden=False)


def hide_comments(api: Api, number: int, name: str, line: str) -> None:
    """Let a comment of this name, where there is one, be one line, and hidden as outdated; and no other be there.

    Raises:
        GithubError: as `keep_comments`.

    """
    if own_comments(api, number, name):
        kept = _until_answered(api, number, name, [marked(name, 1, line)])
        _show(api, kept, is_hidden=True)


def own_comments(api: Api, number: int, name: str) -> list[tuple[int, Json]]:
    """Our comments of this name with their part numbers, the oldest of each part first."""
    found = []
    for comment in api.pages(f"/issues/{number}/comments"):
        match = _MARKER.fullmatch(first_line(comment.get("body")))
        if match is not None and match["name"] == name and api.is_own(comment):
            found.append((int(match["part"]), comment))
    return sorted(found, key=lambda entry: (entry[0], int(entry[1]["id"])))


def _until_answered(api: Api, number: int, name: str, bodies: Sequence[str]) -> list[Json]:
    for left in reversed(range(_TRIES)):
        try:
            # what was made without an answer may be there by now
            return _converge(api, number, bodies, own_comments(api, number, name))
        except UnansweredError:
            if not left:
                raise
    raise AssertionError  # the last try returns or raises


def _converge(api: Api, number: int, bodies: Sequence[str], found: Sequence[tuple[int, Json]]) -> list[Json]:
    """Returns what was there before and stays."""
    kept: dict[int, Json] = {}
    surplus = []
    for part, comment in found:
        if part <= len(bodies) and part not in kept:
            kept[part] = comment
        else:
            surplus.append(comment)
    for part, body in enumerate(bodies, 1):
        if part not in kept:
            api.make(f"/issues/{number}/comments", {"body": body})
        elif str(kept[part].get("body")).replace("\r\n", "\n").rstrip() != body:
            api.change("PATCH", f"/issues/comments/{kept[part]['id']}", {"body": body})
    for comment in surplus:
        _delete(api, comment)
    return list(kept.values())


def _delete(api: Api, comment: Json) -> None:
    try:
        api.change("DELETE", f"/issues/comments/{comment['id']}")
    except GithubError as exc:
        if exc.status != 404:  # noqa: PLR2004 - it is gone already
            raise


def _show(api: Api, comments: Sequence[Json], *, is_hidden: bool) -> None:
    ids = [str(c["node_id"]) for c in comments]
    if not ids:
        return
    nodes = api.graphql(_STATE, {"ids": ids}).get("nodes") or []
    for node in nodes:
        if isinstance(node, dict) and bool(node.get("isMinimized")) != is_hidden:
            api.graphql(_MINIMIZE if is_hidden else _UNMINIMIZE, {"id": node["id"]})
