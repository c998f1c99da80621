"""Which parts of a plan are shown, and which are only counted: a large fleet is mostly in sync."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.plan import Stage, Status
from reconciler.report.terminal import counted

if TYPE_CHECKING:
    from reconciler.document import DomainDocument, PlanDocument, ServiceDocument

MOST_LISTED = 20
"""So many domains in sync are shown one by one; more of them would hide the others, and are only counted."""


def has_many_in_sync(document: PlanDocument) -> bool:
    """Whether domains in sync are only counted."""
    return sum(map(is_in_sync, document.domains)) > MOST_LISTED


def listed(document: PlanDocument) -> PlanDocument:
    """The plan with the domains that are shown one by one."""
    if not has_many_in_sync(document):
        return document
    return document.model_copy(update={"domains": [d for d in document.domains if not is_in_sync(d)]})


def unlisted_text(document: PlanDocument, shown: PlanDocument) -> str:
    """How many domains in sync are not among those that are shown; empty where all are."""
    unlisted = len(document.domains) - len(shown.domains)
    return f"{counted(unlisted, 'domain')} in sync are not listed." if unlisted else ""


def is_in_sync(domain: DomainDocument) -> bool:
    """Whether there is nothing to tell of it but that."""
    return domain.stage is Stage.PROTECTED and not is_busy(domain) and not domain.flow


def is_busy(part: ServiceDocument | DomainDocument) -> bool:
    """Whether anything of a service or a domain is to be told."""
    return any(s.status is not Status.DONE for s in part.steps)
