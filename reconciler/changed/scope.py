"""What a plan is about once the changes are known, and what it says about the rest. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.document import LeftOutDocument
from reconciler.errors import Diagnostic, Severity
from reconciler.names import display_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from reconciler.changed.find import Changes
    from reconciler.manifest.fleet import Domain, Source
    from reconciler.names import Name
    from reconciler.selection import Selection

MOST_TOLD = 20

UNDECLARED = "undeclared"
"""The code of what the manifests do not declare any more."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The domains to plan, what is said of those that were left out, and what else is to be told."""

    domains: tuple[Domain, ...]
    left_out: LeftOutDocument | None = None
    diagnostics: tuple[Diagnostic, ...] = ()


def narrowed(
    chosen: Sequence[Domain], selection: Selection, changes: Changes, gone: Collection[Name] = frozenset()
) -> Scope:
    """Of the chosen domains those that are touched; `gone` are the domains known to have left the gateway."""
    domains = tuple(d for d in chosen if changes.everything or d.name in changes.touched)
    removed = [
        (domain, place)
        for domain, place in changes.undeclared
        if selection.is_about(domain.name, domain.organization) and domain.name not in gone
    ]
    left_out = LeftOutDocument(
        since=changes.since.commit,
        domains=len(chosen) - len(domains),
        reason=_reason(len(domains), len(chosen) - len(domains), changes, selection),
    )
    return Scope(domains, left_out, (*changes.diagnostics, *_undeclared(removed, changes.since.short)))


def _reason(planned: int, rest: int, changes: Changes, selection: Selection) -> str:
    short = changes.since.short
    if changes.everything:
        return f"Nothing was left out: compared with {short}, {'; and '.join(changes.everything)}."
    if planned and rest:
        domains = "1 domain was" if rest == 1 else f"{rest:,} domains were"
        return f"{domains} left out: nothing that touches {'it' if rest == 1 else 'them'} changed since {short}."
    if planned:
        return f"Nothing was left out: every domain is touched since {short}."
    if selection.is_narrow:
        return f"Nothing to plan: of the domains that were named none is touched since {short}."
    if changes.undeclared:
        return f"Nothing to plan: the domains that are still declared are declared as at {short}."
    return f"Nothing to plan: the manifests declare the same as at {short}."


def _undeclared(removed: Sequence[tuple[Domain, Source]], short: str) -> Iterator[Diagnostic]:
    """A warning for each domain that is declared no more; an advisory where it was declared to leave."""
    for domain, place in removed[:MOST_TOLD]:
        shown = display_name(domain.name)
        where = f"It was declared in {place.file}, line {place.line}, at {short}"
        if domain.is_leaving:
            severity, summary = Severity.ADVISORY, f"{shown} is declared no more, and was declared to leave the gateway"
            detail = f"{where}. Its MX and values stay as they are: merge this when a plan has shown that it is gone."
        else:
            severity = Severity.WARNING
            summary = f"{shown} is declared no more, and was not off-boarded: its MX and values stay as they are"
            detail = (
                f"{where}. If it shall leave the gateway, declare it again in {domain.organization} with "
                "`lifecycle: offboarded` until the plan says that it is gone."
            )
        yield Diagnostic(severity, UNDECLARED, summary, detail, domain=shown)
    more = len(removed) - MOST_TOLD
    if more > 0:
        summary = f"{more:,} more {'domain is' if more == 1 else 'domains are'} declared no more"
        detail = f"Compare the manifests with those of {short}. Leaving is declared: `lifecycle: offboarded`."
        yield Diagnostic(Severity.WARNING, UNDECLARED, summary, detail)
