"""One document shown in its places: annotations, the job's summary, and a comment or an issue.

What needs no network comes first. A token that may only read is no failure for a pull request: a fork's can no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.document import PlanDocument
from reconciler.document.applied import ApplyDocument
from reconciler.github.annotations import (
    Annotation,
    apply_annotations,
    drift_annotations,
    plan_annotations,
    render_annotations,
)
from reconciler.github.apply_comment import tell_apply
from reconciler.github.apply_page import apply_page
from reconciler.github.client import open_api
from reconciler.github.drift_issue import keep_issue
from reconciler.github.errors import ReadOnlyTokenError
from reconciler.github.page import Place
from reconciler.github.plan_page import is_quiet, plan_page, quiet_line
from reconciler.github.sticky import MOST_PARTS, PART_OCTETS, hide_comments, keep_comments
from reconciler.github.summary import append_drift, append_page, append_text
from reconciler.github.unplanned import forget_unplanned

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from reconciler.drift import DriftDocument
    from reconciler.github.client import Api
    from reconciler.github.environment import Environment
    from reconciler.github.page import Page

PLAN = "plan"
_READ_ONLY = "the token of this run may only read, as that of a pull request from a fork: nothing is commented there"


@dataclass(frozen=True, slots=True)
class Publication:
    """What is shown, and where: `number` is a pull request, None where there is none."""

    document: PlanDocument | ApplyDocument | DriftDocument
    environment: Environment
    number: int | None
    now: datetime

    @property
    def place(self) -> Place:
        """Where links lead to."""
        environment = self.environment
        return Place(f"{environment.server_url}/{environment.repository}", environment.run_url)

    @property
    def commit(self) -> str | None:
        """The commit that people know: the head of the pull request; a run checks out its merge with the base."""
        pull = self.environment.pull
        return pull.head_sha if pull is not None and pull.number == self.number else self.document.commit

    @property
    def page(self) -> Page | None:
        """The document as a page; drift has a form of its own."""
        if isinstance(self.document, PlanDocument):
            return plan_page(self.document, self.place, self.commit)
        return apply_page(self.document, self.place) if isinstance(self.document, ApplyDocument) else None


def annotations_of(publication: Publication) -> str:
    """The workflow commands for stdout."""
    document = publication.document
    if isinstance(document, PlanDocument):
        return render_annotations(plan_annotations(document))
    if isinstance(document, ApplyDocument):
        return render_annotations(apply_annotations(document))
    return render_annotations(drift_annotations(document))


def summarize(publication: Publication) -> None:
    """Add the document to the job's summary.

    Raises:
        OSError: the runner's file cannot be written.

    """
    file, document = publication.environment.summary, publication.document
    if isinstance(document, PlanDocument) and is_quiet(document) and not document.diagnostics:
        append_text(file, quiet_line(document, publication.commit))
    elif (page := publication.page) is not None:
        append_page(file, page, publication.place)
    elif not isinstance(document, PlanDocument | ApplyDocument):
        append_drift(file, document, publication.place)


def tell(publication: Publication, say: Callable[[str], None]) -> str:
    """Keep the comment or the issue; returns workflow commands about that, which are empty where all is well.

    Raises:
        ReadOnlyTokenError: the token may not write, and the run is about no pull request.
        GithubError: GitHub refuses, or does not answer for as long as there is patience.

    """
    document = publication.document
    if publication.number is None and isinstance(document, PlanDocument | ApplyDocument):
        say("this run is about no pull request, and --pull-request names none: nothing is commented")
        return ""
    try:
        with open_api(publication.environment) as api:
            _tell(api, publication, say)
    except ReadOnlyTokenError as exc:
        pull = publication.environment.pull
        if pull is None:
            raise
        say(_READ_ONLY)
        append_text(publication.environment.summary, f"> {_READ_ONLY}.")
        if pull.is_fork:
            return ""
        # Dependabot's token is read-only too; a permission that was forgotten shall be seen
        return render_annotations([Annotation("warning", "github-permission", d.detail) for d in exc.diagnostics])
    return ""


def _tell(api: Api, publication: Publication, say: Callable[[str], None]) -> None:
    document, number = publication.document, publication.number
    if isinstance(document, PlanDocument) and number is not None:
        _tell_plan(api, publication, document, number, say)
    elif isinstance(document, ApplyDocument) and number is not None:
        tell_apply(api, number, document, publication.place, say)
        forget_unplanned(api, number)
    elif not isinstance(document, PlanDocument | ApplyDocument):
        keep_issue(api, document, publication.place, publication.now, say)


def _tell_plan(
    api: Api, publication: Publication, document: PlanDocument, number: int, say: Callable[[str], None]
) -> None:
    pull = publication.environment.pull
    if pull is not None and pull.number == number:
        newest = api.get(f"/pulls/{number}")["head"]["sha"]
        if newest != pull.head_sha:
            say(f"pull request {number} was pushed to since: the comment is left to the run for the newer commit")
            return
    if is_quiet(document):
        hide_comments(api, number, PLAN, quiet_line(document, publication.commit))
        return
    page = plan_page(document, publication.place, publication.commit)
    keep_comments(api, number, PLAN, page.parts(publication.place, limit=PART_OCTETS, most=MOST_PARTS))
