"""What a gate is: a stable id and a pure look at one mail domain's facts that ends in a verdict.

Gates never write. They read what was observed, never what was just sent. Whatever is unknown holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from reconciler.catalog import Catalog
    from reconciler.desired import DesiredDomain
    from reconciler.manifest.fleet import Domain
    from reconciler.origin import AllowlistFact
    from reconciler.state import Key, Observation


class Verdict(StrEnum):
    """A step runs when every one of its gates says pass."""

    PASS = "pass"  # noqa: S105 - no password
    HOLD = "hold"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a gate may look at: the mail domain, what it shall be, what was observed, and the day.

    `allowlists` are those of the domain's service.
    """

    desired: DesiredDomain
    observations: Mapping[Key, Observation]
    catalog: Catalog
    today: date
    allowlists: tuple[AllowlistFact, ...] = ()

    @property
    def domain(self) -> Domain:
        """The mail domain."""
        return self.desired.domain


@dataclass(frozen=True, slots=True)
class GateResult:
    """`evidence` says in one sentence what was seen; `advice`, empty after a pass, what the user can do.

    `is_waived` marks a pass that a person's waiver made of something else.
    """

    id: str
    verdict: Verdict
    evidence: str
    advice: str = ""
    is_waived: bool = False


class Gate(Protocol):
    """One condition for a step."""

    @property
    def id(self) -> str:
        """The stable id, which waivers name."""
        ...

    def judge(self, facts: Facts) -> GateResult:
        """Look at the facts."""
        ...
