"""The shell of `apply`: under the journal's lock, write what may be written, then look at the authoritative servers."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from reconciler.apply.batch import DomainWork, Outcome, apply_domains
from reconciler.apply.providers import build_writer
from reconciler.apply.result import ApplyReport, Became, DomainResult, Sight, Undo
from reconciler.document import load_document
from reconciler.inverse import match_inverse
from reconciler.names import Name
from reconciler.observe import Question
from reconciler.observe.build import build_observer
from reconciler.plan import Phase, Status
from reconciler.review import match_continued
from reconciler.run import Planned, plan_with_origins, ready_domains, review
from reconciler.selection import Selection
from reconciler.session import open_session
from reconciler.state import Key, Observation, Present, Unknown
from reconciler.undo import UNDO_ENDING, refuse_inverse, undo_file, write_inverse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from reconciler.apply import ZoneWriter
    from reconciler.diff import Change
    from reconciler.document import PlanDocument
    from reconciler.invocation import Invocation
    from reconciler.review import Reviewed
    from reconciler.session import Session
    from reconciler.settings import Settings

_BATCH_SECONDS = 0.2
_SHORTEST_NAP, _LONGEST_NAP = 1.0, 30.0  # seconds


def apply_saved(invocation: Invocation, file: Path, wait: timedelta = timedelta()) -> ApplyReport:
    """Apply a saved plan as it was reviewed, once; for `wait`, go on with its held steps as their gates open.

    The inverse of an applied plan is written beside it; it is applied likewise, and undoes what the plan did.

    Raises:
        PlanFileError: the file is no whole, unaltered plan of this major version.
        StalePlanError: the plan expired or was used.
        JournalError: the journal cannot be used, or another run has it.

    """
    saved = load_document(file)
    undo = undo_file(file)
    with open_session(invocation) as session:
        if saved.inverse_of is not None:
            return _apply_inverse(session, saved, undo)
        planned, reviewed = review(session.invocation, saved, session.journal, file)
        session.record_seen(planned)
        with session.journal.claim_plan(saved.id, invocation.holder, session.invocation.now) as claim:
            report = _apply(session, planned, reviewed, undo)
            # a server that was down or a secret that was not set must not cost the review
            claim.is_kept_open = any(r.became is Became.FAILED for r in report.results)
    selection = Selection(domains=tuple(d.domain for d in planned.document.domains))
    stale = frozenset(r.domain.domain for r in reviewed if r.stale)
    if not selection.domains:
        return report
    return _continued(invocation, report, wait, selection, lambda fresh: match_continued(saved, fresh, stale))


def apply_now(invocation: Invocation, selection: Selection, wait: timedelta = timedelta()) -> ApplyReport:
    """Plan, and apply what is ready, without a review; for `wait`, go on as gates open."""
    return _continued(invocation, _apply_fresh(invocation, selection, ready_domains), wait, selection, ready_domains)


def _apply_fresh(
    invocation: Invocation,
    selection: Selection,
    choose: Callable[[PlanDocument], Sequence[Reviewed]],
    switched: Mapping[str, int] = MappingProxyType({}),
) -> ApplyReport:
    with open_session(invocation) as session:
        planned = plan_with_origins(session.invocation, selection, session.journal, switched)
        session.record_seen(planned)
        name = f"{invocation.now:%Y%m%dT%H%M%S}-{session.run_id[:8]}{UNDO_ENDING}"
        undo = invocation.settings.state_directory / "undo" / name
        return _apply(session, planned, choose(planned.document), undo)


def _apply_inverse(session: Session, inverse: PlanDocument, undo: Path) -> ApplyReport:
    """Undo what a plan did, where nothing was built on it; the manifests, which declare the opposite, are not asked."""
    invocation = session.invocation
    refuse_inverse(inverse, session)
    steps = [(Name(f"{d.domain}."), s) for d in inverse.domains for s in d.steps if s.resource.zone is not None]
    questions = [Question(Key(Name(s.resource.name), s.resource.type), n, Name(str(s.resource.zone))) for n, s in steps]
    observed = {o.key: o for o in build_observer(invocation.settings.observe).observe(questions)}
    names = dict.fromkeys(name for name, _ in steps)
    applied = [e.change for line in session.journal.timelines(names).values() for e in line if e.change is not None]
    recorded = [a.change for a in applied if a.plan_id == inverse.inverse_of]
    reviewed = match_inverse(inverse, observed, invocation.now, recorded)
    return _apply(session, Planned(inverse, (), ()), reviewed, undo)


def _continued(
    invocation: Invocation,
    report: ApplyReport,
    wait: timedelta,
    selection: Selection,
    choose: Callable[[PlanDocument], Sequence[Reviewed]],
) -> ApplyReport:
    """Apply again and again what has become ready, until nothing is held or the time is up."""
    end = time.monotonic() + wait.total_seconds()
    # the limits are for the whole run, however often it looks
    switched = _switched(report)
    longest = _SHORTEST_NAP
    with invocation.progress("waiting", round(wait.total_seconds())) as advance:
        while _is_held(report.plan) and time.monotonic() < end:
            try:
                time.sleep(min(_nap(report.plan, invocation, longest), max(0.0, end - time.monotonic())))
                longest = min(2 * longest, _LONGEST_NAP)
                advance(round(wait.total_seconds() - max(0.0, end - time.monotonic())))
                invocation = invocation.later()
                later = _apply_fresh(invocation, selection, choose, switched)
            except KeyboardInterrupt as exc:
                return replace(report, interrupted=exc)
            switched += _switched(later)
            report = report.continued(later)
    return report


def _switched(report: ApplyReport) -> Counter[str]:
    """How many mail domains of each organization were switched."""
    organizations = {d.domain: d.organization for d in report.plan.domains}
    applied = [r for r in report.results if r.became is Became.APPLIED]
    return Counter(organizations[r.domain] for r in applied if any(s.phase is Phase.SWITCH for s in r.steps))


def _is_held(document: PlanDocument) -> bool:
    return any(step.status is Status.HELD for domain in document.domains for step in domain.steps)


def _nap(document: PlanDocument, invocation: Invocation, longest: float) -> float:
    """Seconds until the first gate opens by itself, at most `longest`: others open when somebody does something."""
    now = invocation.moment()
    times = [s.not_before for d in document.domains for s in d.steps if s.not_before is not None]
    left = min(((t - now).total_seconds() for t in times if t > now), default=longest)
    return min(max(left, _SHORTEST_NAP), longest)


def _apply(session: Session, planned: Planned, reviewed: Sequence[Reviewed], undo: Path) -> ApplyReport:
    """Write, look, and keep what was done; the inverse plan, in the file `undo`, is there before the first write."""
    invocation = session.invocation
    by_domain = {r.domain.domain: r for r in reviewed if r.steps}
    works = {name: _work(r) for name, r in by_domain.items()}
    settings = invocation.settings
    outcomes: dict[str, Outcome] = {}
    if works:
        session.lock.assert_held()
        write_inverse(session, planned.document, {n: r.steps for n, r in by_domain.items()}, undo)
    applying = apply_domains(list(works.values()), _writer_factory(settings), _server_of(settings))
    # closed at once when something is raised here, so that the writes under way are waited for
    with (
        invocation.progress("applying", len(works)) as advance,
        closing(applying),
        _Recorder(session, planned) as record,
    ):
        for outcome in applying:
            name = outcome.work.domain.removesuffix(".")
            outcomes[name] = outcome
            if outcome.error is None:
                record.add(by_domain[name])
            advance(len(outcomes))
    observations = _look(invocation, [o.work for o in outcomes.values() if o.error is None])
    session.record_moved(planned, observations.values())
    results = tuple(_result(r, outcomes.get(r.domain.domain), observations) for r in reviewed)
    applied = {r.domain: r.steps for r in results if r.became is Became.APPLIED}
    if not applied:
        undo.unlink(missing_ok=True)
        return ApplyReport(results, planned.document)
    inverse = write_inverse(session, planned.document, applied, undo)
    return ApplyReport(results, planned.document, (Undo(undo, inverse.safe_until),))


class _Recorder:
    """Keeps what was written: at once while writes are slow, in batches when they are quick, all of it at the end."""

    def __init__(self, session: Session, planned: Planned) -> None:
        self._session = session
        self._plan_id = planned.document.id
        self._waiting: list[Reviewed] = []
        self._flushed = -_BATCH_SECONDS

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()

    def add(self, written: Reviewed) -> None:
        self._waiting.append(written)
        if time.monotonic() - self._flushed >= _BATCH_SECONDS:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._session.record_written(self._waiting, self._plan_id)
            self._waiting = []
        self._flushed = time.monotonic()


def _work(reviewed: Reviewed) -> DomainWork:
    changes = [change for step in reviewed.steps if (change := step.change()) is not None]
    first = reviewed.steps[0]
    return DomainWork(Name(f"{reviewed.domain.domain}."), first.provider, changes[0].zone, tuple(changes))


def _result(reviewed: Reviewed, outcome: Outcome | None, observations: dict[Key, Observation]) -> DomainResult:
    name = reviewed.domain.domain
    if reviewed.stale:
        return DomainResult(name, Became.STALE, (), "stale", reviewed.stale)
    if outcome is None:
        return DomainResult(name, Became.ALREADY_DONE, ())
    if outcome.error is not None:
        became = Became.STALE if outcome.is_stale else Became.FAILED
        return DomainResult(name, became, reviewed.steps, outcome.error.code, str(outcome.error))
    seen = tuple(_sight(observations[c.key], c) for c in outcome.work.changes if c.key in observations)
    return DomainResult(name, Became.APPLIED, reviewed.steps, sights=seen)


def _writer_factory(settings: Settings) -> Callable[[str], ZoneWriter]:
    def build(provider: str) -> ZoneWriter:
        return build_writer(provider, settings.providers[provider], settings.secret_handlers)

    return build


def _server_of(settings: Settings) -> Callable[[str], str]:
    def server_of(provider: str) -> str:
        block = settings.providers[provider]
        return str(block.get("host") or block.get("directory") or provider)

    return server_of


def _look(invocation: Invocation, works: Iterable[DomainWork]) -> dict[Key, Observation]:
    """Ask every authoritative server for what was just written: what the next plan will see."""
    questions = [Question(c.key, w.domain, c.zone) for w in works for c in w.changes]
    with invocation.progress("looking", len(questions)) as advance:
        return {o.key: o for o in build_observer(invocation.settings.observe, advance).observe(questions)}


def _sight(observation: Observation, change: Change) -> Sight:
    shown = [a for a in observation.answers if not isinstance(a.observed, Unknown)]
    right = [
        a
        for a in shown
        if (frozenset(a.observed.rrset.rdatas) if isinstance(a.observed, Present) else frozenset()) == change.wanted
    ]
    return Sight(observation.key, len(right), len(observation.answers))
