"""The shell of `apply`: under the journal's lock, plan, and write what was reviewed, or all that is ready."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from reconciler.apply.result import ApplyReport, Became
from reconciler.inverse import match_inverse
from reconciler.kept_plans import load_kept
from reconciler.memory import open_memory
from reconciler.names import Name
from reconciler.observe import Question
from reconciler.observe.build import build_observer
from reconciler.plan import Phase, Status
from reconciler.run import Planned, plan_again, plan_with_origins, ready_domains, refuse_outdated, review
from reconciler.run_write import write_reviewed
from reconciler.session import open_session
from reconciler.state import Key
from reconciler.undo import UNDO_ENDING, refuse_inverse, undo_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from reconciler.document import PlanDocument
    from reconciler.invocation import Invocation
    from reconciler.selection import Selection
    from reconciler.session import Session

    Round = Callable[[Invocation, Mapping[str, int]], ApplyReport]

_SHORTEST_NAP, _LONGEST_NAP = 1.0, 30.0  # seconds
_NO_SWITCHES: Mapping[str, int] = MappingProxyType({})


def apply_saved(invocation: Invocation, saved: PlanDocument, file: Path, wait: timedelta = timedelta()) -> ApplyReport:
    """Apply the plan saved in `file` as it was reviewed, once; for `wait`, go on with its held steps as gates open.

    What is still held then is kept in the journal, for `apply_kept`. The inverse of an applied plan is written beside
    it; it is applied likewise, and undoes what the plan did.

    Raises:
        StalePlanError: the plan expired or was used, or the catalog or the settings are others by now.
        JournalError: the journal cannot be used, or another run has it.

    """
    undo = undo_file(file)
    with open_session(invocation) as session:
        if saved.inverse_of is not None:
            return _apply_inverse(session, saved, undo)
        refuse_outdated(session.invocation, saved, file)
        with session.journal.claim_plan(saved.id, invocation.holder, session.invocation.now) as claim:
            planned, reviewed = review(session.invocation, saved, session.journal)
            session.record_seen(planned)
            report = write_reviewed(session, planned, reviewed, undo)
            kept = load_kept(session).with_reviewed(saved, report)
            kept.write()
            # a server that was down or a secret that was not set must not cost the review
            is_failed = any(r.became is Became.FAILED for r in report.results)
            claim.is_kept_open = is_failed or report.interrupted is not None
    report = replace(report, is_waiting=kept.only(saved.id).is_waiting(report.plan))
    apply_round = _kept_round(saved.id, [d.domain for d in saved.domains])
    return _continued(invocation, report, wait, apply_round, lambda r: r.is_waiting)


def apply_now(invocation: Invocation, selection: Selection, wait: timedelta = timedelta()) -> ApplyReport:
    """Plan, and apply what is ready, without a review; for `wait`, go on as gates open."""

    def apply_round(invocation: Invocation, switched: Mapping[str, int]) -> ApplyReport:
        with open_session(invocation) as session:
            planned = plan_with_origins(session.invocation, selection, session.journal, switched)
            session.record_seen(planned)
            return write_reviewed(session, planned, ready_domains(planned.document), _undo_of(session))

    report = apply_round(invocation, _NO_SWITCHES)
    return _continued(invocation, report, wait, apply_round, lambda r: _has_held(r.plan))


def apply_kept(invocation: Invocation, wait: timedelta = timedelta()) -> ApplyReport | None:
    """Write what has become ready of reviewed plans that left steps held; None where no plan is kept.

    For `wait`, go on as gates open. A domain that is declared otherwise than when it was reviewed is stale.

    Raises:
        JournalError: the journal cannot be used, or another run has it.

    """
    with open_memory(invocation.settings) as memory:
        if not memory.reviewed_plans():
            return None
    apply_round = _kept_round()
    report = apply_round(invocation, _NO_SWITCHES)
    return _continued(invocation, report, wait, apply_round, lambda r: r.is_waiting)


def _kept_round(plan_id: str | None = None, domains: Iterable[str] = ()) -> Round:
    """One look at what is kept of reviewed plans, or of one of them, and a write of what may be written by that.

    The `domains`, and those of the rounds before, are looked at too: what is left of them is told at the end.
    """
    seen = dict.fromkeys(domains)

    def apply_round(invocation: Invocation, switched: Mapping[str, int]) -> ApplyReport:
        with open_session(invocation) as session:
            kept = load_kept(session, plan_id).judged()
            seen.update(dict.fromkeys(kept.domains))
            planned = plan_again(session.invocation, seen, session.journal, switched)
            session.record_seen(planned)
            kept, reviewed = kept.matched(planned.document)
            report = write_reviewed(session, planned, reviewed, _undo_of(session))
            notes = (*kept.notes, *kept.unreviewed(report.plan))
            left = kept.without_finished(report)
            left.write()
            is_waiting = left.is_waiting(report.plan)
            return replace(report, notes=notes, is_outdated=bool(kept.notes), is_waiting=is_waiting)

    return apply_round


def _undo_of(session: Session) -> Path:
    """Where the inverse plan of a run goes that no file was given to."""
    invocation = session.invocation
    name = f"{invocation.now:%Y%m%dT%H%M%S}-{session.run_id[:8]}{UNDO_ENDING}"
    return invocation.settings.state_directory / "undo" / name


def _apply_inverse(session: Session, inverse: PlanDocument, undo: Path) -> ApplyReport:
    """Undo what a plan did, where nothing was built on it; the manifests, which declare the opposite, are not asked.

    Whoever undoes something does not want the rest of it to go on by itself.
    """
    invocation = session.invocation
    refuse_inverse(inverse, session)
    load_kept(session).without_domains({d.domain for d in inverse.domains}).write()
    steps = [(Name(f"{d.domain}."), s) for d in inverse.domains for s in d.steps if s.resource.zone is not None]
    questions = [Question(Key(Name(s.resource.name), s.resource.type), n, Name(str(s.resource.zone))) for n, s in steps]
    observed = {o.key: o for o in build_observer(invocation.settings.observe).observe(questions)}
    names = dict.fromkeys(name for name, _ in steps)
    applied = [e.change for line in session.journal.timelines(names).values() for e in line if e.change is not None]
    recorded = [a.change for a in applied if a.plan_id == inverse.inverse_of]
    reviewed = match_inverse(inverse, observed, invocation.now, recorded)
    return write_reviewed(session, Planned(inverse), reviewed, undo)


def _continued(
    invocation: Invocation,
    report: ApplyReport,
    wait: timedelta,
    apply_round: Round,
    is_waiting: Callable[[ApplyReport], bool],
) -> ApplyReport:
    """Apply again and again what has become ready, until nothing is held or the time is up."""
    end = time.monotonic() + wait.total_seconds()
    # the limits are for the whole run, however often it looks
    switched = _switched(report)
    longest = _SHORTEST_NAP
    with invocation.progress("waiting", round(wait.total_seconds())) as advance:
        while report.interrupted is None and is_waiting(report) and time.monotonic() < end:
            try:
                time.sleep(min(_nap(report.plan, invocation, longest), max(0.0, end - time.monotonic())))
                longest = min(2 * longest, _LONGEST_NAP)
                advance(round(wait.total_seconds() - max(0.0, end - time.monotonic())))
                invocation = invocation.later()
                later = apply_round(invocation, switched)
            except KeyboardInterrupt as exc:
                return replace(report, interrupted=exc)
            switched += _switched(later)
            report = report.continued(later)
    return report


def _switched(report: ApplyReport) -> Counter[str]:
    """How many mail domains of each organization were switched."""
    applied = [r for r in report.results if r.became is Became.APPLIED]
    return Counter(r.organization for r in applied if any(s.phase is Phase.SWITCH for s in r.steps))


def _has_held(document: PlanDocument) -> bool:
    return any(step.status is Status.HELD for domain in document.domains for step in domain.steps)


def _nap(document: PlanDocument, invocation: Invocation, longest: float) -> float:
    """Seconds until the first gate opens by itself, at most `longest`: others open when somebody does something."""
    now = invocation.moment()
    times = [s.not_before for d in document.domains for s in d.steps if s.not_before is not None]
    left = min(((t - now).total_seconds() for t in times if t > now), default=longest)
    return min(max(left, _SHORTEST_NAP), longest)
