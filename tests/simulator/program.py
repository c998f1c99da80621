"""The real planner, driven in the simulated world as the command drives it: look, remember, plan, write.

Only what touches a world is played here: the journal, and writes that compare and swap. A run can be killed, or a write
fail, between any two of these.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reconciler.gates import Verdict
from reconciler.gates.observed import WANTED_VALUES_ALONE, has_wanted_values_alone
from reconciler.gates.token_visible import TokenVisible
from reconciler.history import NO_HISTORY, Waits, shown_in
from reconciler.journal.entries import AppliedChange, Look
from reconciler.journal.record import after_applied, after_look
from reconciler.limits import DEFAULT_LIMITS, Stops
from reconciler.manifest.fleet import MANUAL_PROVIDER
from reconciler.plan import Status, plan_domain
from reconciler.safety import hold_plans, prove_plans
from reconciler.service_plan import plan_service
from simulator.authority import Records, WrongExpectationError
from simulator.clock import wall_clock
from simulator.looking import Blindness, observe, see_domain, see_origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reconciler.diff import Change
    from reconciler.gates import Facts
    from reconciler.journal.record import Record
    from reconciler.names import Name
    from reconciler.origin import OriginFacts
    from reconciler.plan import DomainPlan, Step
    from reconciler.service_plan import ServicePlan, ServiceStep
    from simulator.declared import Manifest
    from simulator.world import World

    Distortion = Callable[[Facts], Facts]
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


@dataclass(frozen=True, slots=True)
class Planned:
    """The plans of one run, as people read them."""

    domains: tuple[DomainPlan, ...]
    service: ServicePlan | None
    is_withdrawn: bool = False

    @property
    def steps(self) -> tuple[Step | ServiceStep, ...]:
        """Every step: the service's, then the domains'."""
        return (*(self.service.steps if self.service else ()), *(s for p in self.domains for s in p.steps))

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to be done or waited for."""
        return not self.is_withdrawn and all(s.status is Status.DONE for s in self.steps)


