"""The real planner, driven in the simulated world as the command drives it: look, remember, plan, write.

Only what touches a world is played here: the journal, and writes that compare and swap. A run can be killed, or a write
fail, between any two of these.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reconciler.history import NO_HISTORY, TOKENS_VISIBLE, Waits
from reconciler.manifest.fleet import MANUAL_PROVIDER
from reconciler.plan import Status, plan_domain
from reconciler.service_plan import plan_service
from simulator.authority import Records, WrongExpectationError
from simulator.clock import wall_clock
from simulator.looking import Blindness, Remembered, see_domain, see_origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reconciler.diff import Change
    from reconciler.gates import Facts
    from reconciler.history import History
    from reconciler.names import Name
    from reconciler.plan import DomainPlan, Step
    from reconciler.service_plan import ServicePlan, ServiceStep
    from simulator.declared import Manifest
    from simulator.world import World

    Transform = Callable[[DomainPlan, ServicePlan | None], tuple[DomainPlan, ServicePlan | None]]

NEW_TTL = 3600


class KilledError(Exception):
    """kill -9."""


@dataclass(frozen=True, slots=True)
class Mishap:
    """What goes wrong in one run.

    `killed_at` and `failing_write` count, from 0, the moments at which it may be killed and its writes; None: never.
    `journal`: "lost", or "restored" to what it was some runs ago, which is noticed; empty: it is well.
    """

    killed_at: int | None = None
    failing_write: int | None = None
    blindness: Blindness = Blindness()  # noqa: RUF009 - frozen
    journal: str = ""


NO_MISHAP = Mishap()


@dataclass
class Memory:
    """What the journal keeps: each domain's history, and the next hops that were declared last."""

    histories: dict[str, History] = field(default_factory=dict)
    next_hops: dict[str, tuple[Name, ...]] = field(default_factory=dict)

    def copy(self) -> Memory:
        """A backup."""
        return Memory(dict(self.histories), dict(self.next_hops))

    def of(self, domain: str) -> Remembered:
        """What is kept of one domain."""
        return Remembered(self.histories.get(domain, NO_HISTORY), self.next_hops.get(domain))


@dataclass(frozen=True, slots=True)
class Planned:
    """The plans of one run, as people read them."""

    domains: tuple[DomainPlan, ...]
    service: ServicePlan | None

    @property
    def steps(self) -> tuple[Step | ServiceStep, ...]:
        """Every step: the service's, then the domains'."""
        return (*(self.service.steps if self.service else ()), *(s for p in self.domains for s in p.steps))

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to be done or waited for."""
        return all(s.status is Status.DONE for s in self.steps)


@dataclass
class Program:
    """The command with its journal. `transform` makes a wrong planner of the real one."""

    world: World
    manifest: Manifest
    waits: Waits = field(default_factory=Waits)
    transform: Transform | None = None
    memory: Memory = field(default_factory=Memory)
    backups: list[Memory] = field(default_factory=list)
    is_journal_whole: bool = True
    last: Planned | None = None
    _mishap: Mishap = NO_MISHAP
    _moments: int = 0
    _writes: int = 0

    def run(self, mishap: Mishap = NO_MISHAP) -> None:
        """One `apply --auto-approve`: it plans, and writes what is ready."""
        self._mishap, self._moments, self._writes = mishap, 0, 0
        self._open_journal()
        try:
            self.last = self._look_and_plan()
            for plan in self.last.domains:
                self._write_domain(plan)
        except KilledError:
            # what it wrote and did not put down is not known to be ours
            self.is_journal_whole = False
        self.world.clock.watch()

    def _open_journal(self) -> None:
        if self._mishap.journal:
            self.is_journal_whole = False
        if self._mishap.journal == "lost":
            self.memory = Memory()
        elif self._mishap.journal == "restored" and self.backups:
            self.memory = self.backups[len(self.backups) // 2].copy()
            self.memory.histories = {d: replace(h, mx=()) for d, h in self.memory.histories.items()}
        self.backups.append(self.memory.copy())

    def _moment(self) -> None:
        if self._moments == self._mishap.killed_at:
            raise KilledError
        self._moments += 1

    def _look_and_plan(self) -> Planned:
        world, blindness = self.world, self._mishap.blindness
        origin = see_origin(world, self.manifest, blindness)
        facts = [
            see_domain(world, self.manifest, name, self.memory.of(name), origin, self.waits, blindness)
            for name in world.domains
        ]
        provider = MANUAL_PROVIDER if world.start.is_manual else "bind"
        plans = [plan_domain(f, provider=provider, new_ttl=NEW_TTL) for f in facts]
        service = plan_service(origin, facts, world.catalog) if origin.allowlists else None
        if self.transform is not None:
            # a wrong planner sees one domain with its service, as the proof of a plan does
            pairs = [self.transform(plan, service) for plan in plans]
            plans, service = [p for p, _ in pairs], pairs[0][1]
        self._moment()
        for fact, plan in zip(facts, plans, strict=True):
            self._remember_look(fact, (*plan.steps, *(service.steps if service is not None else ())))
        self._moment()
        return Planned(tuple(plans), service)

    def _remember_look(self, facts: Facts, steps: Iterable[Step | ServiceStep]) -> None:
        known = facts.history.first_seen
        first_seen = {s.id: known.get(s.id, facts.now) for s in steps if s.status is not Status.DONE}
        if TOKENS_VISIBLE in known:
            first_seen[TOKENS_VISIBLE] = known[TOKENS_VISIBLE]
        self.memory.histories[facts.domain.name] = replace(facts.history, first_seen=first_seen)
        self.memory.next_hops[facts.domain.name] = facts.domain.next_hops

    def _write_domain(self, plan: DomainPlan) -> None:
        """One domain's changes, all compared before any is written; what fails is left to the next run."""
        changes = list(_ready_changes(plan))
        if any(self.world.zone.shown(0, c.key) != _expected(c) for c in changes):
            return
        for change in changes:
            self._moment()
            if self._writes == self._mishap.failing_write:
                return
            self._writes += 1
            try:
                self.world.zone.write(change.key, _expected(change), wanted_records(change), "program")
            except WrongExpectationError:
                return
            self.world.clock.advance(self.world.clock.now + 1)
            self._moment()
            self._remember_write(plan.domain.name, change)

    def _remember_write(self, domain: str, change: Change) -> None:
        history = self.memory.of(domain).history
        added = {(change.key, value) for value in change.added}
        removed = {(change.key, value) for value in change.removed}
        self.memory.histories[domain] = replace(history, written=(history.written | added) - removed)

    @property
    def now_on_the_wall(self) -> str:
        """The time as reports show it."""
        return wall_clock(self.world.clock.now).isoformat(timespec="minutes")


def _ready_changes(plan: DomainPlan) -> Iterator[Change]:
    for step in plan.steps:
        if step.status is Status.READY and step.change is not None:
            yield step.change


def _expected(change: Change) -> Records:
    return Records(frozenset(change.expected), change.ttl_before or 0)


def wanted_records(change: Change) -> Records:
    """What stands at the name after a change."""
    return Records(frozenset(change.wanted), change.ttl if change.wanted else 0)
