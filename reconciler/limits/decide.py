"""Which steps of a run are held, and by what: of anything that has steps, a plan of the core or a document. Pure.

One process and whoever puts the documents of shards together decide by the same function.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

from reconciler.errors import Diagnostic, Severity
from reconciler.gates import GateResult, Verdict
from reconciler.limits.model import frozen_until
from reconciler.plan import Phase, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from reconciler.limits.model import Limits, Stops

_POSSIBLE = (Status.READY, Status.MANUAL)
_OF_UNHEALTHY = (Phase.SWITCH, Phase.CONTRACT)
_EXAMPLES = 5
_NEXT_RUN = "nothing to do: the next run goes on"

Gates = tuple[GateResult, ...]


class Limitable(Protocol):
    """A step, as far as limits look at it."""

    @property
    def phase(self) -> Phase:
        """What it is part of."""
        ...

    @property
    def status(self) -> Status:
        """What its own gates say."""
        ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """One mail domain's steps; `written` is its name as its author spelled it."""

    organization: str
    written: str
    steps: Sequence[Limitable]


@dataclass(frozen=True, slots=True)
class Decision:
    """The gates that hold each step, by domain and by service, in the order in which they were given; mostly none.

    `diagnostics` are what to tell about it, each thing once.
    """

    domains: tuple[tuple[Gates, ...], ...]
    services: tuple[tuple[Gates, ...], ...]
    diagnostics: tuple[Diagnostic, ...]


def decide_limits(
    domains: Sequence[Candidate],
    services: Sequence[Sequence[Limitable]],
    stops: Stops,
    *,
    unhealthy: Sequence[str],
    count: int,
    now: datetime,
) -> Decision:
    """Decide for a whole run of `count` mail domains, of which `domains` have steps; `unhealthy` names those that are.

    Steps that only a person can do are held like the others: a person should not do them now either.
    """
    found = (_kill_switch_stop(stops), _freeze_stop(stops, now), _unhealthy_stop(unhealthy, count, stops.limits))
    run = _Run(stops, tuple(stop for stop in found if stop is not None))
    of_domains = tuple(run.gates_of(domain) for domain in domains)
    of_services = tuple(tuple(map(run.stopped, steps)) for steps in services)
    return Decision(of_domains, of_services, tuple(run.diagnostics()))


def possible_holds(phase: Phase, stops: Stops, now: datetime) -> tuple[Gates, ...]:
    """Every non-empty set of gates that the run of which a step is may hold it by; the numbers in them are of nobody.

    The kill switch and a freeze are known; how healthy the fleet is and how many switch is known of a whole run alone.
    """
    known = tuple(stop.gate for stop in (_kill_switch_stop(stops), _freeze_stop(stops, now)) if stop is not None)
    found = [known]
    if phase in _OF_UNHEALTHY:
        found.append((*known, _unhealthy_gate("")))
    if phase is Phase.SWITCH and not known:
        found += [(_limit_gate("", key),) for key in ("switches_per_run", "switches_per_organization")]
    return tuple(gates for gates in found if gates)


def time_of(not_before: datetime | None, gates: Gates) -> datetime | None:
    """When a step goes on by itself that waited until `not_before` and is held by gates too; None where it does not."""
    times = [t for t in (not_before, *(g.not_before for g in gates)) if t is not None]
    return max(times) if times else None


@dataclass(frozen=True, slots=True)
class _Stop:
    """One thing that stops steps of these phases, as a gate that holds, and how it is told."""

    gate: GateResult
    phases: tuple[Phase, ...]
    severity: Severity
    summary: str
    detail: str


def _kill_switch_stop(stops: Stops) -> _Stop | None:
    if stops.kill_switch is None:
        return None
    evidence = f"the kill switch is on: {stops.kill_switch}"
    advice = "set kill_switch to false in the settings once that is over"
    gate = GateResult("kill-switch", Verdict.HOLD, evidence, advice)
    detail = "Nothing is written as long as kill_switch is set in the settings."
    return _Stop(gate, tuple(Phase), Severity.WARNING, evidence, detail)


def _freeze_stop(stops: Stops, now: datetime) -> _Stop | None:
    until = frozen_until(stops.freeze, now)
    if until is None:
        return None
    reason = next(w.reason for w in stops.freeze if w.start <= now < w.end)
    evidence = f"nothing is written before {until.isoformat(timespec='minutes')}: {reason}"
    advice = "nothing to do: the first run after it goes on"
    gate = GateResult("freeze", Verdict.HOLD, evidence, advice, not_before=until)
    detail = "The first run after it goes on. To write before, shorten the freeze in the settings."
    return _Stop(gate, tuple(Phase), Severity.ADVISORY, evidence, detail)


