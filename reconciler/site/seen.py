"""What the page is made from. Pure data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.document import PlanDocument
    from reconciler.drift import DriftDocument
    from reconciler.journal.entries import DriftCounts, Event
    from reconciler.manifest.fleet import Domain
    from reconciler.names import Name
    from reconciler.site.coverage import Coverage


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at the fleet: its plan, its drift, and what the journal remembers.

    `domains` are the declared ones of the plan. `counts` are those of the recorded looks at the whole fleet, oldest
    first; `is_whole` is False where this look was at a part of it. `gateway` is what the gateway is called.
    """

    plan: PlanDocument
    drift: DriftDocument
    domains: tuple[Domain, ...]
    gateway: str
    coverage: tuple[Coverage, ...] = ()
    timelines: Mapping[Name, Sequence[Event]] = field(default_factory=dict)
    counts: Sequence[DriftCounts] = ()
    is_whole: bool = True
