"""One step at an origin, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.gates import GateResult
    from reconciler.manifest.fleet import Source
    from reconciler.plan import Action, Phase, Status
    from reconciler.targets.base import Enforcement


@dataclass(frozen=True, slots=True)
class ServiceStep:
    """One step at an origin. `before`, `after` and `untouched` are entries as written, or addresses to add.

    `not_before` is the earliest time at which it may be done. `enforcement` is what becomes of everybody else before
    and after a step that restricts or loosens; None for the others.
    """

    id: str
    phase: Phase
    action: Action
    status: Status
    kind: Literal["allowlist", "mail-rule"]
    target: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    untouched: tuple[str, ...]
    gates: tuple[GateResult, ...]
    reason: str
    source: Source
    not_before: datetime | None = None
    enforcement: tuple[Enforcement, Enforcement] | None = None
