"""The shell of `apply`: write what may be written, then look at the authoritative servers."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from reconciler.apply.batch import DomainWork, Outcome, apply_domains
from reconciler.apply.claim import claimed
from reconciler.apply.providers import build_writer
from reconciler.apply.result import ApplyReport, Became, DomainResult, Sight
from reconciler.names import Name
from reconciler.observe import Question
from reconciler.observe.build import build_observer
from reconciler.run import plan, ready_domains, review
from reconciler.state import Observation, Present, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from reconciler.apply import ZoneWriter
    from reconciler.diff import Change
    from reconciler.review import Reviewed
    from reconciler.run import Invocation
    from reconciler.selection import Selection
    from reconciler.settings import Settings
    from reconciler.state import Key


def apply_saved(invocation: Invocation, file: Path) -> ApplyReport:
    """Apply a saved plan as it was reviewed, once.

    Raises:
        PlanFileError: the file is no whole, unaltered plan of this major version.
        StalePlanError: the plan expired or was used.

    """
    saved, fresh, reviewed = review(invocation, file)
    with claimed(saved.id, invocation.settings.state_directory) as claim:
        results = _apply(invocation, reviewed)
        # a server that was down or a secret that was not set must not cost the review
        claim.is_kept_open = any(r.became is Became.FAILED for r in results)
    return ApplyReport(results, fresh)


def apply_now(invocation: Invocation, selection: Selection) -> ApplyReport:
    """Plan, and apply what is ready, without a review."""
    fresh = plan(invocation, selection)
    return ApplyReport(_apply(invocation, ready_domains(fresh)), fresh)


def _apply(invocation: Invocation, reviewed: Sequence[Reviewed]) -> tuple[DomainResult, ...]:
    works = {r.domain.domain: _work(r) for r in reviewed if r.steps}
    settings = invocation.settings
    outcomes: dict[str, Outcome] = {}
    applying = apply_domains(list(works.values()), _writer_factory(settings), _server_of(settings))
    # closed at once when something is raised here, so that the writes under way are waited for
    with invocation.progress("applying", len(works)) as advance, closing(applying):
        for outcome in applying:
            outcomes[outcome.work.domain.removesuffix(".")] = outcome
            advance(len(outcomes))
    written = [o.work for o in outcomes.values() if o.error is None]
    sights = _look(invocation, written)
    return tuple(_result(r, outcomes.get(r.domain.domain), sights) for r in reviewed)


def _work(reviewed: Reviewed) -> DomainWork:
    changes = [change for step in reviewed.steps if (change := step.change()) is not None]
    first = reviewed.steps[0]
    return DomainWork(Name(f"{reviewed.domain.domain}."), first.provider, changes[0].zone, tuple(changes))


def _result(reviewed: Reviewed, outcome: Outcome | None, sights: dict[Key, Sight]) -> DomainResult:
    name = reviewed.domain.domain
    if reviewed.stale:
        return DomainResult(name, Became.STALE, (), "stale", reviewed.stale)
    if outcome is None:
        return DomainResult(name, Became.ALREADY_DONE, ())
    if outcome.error is not None:
        became = Became.STALE if outcome.is_stale else Became.FAILED
        return DomainResult(name, became, reviewed.steps, outcome.error.code, str(outcome.error))
    seen = tuple(sights[c.key] for c in outcome.work.changes if c.key in sights)
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


def _look(invocation: Invocation, works: Iterable[DomainWork]) -> dict[Key, Sight]:
    """Ask every authoritative server for what was just written: what the next plan will see."""
    changes = {c.key: (c, w) for w in works for c in w.changes}
    questions = [Question(key, work.domain, change.zone) for key, (change, work) in changes.items()]
    with invocation.progress("looking", len(questions)) as advance:
        observations = build_observer(invocation.settings.observe, advance).observe(questions)
        return {o.key: _sight(o, changes[o.key][0]) for o in observations}


def _sight(observation: Observation, change: Change) -> Sight:
    shown = [a for a in observation.answers if not isinstance(a.observed, Unknown)]
    right = [
        a
        for a in shown
        if (frozenset(a.observed.rrset.rdatas) if isinstance(a.observed, Present) else frozenset()) == change.wanted
    ]
    return Sight(observation.key, len(right), len(observation.answers))
