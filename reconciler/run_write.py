"""The shell of every write: write what may be written, keep that in the journal, look at the authoritative servers."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Self

from reconciler.apply.batch import DomainWork, Outcome, apply_domains
from reconciler.apply.providers import build_writer
from reconciler.apply.result import ApplyReport, Became, DomainResult, Sight, Undo
from reconciler.names import Name
from reconciler.observe import Question
from reconciler.observe.build import build_observer
from reconciler.review import StaleCode
from reconciler.state import Key, Observation, Present, Unknown
from reconciler.undo import write_inverse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from reconciler.apply import ZoneWriter
    from reconciler.diff import Change
    from reconciler.invocation import Invocation
    from reconciler.review import Reviewed
    from reconciler.run import Planned
    from reconciler.session import Session
    from reconciler.settings import Settings

_BATCH_SECONDS = 0.2


def write_reviewed(session: Session, planned: Planned, reviewed: Sequence[Reviewed], undo: Path) -> ApplyReport:
    """Write, look, and keep what was done; the inverse plan, in the file `undo`, is there before the first write.

    Who interrupts it is in the report, with what was done until then: the writes that were under way are waited for.
    """
    invocation = session.invocation
    by_domain = {r.domain.domain: r for r in reviewed if r.steps}
    outcomes: dict[str, Outcome] = {}
    observations: dict[Key, Observation] = {}
    interrupted = None
    if by_domain:
        session.lock.assert_held()
        inverse = write_inverse(session, planned.document, {n: r.steps for n, r in by_domain.items()}, undo)
    try:
        _write_all(session, planned, by_domain, outcomes)
        observations = _look(invocation, [o.work for o in outcomes.values() if o.error is None])
        session.record_moved(planned, observations.values())
    except KeyboardInterrupt as exc:
        interrupted = exc
    known = reviewed if interrupted is None else [r for r in reviewed if r.stale or r.domain.domain in outcomes]
    results = tuple(_result(r, outcomes.get(r.domain.domain), observations) for r in known)
    applied = {r.domain: r.steps for r in results if r.became is Became.APPLIED}
    if not applied and interrupted is None:
        undo.unlink(missing_ok=True)
    if not applied:
        return ApplyReport(results, planned.document, interrupted=interrupted)
    if interrupted is None:
        # of an interrupted run the first one stays: it has also what was written and not seen any more
        inverse = write_inverse(session, planned.document, applied, undo)
    return ApplyReport(results, planned.document, (Undo(undo, inverse.safe_until),), interrupted)


def _write_all(
    session: Session, planned: Planned, by_domain: Mapping[str, Reviewed], outcomes: dict[str, Outcome]
) -> None:
    """Write, and add what came of it to the outcomes, domain by domain."""
    settings, works = session.invocation.settings, [_work(r) for r in by_domain.values()]
    applying = apply_domains(works, _writer_factory(settings), _server_of(settings))
    # closed at once when something is raised here, so that the writes under way are waited for
    with (
        session.invocation.progress("applying", len(works)) as advance,
        closing(applying),
        _Recorder(session, planned) as record,
    ):
        for outcome in applying:
            name = outcome.work.domain.removesuffix(".")
            outcomes[name] = outcome
            if outcome.error is None:
                record.add(by_domain[name])
            advance(len(outcomes))


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
    name, organization = reviewed.domain.domain, reviewed.domain.organization
    if reviewed.stale:
        return DomainResult(name, Became.STALE, (), reviewed.code, reviewed.stale, organization=organization)
    if outcome is None:
        return DomainResult(name, Became.ALREADY_DONE, (), organization=organization)
    if outcome.error is not None:
        became = Became.STALE if outcome.is_stale else Became.FAILED
        code = StaleCode.OBSERVED_CHANGED if outcome.is_stale else outcome.error.code
        return DomainResult(name, became, reviewed.steps, code, str(outcome.error), organization=organization)
    seen = tuple(_sight(observations[c.key], c) for c in outcome.work.changes if c.key in observations)
    return DomainResult(name, Became.APPLIED, reviewed.steps, sights=seen, organization=organization)


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
