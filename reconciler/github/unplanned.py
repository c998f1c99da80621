"""Merged pull requests without a plan that can be applied: each is told once, in a comment, whichever run finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import Diagnostic, Severity
from reconciler.escape import markdown_code, markdown_text
from reconciler.github.sticky import hide_comments, keep_comments, own_comments

if TYPE_CHECKING:
    from reconciler.github.client import Api

UNPLANNED = "unplanned"
_MAX_REASON = 2000  # characters
_LATER = "Mail gateway apply: a plan of this pull request was found later; see what was told of it."


def tell_unplanned(api: Api, number: int, why: str, workflow: str) -> Diagnostic | None:
    """Say in a merged pull request why nothing of it is applied; None where it was told before.

    Raises:
        ReadOnlyTokenError: the token may not.
        GithubError: GitHub refuses, or does not answer.

    """
    if own_comments(api, number, UNPLANNED):
        return None
    text = (
        "### Mail gateway apply: no plan of this pull request is applied\n\n"
        f"It was merged, and nothing of it was written: {markdown_text(why[:_MAX_REASON])}.\n\n"
        f"- **to do**: run the workflow {markdown_code(workflow)} by hand (workflow_dispatch) on the default branch "
        "to see what is to be done; then change it in another pull request, whose plan is applied when it is merged"
    )
    keep_comments(api, number, UNPLANNED, [text])
    return unplanned(number, why, workflow)


def unplanned(number: int, why: str, workflow: str) -> Diagnostic:
    """The warning about it."""
    summary = f"pull request {number} was merged and no plan of it is applied: {why}"
    detail = (
        f"Run the workflow {workflow} by hand (workflow_dispatch) on the default branch, read its plan, and "
        "apply that with `reconciler apply plan.json`."
    )
    return Diagnostic(Severity.WARNING, "no-reviewed-plan", summary, detail)


def forget_unplanned(api: Api, number: int) -> None:
    """Take back what was told, where a plan was found after all.

    Raises:
        GithubError: as `tell_unplanned`.

    """
    hide_comments(api, number, UNPLANNED, _LATER)
