"""The reviewed plans that the journal keeps because steps of them are held: read, reduced, and written back.

What may go on of them is decided in `reconciler.continuation`. One that is lost goes on no more, and nothing else: the
next plan shows its steps again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.apply.result import Became
from reconciler.continuation import (
    find_moved,
    find_unreviewed,
    is_waiting,
    match_continued,
    open_part,
    reviewed_anew,
    without_domains,
    without_finished,
)
from reconciler.document import read_document, render_document
from reconciler.errors import Diagnostic, PlanFileError, Severity
from reconciler.journal import ReviewedPlan
from reconciler.review import Reviewed
from reconciler.run import why_outdated

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from reconciler.apply.result import ApplyReport
    from reconciler.document import PlanDocument
    from reconciler.invocation import Invocation
    from reconciler.session import Session

_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class KeptPlans:
    """Kept plans, by the ids of the plans that were reviewed.

    `before` are the rows of the journal, `plans` what is left of them. `unreadable` are not touched until `judged`.
    `notes` say why one was dropped.
    """

    session: Session
    before: Mapping[str, ReviewedPlan]
    plans: Mapping[str, PlanDocument]
    unreadable: Mapping[str, str]
    notes: tuple[Diagnostic, ...] = ()

    @property
    def domains(self) -> list[str]:
        """The domains of all of them, each once, as in `DomainDocument.domain`."""
        return list(dict.fromkeys(d.domain for plan in self.plans.values() for d in plan.domains))

    def judged(self) -> KeptPlans:
        """Without those that are too old, of another catalog or of other settings, or that nobody can read."""
        plans, notes = {}, [_dropped("reviewed-unreadable", why, "its domains") for why in self.unreadable.values()]
        for plan_id, plan in self.plans.items():
            reason = why_over(self.session.invocation, self.before[plan_id], plan)
            if reason is None:
                plans[plan_id] = plan
            else:
                notes.append(_dropped(*reason, _listed([d.domain for d in plan.domains])))
        return replace(self, plans=plans, unreadable={}, notes=tuple(notes))

    def matched(self, fresh: PlanDocument) -> tuple[KeptPlans, list[Reviewed]]:
        """What may be written of a fresh plan, and which domains may not go on, and so are kept no more."""
        kept, moved = self, dict[str, Reviewed]()
        for (plan_id, plan), found in zip(self.plans.items(), find_moved(self.plans.values(), fresh), strict=True):
            moved |= {r.domain.domain: r for r in found}
            kept = _with(kept, plan_id, without_domains(plan, {r.domain.domain for r in found}))
        is_left = set(kept.domains)
        stale = [reviewed for name, reviewed in moved.items() if name not in is_left]
        return kept, [*stale, *match_continued(list(kept.plans.values()), fresh)]

    def unreviewed(self, fresh: PlanDocument) -> tuple[Diagnostic, ...]:
        """What is ready of the kept plans' domains, and no review showed."""
        return tuple(find_unreviewed(list(self.plans.values()), fresh))

    def is_waiting(self, fresh: PlanDocument) -> bool:
        """Whether a step of theirs may go on later."""
        return is_waiting(list(self.plans.values()), fresh)

    def with_reviewed(self, saved: PlanDocument, report: ApplyReport) -> KeptPlans:
        """With what a plan leaves that was applied just now, in place of what older ones say of its domains."""
        stale = {r.domain for r in report.results if r.became is Became.STALE}
        # of a domain that is declared otherwise by now, this plan is not the newest review
        kept = self.without_domains(reviewed_anew(saved) - stale, but=saved.id)
        known = self.plans.get(saved.id)
        # what went on by itself since this plan was applied first, and failed partly, is not begun anew
        own = open_part(saved, stale) if known is None else without_domains(known, stale)
        return _with(kept, saved.id, own).without_finished(report)

    def without_finished(self, report: ApplyReport) -> KeptPlans:
        """Without what is done by now."""
        written = {s.id for r in report.results if r.became is Became.APPLIED for s in r.steps}
        return self._each(lambda plan: without_finished(plan, report.plan, written))

    def without_domains(self, names: Collection[str], but: str = "") -> KeptPlans:
        """Without these domains, in all plans except the one with the id `but`."""
        return self._each(lambda plan: without_domains(plan, names), but)

    def only(self, plan_id: str) -> KeptPlans:
        """The one with this id alone, or none."""
        return replace(self, plans={i: plan for i, plan in self.plans.items() if i == plan_id})

    def write(self) -> None:
        """Make the journal say the same; nothing is written where it does so already."""
        rows = {plan_id: self._row(plan_id, plan) for plan_id, plan in self.plans.items()}
        changed = [row for plan_id, row in rows.items() if row != self.before.get(plan_id)]
        dropped = self.before.keys() - rows.keys() - self.unreadable.keys()
        if changed or dropped:
            self.session.journal.keep_reviewed(changed, sorted(dropped))

    def _row(self, plan_id: str, plan: PlanDocument) -> ReviewedPlan:
        since = self.before[plan_id].at if plan_id in self.before else self.session.invocation.now
        return ReviewedPlan(plan_id, render_document(plan), since)

    def _each(self, reduced: Callable[[PlanDocument], PlanDocument | None], but: str = "") -> KeptPlans:
        plans = {i: plan if i == but else reduced(plan) for i, plan in self.plans.items()}
        return replace(self, plans={i: plan for i, plan in plans.items() if plan is not None})


def _with(kept: KeptPlans, plan_id: str, plan: PlanDocument | None) -> KeptPlans:
    others = {i: other for i, other in kept.plans.items() if i != plan_id}
    return replace(kept, plans=others if plan is None else {**others, plan_id: plan})


def load_kept(session: Session, plan_id: str | None = None) -> KeptPlans:
    """Every plan that the journal keeps, or the one with this id."""
    before = {p.plan_id: p for p in session.journal.reviewed_plans() if plan_id in {None, p.plan_id}}
    return KeptPlans(session, before, *read_kept(before.values()))


def why_over(invocation: Invocation, row: ReviewedPlan, plan: PlanDocument) -> tuple[str, str] | None:
    """A code and a sentence where a kept plan goes on no more: too old, or of another catalog or other settings."""
    longest = timedelta(days=invocation.settings.reviewed_days)
    if row.at + longest < invocation.now:
        return "reviewed-expired", f"it was applied more than {longest.days} days ago"
    return why_outdated(invocation, plan)


def read_kept(rows: Iterable[ReviewedPlan]) -> tuple[dict[str, PlanDocument], dict[str, str]]:
    """The plans by their ids, and why others cannot be read."""
    plans: dict[str, PlanDocument] = {}
    unreadable: dict[str, str] = {}
    for row in rows:
        try:
            plans[row.plan_id] = read_document(row.document, Path("journal"))
        except PlanFileError as exc:
            unreadable[row.plan_id] = str(exc)
    return plans, unreadable


def _dropped(code: str, why: str, domains: str) -> Diagnostic:
    detail = (
        f"What of {domains} is held waits for a review: make a plan with `reconciler plan --out FILE`, and apply that."
    )
    return Diagnostic(Severity.WARNING, code, f"a reviewed plan does not go on: {why}", detail)


def _listed(names: list[str]) -> str:
    more = len(names) - _EXAMPLES
    return ", ".join(names[:_EXAMPLES]) + (f" and {more} more" if more > 0 else "")
