"""What became of an apply, domain by domain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.errors import ExitCode, Severity

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from reconciler.document import PlanDocument, StepDocument
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
    """One domain's outcome: `message` says why it was not applied, `sights` what was seen where it was."""

    domain: str
    became: Became
    steps: tuple[StepDocument, ...]
    code: str = ""
    message: str = ""
    sights: tuple[Sight, ...] = ()


@dataclass(frozen=True, slots=True)
class Undo:
    """The file of the plan that undoes an apply, and until when that is safe; None: at any time."""

    file: Path
    safe_until: datetime | None


@dataclass(frozen=True, slots=True)
class ApplyReport:
    """Everything that an apply did, the plan that was made just before it, and what would undo it, oldest first.

    `interrupted` is what ended it early, after all of this was done.
    """

    results: tuple[DomainResult, ...]
    plan: PlanDocument
    undo: tuple[Undo, ...] = ()
    interrupted: KeyboardInterrupt | None = None

    def continued(self, later: ApplyReport) -> ApplyReport:
        """With what a later round of the same run did; a domain that it wrote to again has the steps of both."""
        results = {r.domain: r for r in self.results}
        for result in later.results:
            before = results.get(result.domain)
            if before is None or result.became is not Became.APPLIED or before.became is not Became.APPLIED:
                results[result.domain] = result
            else:
                steps, sights = (*before.steps, *result.steps), (*before.sights, *result.sights)
                results[result.domain] = replace(result, steps=steps, sights=sights)
        return ApplyReport(tuple(results.values()), later.plan, (*self.undo, *later.undo))

    @property
    def exit_codes(self) -> set[ExitCode]:
        """All that apply; the worst decides."""
        became = {r.became for r in self.results}
        codes = {ExitCode.ERROR} if Became.FAILED in became else set()
        if any(d.severity is Severity.ERROR for d in self.plan.diagnostics):
            codes.add(ExitCode.ERROR)
        if Became.STALE in became:
            codes.add(ExitCode.STALE)
        unseen = any(s.asked and not s.shown_by for r in self.results for s in r.sights)
        if self.plan.unfinished or unseen:
            codes.add(ExitCode.INCOMPLETE)
        return codes
