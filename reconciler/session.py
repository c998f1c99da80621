"""A run that writes: the journal is open and locked, what is seen is kept before anything is written, and after it."""

from __future__ import annotations

import os
import uuid
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.gates import Verdict
from reconciler.gates.switch_observed import SwitchObserved
from reconciler.gates.token_visible import TokenVisible
from reconciler.history import hazard_id, shown_in
from reconciler.journal import AppliedChange, Look, open_journal
from reconciler.names import Name
from reconciler.plan import Stage, Status
from reconciler.settings import journal_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.document import PlanDocument
    from reconciler.invocation import Invocation
    from reconciler.journal import Journal, Lock
    from reconciler.review import Reviewed
    from reconciler.run import Planned
    from reconciler.state import Key, Observation


@dataclass(frozen=True, slots=True)
class Session:
    """One run that writes."""

    invocation: Invocation
    journal: Journal
    lock: Lock
    run_id: str

    def record_seen(self, planned: Planned) -> None:
        """Keep what the plan saw: the old MX and its TTL are remembered before the first write."""
        looks = list(_looks(planned))
        self.journal.record_looks(looks, self.invocation.now, self.invocation.settings.waits)

    def record_moved(self, planned: Planned, observations: Iterable[Observation]) -> None:
        """Keep what the MX rrsets show right after they were written."""
        seen = {o.key: o for o in observations if o.key.type == "MX"}
        looks = [_moved(look, seen[key]) for look, key in _mx_looks(planned) if key in seen]
        self.journal.record_looks(looks, self.invocation.moment(), self.invocation.settings.waits)

    def record_written(self, written: Sequence[Reviewed], plan_id: str) -> None:
        """Keep what was written for some domains, in one transaction."""
        changes = [(w.domain, step, change) for w in written for step in w.steps if (change := step.change())]
        self.journal.record_applied(
            AppliedChange(
                domain=Name(f"{domain.domain}."),
                organization=domain.organization,
                step_id=step.id,
                key=change.key,
                zone=change.zone,
                before=change.before,
                after=change.after,
                foreign=change.foreign,
                ttl_before=change.ttl_before,
                ttl=change.ttl,
                provider=step.provider,
                commit=self.invocation.commit,
                run_id=self.run_id,
                plan_id=plan_id,
                at=self.invocation.moment(),
            )
            for domain, step, change in changes
        )


@contextmanager
def open_session(invocation: Invocation) -> Iterator[Session]:
    """Open the journal and be its only writer until the end of the block.

    Raises:
        JournalError: it cannot be used.
        JournalLockedError: another run has it, and had it for as long as the settings say to wait.

    """
    settings = invocation.settings
    url = journal_url(settings.journal, os.environ)
    opened = open_journal(url, directory=settings.directory, state_directory=settings.state_directory)
    with (
        opened as journal,
        journal.lock(invocation.holder, settings.lock.lease, settings.lock.wait, invocation.say) as lock,
    ):
        yield Session(invocation, journal, lock, uuid.uuid4().hex)


def _looks(planned: Planned) -> Iterator[Look]:
    return (look for look, _ in _mx_looks(planned))


def _mx_looks(planned: Planned) -> Iterator[tuple[Look, Key]]:
    documents = {d.domain: d for d in planned.document.domains}
    service_steps = _open_service_steps(planned.document)
    hazards: dict[str, set[str]] = defaultdict(set)
    for diagnostic in planned.document.diagnostics:
        # beside the steps, so that drift can tell since when it is seen
        hazards[diagnostic.domain].add(hazard_id(diagnostic.domain, diagnostic.code))
    for facts in planned.facts:
        domain, desired = facts.domain, facts.desired.mx
        document = documents.get(domain.name.removesuffix("."))
        if desired is None or document is None:
            continue
        shown, is_complete = shown_in(facts.observations[desired.key])
        tokens = TokenVisible().judge(facts).verdict
        mine = {step.id for step in document.steps if step.status is not Status.DONE}
        mine |= hazards.get(document.domain, set())
        look = Look(
            domain=domain.name,
            organization=domain.organization,
            shown=shown,
            is_complete=is_complete,
            open_steps=frozenset(mine | service_steps.get((domain.organization, domain.service), set())),
            tokens_visible=None if tokens is Verdict.UNKNOWN else tokens is Verdict.PASS,
            next_hops=domain.next_hops,
            is_switched=SwitchObserved().judge(facts).verdict is Verdict.PASS and not domain.is_leaving,
            is_gone=document.stage is Stage.GONE,
            lifecycle=domain.lifecycle,
        )
        yield look, desired.key


def _open_service_steps(document: PlanDocument) -> dict[tuple[str, str], set[str]]:
    return {
        (s.organization, s.service): {step.id for step in s.steps if step.status is not Status.DONE}
        for s in document.services
    }


def _moved(look: Look, observation: Observation) -> Look:
    shown, is_complete = shown_in(observation)
    return replace(look, shown=shown, is_complete=is_complete)
