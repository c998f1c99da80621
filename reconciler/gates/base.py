"""What a gate is: a stable id and a pure look at one mail domain's facts that ends in a verdict.

Gates never write. They read what was observed, never what was just sent. Whatever is unknown holds. A hazard looks at
the same facts and is told as a diagnostic; a class may be both.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from reconciler.errors import Diagnostic
from reconciler.history import DEFAULT_WAITS, NO_HISTORY
from reconciler.names import display_name
from reconciler.surroundings import NOT_PROBED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from reconciler.catalog import Catalog
    from reconciler.desired import DesiredDomain
    from reconciler.errors import Severity
    from reconciler.history import History, Waits
    from reconciler.manifest.fleet import Domain
    from reconciler.origin import AllowlistFact
    from reconciler.state import Key, Observation
    from reconciler.surroundings import Surroundings


class Verdict(StrEnum):
    """A step runs when every one of its gates says pass."""

    PASS = "pass"  # noqa: S105 - no password
    HOLD = "hold"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a gate may look at: the mail domain, what it shall be, what was observed and remembered, the time.

    `allowlists` are those of the domain's service; `surroundings` are probed only where the MX is to move.
    """

    desired: DesiredDomain
    observations: Mapping[Key, Observation]
    catalog: Catalog
    now: datetime
    allowlists: tuple[AllowlistFact, ...] = ()
    surroundings: Surroundings = NOT_PROBED
    history: History = NO_HISTORY
    waits: Waits = DEFAULT_WAITS

    @property
    def today(self) -> date:
        """The day (UTC) on which attestations and waivers count or do not."""
        return self.now.date()

    @property
    def domain(self) -> Domain:
        """The mail domain."""
        return self.desired.domain


@dataclass(frozen=True, slots=True)
class GateResult:
    """`evidence` says in one sentence what was seen; `advice`, empty after a pass, what the user can do.

    A pass with advice is something that does not stop the step and that somebody should know before it. `is_waived`
    marks a pass that a person's waiver made of something else. `not_before` is when a hold ends by itself.
    """

    id: str
    verdict: Verdict
    evidence: str
    advice: str = ""
    is_waived: bool = False
    not_before: datetime | None = None


class Gate(Protocol):
    """One condition for a step."""

    @property
    def id(self) -> str:
        """The stable id, which waivers name."""
        ...

    def judge(self, facts: Facts) -> GateResult:
        """Look at the facts."""
        ...


class Hazard(Protocol):
    """Something that can go wrong for one mail domain, told as a diagnostic: never part of a step."""

    @property
    def id(self) -> str:
        """The stable code of its diagnostics."""
        ...

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        ...

    def find(self, facts: Facts) -> Iterator[Diagnostic]:
        """Look at the facts; nothing comes where the hazard was not seen."""
        ...


def build_diagnostic(hazard: Hazard, facts: Facts, summary: str, detail: str) -> Diagnostic:
    """The hazard at the place where the domain is declared."""
    source = facts.domain.source
    name = display_name(facts.domain.name)
    return Diagnostic(hazard.severity, hazard.id, summary, detail, source.file, source.line, domain=name)


_WORST_FIRST = (Verdict.HOLD, Verdict.UNKNOWN, Verdict.PASS)


def combined(results: Sequence[GateResult]) -> GateResult:
    """One result for several of one gate, of which there is at least one: the worst verdict, and what led to it."""
    verdict = next(v for v in _WORST_FIRST if any(r.verdict is v for r in results))
    worst = [r for r in results if r.verdict is verdict]
    times = [r.not_before for r in worst if r.not_before is not None]
    return GateResult(
        worst[0].id,
        verdict,
        _joined(r.evidence for r in worst),
        _joined(r.advice for r in worst),
        not_before=max(times, default=None),
    )


def _joined(sentences: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(s for s in sentences if s))
