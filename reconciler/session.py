"""A run that writes: the journal is open and locked, what is seen is kept before anything is written, and after it."""

from __future__ import annotations

import os
import time
import uuid
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.gates.observed import WANTED_VALUES_ALONE
from reconciler.history import hazard_id, shown_in
from reconciler.journal import AppliedChange, Look
from reconciler.names import Name
from reconciler.plan import Stage, Status
from reconciler.settings import journal_url
from reconciler.state import Key, Present, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from reconciler.document import PlanDocument
    from reconciler.invocation import Invocation
    from reconciler.journal import Journal, Lock
    from reconciler.review import Reviewed
    from reconciler.run import Planned
    from reconciler.state import Observation, Observed, Rdata


@dataclass(frozen=True, slots=True)
class Session:
    """One run that writes."""

    invocation: Invocation
    journal: Journal
    lock: Lock
    run_id: str

    def record_seen(self, planned: Planned) -> None:
        """Keep what the plan saw: the old MX and its TTL are remembered before the first write."""
        self.record_looks(looks_of(planned), self.invocation.looked_at())

    def record_looks(self, looks: Iterable[Look], now: datetime) -> None:
        """Keep looks at `now`, whoever looked."""
        looks = list(looks)
        if any(not look.shown for look in looks):
            # what no server told today is no news: a domain that was behind the gateway counts as being there
            known = self.journal.known_domains()
            was = {name for name, domain in known.items() if domain.is_switched}
            looks = [replace(look, is_switched=look.domain in was) if not look.shown else look for look in looks]
        self.journal.record_looks(looks, now, self.invocation.settings.waits)

    def record_moved(self, planned: Planned, observations: Iterable[Observation]) -> None:
        """Keep what the MX rrsets show right after they were written, and which steps are done by that."""
        seen = {o.key: o for o in observations}
        done = _seen_done(planned.document, seen)
        looks = [
            _moved(look, seen.get(key), done)
            for look, key in _mx_looks(planned)
            if key in seen or (look.shown and look.open_steps & done)
        ]
        self.journal.record_looks(looks, self.invocation.moment(), self.invocation.settings.waits)

    def record_written(self, written: Sequence[Reviewed], plan_id: str) -> None:
        """Keep what was written for some domains, in one transaction."""
        changes = [(w.domain, step, change) for w in written for step in w.steps if (change := step.change())]
        self.journal.record_applied(
            AppliedChange(
                domain=Name(f"{domain.domain}."),
                organization=domain.organization,
                step_id=step.id,
                change=change,
                provider=step.provider,
                commit=self.invocation.commit,
                run_id=self.run_id,
                plan_id=plan_id,
                at=self.invocation.moment(),
            )
            for domain, step, change in changes
        )


_NOTICED_WAIT = 1.0  # seconds


@contextmanager
def open_session(invocation: Invocation) -> Iterator[Session]:
    """Open the journal and be its only writer until the end of the block.

    Raises:
        JournalError: it cannot be used.
        JournalLockedError: another run has it, and had it for as long as the settings say to wait.

    """
    from reconciler.journal import open_journal  # noqa: PLC0415 - SQLAlchemy, only for who writes

    settings, begun = invocation.settings, time.monotonic()
    url = journal_url(settings.journal, os.environ)
    opened = open_journal(url, directory=settings.directory, state_directory=settings.state_directory)
    with (
        opened as journal,
        journal.lock(invocation.holder, settings.lock.lease, settings.lock.wait, invocation.say) as lock,
    ):
        if time.monotonic() - begun > _NOTICED_WAIT:
            # what another run did meanwhile is seen as of now
            invocation = invocation.later()
        yield Session(invocation, journal, lock, uuid.uuid4().hex)


def looks_of(planned: Planned) -> list[Look]:
    """What a plan saw of its mail domains, as the journal keeps it."""
    return [look for look, _ in _mx_looks(planned)]


def _mx_looks(planned: Planned) -> Iterator[tuple[Look, Key]]:
    documents = {d.domain: d for d in planned.document.domains}
    service_steps = _open_service_steps(planned.document)
    hazards: dict[str, set[str]] = defaultdict(set)
    for diagnostic in planned.document.diagnostics:
        # beside the steps, so that drift can tell since when it is seen
        hazards[diagnostic.domain].add(hazard_id(diagnostic.domain, diagnostic.code))
    for domain in planned.domains:
        seen, name = planned.seen.get(domain.name), domain.name.removesuffix(".")
        if seen is None:
            continue
        document = documents.get(name)  # none of a settled one, where only the others were wanted
        mine = {WANTED_VALUES_ALONE} if seen.is_wanted_alone else set()
        if document is not None:
            mine |= {step.id for step in document.steps if step.status is not Status.DONE}
        look = Look(
            domain=domain.name,
            organization=domain.organization,
            shown=seen.shown,
            is_complete=seen.is_complete,
            open_steps=frozenset(
                mine | hazards.get(name, set()) | service_steps.get((domain.organization, domain.service), set())
            ),
            tokens_visible=seen.tokens_visible,
            next_hops=domain.next_hops,
            is_switched=seen.is_switched,
            is_gone=document is not None and document.stage is Stage.GONE,
            lifecycle=domain.lifecycle,
        )
        yield look, Key(domain.name, "MX")


def _open_service_steps(document: PlanDocument) -> dict[tuple[str, str], set[str]]:
    return {
        (s.organization, s.service): {step.id for step in s.steps if step.status is not Status.DONE}
        for s in document.services
    }


def _seen_done(document: PlanDocument, seen: Mapping[Key, Observation]) -> set[str]:
    """The steps whose rrset is as they want it by now."""
    changes = [(s.id, c) for d in document.domains for s in d.steps if (c := s.change()) is not None and c.key in seen]
    return {step for step, change in changes if _values(seen[change.key].observed) == change.wanted}


def _values(observed: Observed) -> frozenset[Rdata] | None:
    if isinstance(observed, Unknown):
        return None
    return frozenset(observed.rrset.rdatas) if isinstance(observed, Present) else frozenset()


def _moved(look: Look, observation: Observation | None, done: set[str]) -> Look:
    """The look without what is done by now; where nobody looked at the MX again, it says nothing of it."""
    left = look.open_steps - done
    if observation is None:
        return replace(look, shown=frozenset(), is_complete=False, open_steps=left, tokens_visible=None)
    shown, is_complete = shown_in(observation)
    return replace(look, shown=shown, is_complete=is_complete, open_steps=left)
