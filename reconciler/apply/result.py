"""What became of an apply, domain by domain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.continuation import UNREVIEWED
from reconciler.errors import ExitCode, Severity

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from reconciler.document import PlanDocument, StepDocument
    from reconciler.errors import Diagnostic
    from reconciler.state import Key


class Became(StrEnum):
    """What became of one domain in an apply."""

    APPLIED = "applied"
    ALREADY_DONE = "already done"
    STALE = "stale"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Sight:
    """How many of the zone's authoritative servers showed a written rrset, asked right after the write."""

    key: Key
    shown_by: int
    asked: int


@dataclass(frozen=True, slots=True)
class DomainResult:
    """One domain's outcome: `message` says why it was not applied, `sights` what was seen where it was.

    `code` is what kind of reason `message` is: a `StaleCode` of a stale domain, the writer's of a failed one.
    """

    domain: str
    became: Became
    steps: tuple[StepDocument, ...]
    code: str = ""
    message: str = ""
    sights: tuple[Sight, ...] = ()
    organization: str = ""

    @property
    def is_seen(self) -> bool:
        """Whether an authoritative server showed each rrset that was written, or nobody looked."""
        return not any(s.asked and not s.shown_by for s in self.sights)


@dataclass(frozen=True, slots=True)
class Undo:
    """The file of the plan that undoes an apply, and until when that is safe; None: at any time."""

    file: Path
    safe_until: datetime | None


@dataclass(frozen=True, slots=True)
class ApplyReport:
    """Everything that an apply did, the plan that was made just before it, and what would undo it, oldest first.

    `interrupted` is what ended it early, after all of this was done. `notes` say what became of kept reviewed plans,
    and what waits for a review. `is_outdated`: a kept plan was dropped because it was too old, or of another catalog or
    other settings. `is_waiting`: a step of a reviewed plan may go on later.
    """

    results: tuple[DomainResult, ...]
    plan: PlanDocument
    undo: tuple[Undo, ...] = ()
    interrupted: KeyboardInterrupt | None = None
    notes: tuple[Diagnostic, ...] = ()
    is_outdated: bool = False
    is_waiting: bool = False

    def continued(self, later: ApplyReport) -> ApplyReport:
        """With what a later round of the same run did.

        A domain that it wrote to again has the steps of both in one result; one that failed or went stale after it was
        written to has two, so that what was written is told all the same.
        """
        results = {(r.domain, r.became is Became.APPLIED): r for r in self.results}
        for result in later.results:
            is_applied = result.became is Became.APPLIED
            results.pop((result.domain, False), None)
            before = results.get((result.domain, True)) if is_applied else None
            if before is not None:
                steps, sights = (*before.steps, *result.steps), (*before.sights, *result.sights)
                result = replace(result, steps=steps, sights=sights)  # noqa: PLW2901 - with what was written before
            results[result.domain, is_applied] = result
        kept = [n for n in self.notes if n.code != UNREVIEWED and n not in later.notes]
        return replace(
            later,
            results=tuple(results.values()),
            undo=(*self.undo, *later.undo),
            notes=(*kept, *later.notes),
            is_outdated=self.is_outdated or later.is_outdated,
        )

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """Errors, the notes, and what is about the run as a whole: a freeze, the kill switch, a limit."""
        planned = self.plan.diagnostics_as_data()
        return [*(d for d in planned if d.severity is Severity.ERROR or not (d.file or d.domain)), *self.notes]

    @property
    def exit_codes(self) -> set[ExitCode]:
        """All that apply; the worst decides."""
        became = {r.became for r in self.results}
        codes = {ExitCode.ERROR} if Became.FAILED in became else set()
        if any(d.severity is Severity.ERROR for d in self.plan.diagnostics):
            codes.add(ExitCode.ERROR)
        if Became.STALE in became or self.is_outdated:
            codes.add(ExitCode.STALE)
        is_unreviewed = any(n.code == UNREVIEWED for n in self.notes)
        is_seen = all(r.is_seen for r in self.results)
        if self.plan.unfinished or self.is_waiting or is_unreviewed or not is_seen:
            codes.add(ExitCode.INCOMPLETE)
        return codes