@dataclass
class Program:
    """The command with its journal. `transform` and `distort` make a wrong planner of the real one.

    `distort` changes what it believes, `transform` what it plans.
    """

    world: World
    manifest: Manifest
    waits: Waits = field(default_factory=Waits)
    transform: Transform | None = None
    distort: Distortion | None = None
    journal: dict[str, Record] = field(default_factory=dict)
    backups: list[dict[str, Record]] = field(default_factory=list)
    is_journal_whole: bool = True
    last: Planned | None = None
    withdrawn: list[str] = field(default_factory=list)
    _mishap: Mishap = NO_MISHAP
    _moments: int = 0
    _writes: int = 0
    _looks: dict[str, Look] = field(default_factory=dict)

    def run(self, mishap: Mishap = NO_MISHAP) -> None:
        """One `apply --auto-approve`: it plans, and writes what is ready."""
        self._mishap, self._moments, self._writes = mishap, 0, 0
        self._open_journal()
        try:
            self.last = self._look_and_plan()
            for plan in self.last.domains:
                self._write_domain(plan)
            self._look_again(self.last.domains)
        except KilledError:
            # what it wrote and did not put down is not known to be ours
            self.is_journal_whole = False
        self.world.clock.watch()

    def _open_journal(self) -> None:
        if self._mishap.journal:
            self.is_journal_whole = False
        if self._mishap.journal == "lost":
            self.journal = {}
        elif self._mishap.journal == "restored" and self.backups:
            old = self.backups[len(self.backups) // 2]
            self.journal = {d: replace(r, history=replace(r.history, mx=())) for d, r in old.items()}
        self.backups.append(dict(self.journal))

    def _moment(self) -> None:
        if self._moments == self._mishap.killed_at:
            raise KilledError
        self._moments += 1

    def _look_and_plan(self) -> Planned:
        world, blindness = self.world, self._mishap.blindness
        origin = see_origin(world, self.manifest, blindness)
        facts = [
            see_domain(
                world,
                self.manifest,
                name,
                history=self.journal[name].history if name in self.journal else NO_HISTORY,
                origin=origin,
                waits=self.waits,
                blindness=blindness,
            )
            for name in world.domains
        ]
        if self.distort is not None:
            facts = [self.distort(f) for f in facts]
        provider = MANUAL_PROVIDER if world.start.is_manual else "bind"
        plans = [plan_domain(f, provider=provider, new_ttl=NEW_TTL) for f in facts]
        service = plan_service(origin, facts, world.catalog) if origin.allowlists else None
        before = len(self.withdrawn)
        if self.transform is None and self.distort is None:
            plans, service = self._made_safe(facts, plans, origin, service)
        elif self.transform is not None:
            # a wrong planner sees one domain with its service, as the proof of a plan does
            pairs = [self.transform(plan, service) for plan in plans]
            plans, service = [p for p, _ in pairs], pairs[0][1]
        self._moment()
        self._looks = {f.domain.name: _look(f, plan, service) for f, plan in zip(facts, plans, strict=True)}
        for look in self._looks.values():
            self._remember(look)
        self._moment()
        return Planned(tuple(plans), service, is_withdrawn=len(self.withdrawn) > before)

    def _made_safe(
        self, facts: list[Facts], plans: list[DomainPlan], origin: OriginFacts, service: ServicePlan | None
    ) -> tuple[list[DomainPlan], ServicePlan | None]:
        """Proved and limited as before anybody sees them; that a right plan is withdrawn is noted."""
        origins = [(origin, service)] if service is not None else []
        proved = prove_plans(plans, {f.domain.name: f for f in facts}, origins)
        self.withdrawn += [d.summary for d in proved.diagnostics]
        now = wall_clock(self.world.clock.now)
        safe = hold_plans(proved.plans, proved.origins, Stops(DEFAULT_LIMITS), count=len(plans), now=now)
        return list(safe.plans), safe.origins[0][1] if safe.origins else None

    def _remember(self, look: Look) -> None:
        now = wall_clock(self.world.clock.now)
        self.journal[look.domain] = after_look(self.journal.get(look.domain), look, now, self.waits)

    def _write_domain(self, plan: DomainPlan) -> None:
        """One domain's changes, all compared before any is written; what fails is left to the next run."""
        steps = [s for s in plan.steps if s.status is Status.READY and s.change is not None]
        changes = [s.change for s in steps if s.change is not None]
        if any(self.world.zone.shown(0, c.key) != _expected(c) for c in changes):
            return
        for change in changes:
            self._moment()
            if self._writes == self._mishap.failing_write:
                self.is_journal_whole = False
                return
            self._writes += 1
            try:
                self.world.zone.write(change.key, _expected(change), wanted_records(change), "program")
            except WrongExpectationError:
                return
            self.world.clock.advance(self.world.clock.now + 1)
        self._moment()
        for step in steps:
            self._put_down(plan.domain.name, step)
        self._moment()

    def _put_down(self, domain: Name, step: Step) -> None:
        change, now = step.change, wall_clock(self.world.clock.now)
        if change is None:
            return
        line = AppliedChange(domain, "acme", step.id, change, step.provider, None, "", None, now)
        self.journal[domain] = after_applied(self.journal.get(domain), line)

    def _look_again(self, plans: Iterable[DomainPlan]) -> None:
        """Right after the writes the MX rrsets that were written are looked at once more."""
        for plan in plans:
            for step in plan.steps:
                if step.status is Status.READY and step.key.type == "MX":
                    shown, is_complete = shown_in(observe(self.world, step.key, self._mishap.blindness))
                    self._remember(replace(self._looks[plan.domain.name], shown=shown, is_complete=is_complete))


def _look(facts: Facts, plan: DomainPlan, service: ServicePlan | None) -> Look:
    assert facts.desired.mx is not None, "every simulated domain is filtered by its MX"
    shown, is_complete = shown_in(facts.observations[facts.desired.mx.key])
    steps: list[Step | ServiceStep] = [*plan.steps, *(service.steps if service is not None else ())]
    tokens = TokenVisible().judge(facts).verdict
    words = frozenset({WANTED_VALUES_ALONE} if has_wanted_values_alone(facts) else ())
    return Look(
        facts.domain.name,
        facts.domain.organization,
        shown,
        is_complete,
        frozenset(s.id for s in steps if s.status is not Status.DONE) | words,
        None if tokens is Verdict.UNKNOWN else tokens is Verdict.PASS,
        facts.domain.next_hops,
    )


def _expected(change: Change) -> Records:
    return Records(frozenset(change.expected), change.ttl_before or 0)


def wanted_records(change: Change) -> Records:
    """What stands at the name after a change."""
    return Records(frozenset(change.wanted), change.ttl if change.wanted else 0)