def _unhealthy_stop(unhealthy: Sequence[str], count: int, limits: Limits) -> _Stop | None:
    # as it is written in the settings: 0.29 of 100 is 29, which the binary fraction is not
    is_share_over = len(unhealthy) > Fraction(str(limits.unhealthy_share)) * count
    is_count_over = limits.unhealthy_domains is not None and len(unhealthy) > limits.unhealthy_domains
    if not is_share_over and not is_count_over:
        return None
    evidence = f"{len(unhealthy)} of {count} mail domains are unhealthy: {_listed(unhealthy)}"
    most = f"limits.unhealthy_share is {limits.unhealthy_share:g}"
    if limits.unhealthy_domains is not None:
        most += f", limits.unhealthy_domains {limits.unhealthy_domains}"
    detail = (
        f"No MX moves and nothing is removed, in no mail domain ({most}). "
        "Each has errors of its own, cannot be observed, or misses verification values: mend these first."
    )
    return _Stop(_unhealthy_gate(evidence), _OF_UNHEALTHY, Severity.ERROR, evidence, detail)


def _unhealthy_gate(evidence: str) -> GateResult:
    return GateResult("unhealthy", Verdict.HOLD, evidence, "mend these first; what only adds goes on")


def _limit_gate(evidence: str, key: str) -> GateResult:
    advice = f"{_NEXT_RUN}; limits.{key} in the settings says how many"
    return GateResult("limit", Verdict.HOLD, evidence, advice)


class _Run:
    """One run: what stops it, and how many switches it has already."""

    def __init__(self, stops: Stops, found: tuple[_Stop, ...]) -> None:
        self._limits = stops.limits
        self._stops = found
        self._gates = {phase: tuple(s.gate for s in found if phase in s.phases) for phase in Phase}
        # what nobody does by hand must not use up what the program could do, so each has a count of its own
        self._switched = Counter({Status.READY: sum(stops.switched.values())})
        self._switched_of = Counter({(Status.READY, o): count for o, count in stops.switched.items()})
        self._waiting: list[str] = []
        self._held: Counter[str] = Counter()

    def gates_of(self, domain: Candidate) -> tuple[Gates, ...]:
        """What holds each step of one mail domain."""
        stopped = [self.stopped(step) for step in domain.steps]
        pairs = list(zip(domain.steps, stopped, strict=True))
        free = {step.status for step, gates in pairs if step.phase is Phase.SWITCH and not gates}
        limits = {status: self._limit(domain, status) for status in _POSSIBLE if status in free}
        return tuple(
            limits.get(step.status, ()) if step.phase is Phase.SWITCH and not gates else gates for step, gates in pairs
        )

    def stopped(self, step: Limitable) -> Gates:
        """What stops the run, where that holds the step."""
        if step.status not in _POSSIBLE:
            return ()
        gates = self._gates[step.phase]
        self._held.update(gate.id for gate in gates)
        return gates

    def _limit(self, domain: Candidate, status: Status) -> Gates:
        """Count the mail domain's switch, or say why it waits."""
        organization = domain.organization
        per_run, per_organization = self._limits.switches_per_run, self._limits.switches_per_organization
        if self._switched[status] < per_run and self._switched_of[status, organization] < per_organization:
            self._switched[status] += 1
            self._switched_of[status, organization] += 1
            return ()
        self._waiting.append(domain.written)
        if self._switched[status] >= per_run:
            evidence = f"as many mail domains switch in this run as may in one: {per_run}"
            return (_limit_gate(evidence, "switches_per_run"),)
        evidence = f"as many mail domains of {organization} switch in this run as may in one: {per_organization}"
        return (_limit_gate(evidence, "switches_per_organization"),)

    def diagnostics(self) -> Iterator[Diagnostic]:
        """What was held, each reason once; what stops nothing is not told."""
        for stop in self._stops:
            if self._held[stop.gate.id]:
                detail = f"{stop.detail} Steps that wait for it: {self._held[stop.gate.id]}."
                yield Diagnostic(stop.severity, stop.gate.id, stop.summary, detail)
        if self._waiting:
            summary = f"mail domains whose MX waits for a later run: {len(self._waiting)}: {_listed(self._waiting)}"
            detail = (
                f"One run moves at most {self._limits.switches_per_run}, and {self._limits.switches_per_organization} "
                "of one organization: see whether these are well, then run again."
            )
            yield Diagnostic(Severity.ADVISORY, "limit", summary, detail)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _EXAMPLES
    return ", ".join(names[:_EXAMPLES]) + (f" and {more} more" if more > 0 else "")
