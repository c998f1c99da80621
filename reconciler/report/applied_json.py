"""What an apply did, as the apply document: for whoever tells people about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.document.applied import (
    FORMAT_VERSION,
    ApplyDocument,
    DomainResultDocument,
    UndoDocument,
    WrittenStepDocument,
)
from reconciler.document.models import DiagnosticDocument
from reconciler.errors import ExitCode, error, worst_exit_code

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from reconciler.apply.result import ApplyReport, DomainResult
    from reconciler.errors import Diagnostic

_INTERRUPTED = error(
    "interrupted", "the run was interrupted", "What was written stays written, and the next run goes on from there."
)
_UNFINISHED = error(
    "unfinished",
    "the run did not end: it was killed, or is still under way",
    "What was written stays written; apply again, which goes on from there.",
)


@dataclass(frozen=True, slots=True)
class AppliedBy:
    """Who applied what, and when: `plan_id` is that of the saved plan, `run` as in the journal."""

    plan_id: str | None
    commit: str | None
    run: str
    created_at: datetime


def render_report(by: AppliedBy, report: ApplyReport) -> str:
    """The document of an apply that came to an end, or was interrupted after some writes."""
    found = [*report.diagnostics, *([_INTERRUPTED] if report.interrupted is not None else [])]
    codes = report.exit_codes if report.interrupted is None else {ExitCode.ERROR}
    return _rendered(
        by,
        worst_exit_code(codes),
        found,
        results=[_result(r) for r in report.results],
        waiting=len(report.plan.unfinished),
        undo=[UndoDocument(file=str(u.file), safe_until=u.safe_until) for u in report.undo],
    )


def render_refused(by: AppliedBy, exit_code: ExitCode, diagnostics: Iterable[Diagnostic]) -> str:
    """The document of an apply that was refused as a whole, and why."""
    return _rendered(by, exit_code, diagnostics)


def render_interrupted(by: AppliedBy) -> str:
    """The document of an apply that was interrupted before it could say what it did."""
    return _rendered(by, ExitCode.ERROR, [_INTERRUPTED])


def render_unfinished(by: AppliedBy) -> str:
    """The document that stands there while an apply runs, and after it was killed."""
    return _rendered(by, ExitCode.ERROR, [_UNFINISHED])


def _rendered(
    by: AppliedBy,
    exit_code: ExitCode,
    diagnostics: Iterable[Diagnostic],
    *,
    results: Iterable[DomainResultDocument] = (),
    waiting: int = 0,
    undo: Iterable[UndoDocument] = (),
) -> str:
    document = ApplyDocument(
        format_version=FORMAT_VERSION,
        kind="apply",
        plan_id=by.plan_id,
        commit=by.commit,
        run=by.run,
        created_at=by.created_at,
        exit_code=exit_code,
        results=list(results),
        waiting=waiting,
        undo=list(undo),
        diagnostics=[DiagnosticDocument.model_validate(d, from_attributes=True) for d in diagnostics],
    )
    return document.model_dump_json(indent=2, ensure_ascii=True) + "\n"


def _result(result: DomainResult) -> DomainResultDocument:
    return DomainResultDocument(
        organization=result.organization,
        domain=result.domain,
        became=result.became.value,
        steps=[
            WrittenStepDocument(id=s.id, phase=s.phase, resource=s.resource, before=s.before, after=s.after)
            for s in result.steps
        ],
        code=result.code,
        message=result.message,
        is_seen=result.is_seen,
    )
