"""What a plan is made of: changes in their phases with what they wait for, and how far a mail domain is. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.diff import Change
    from reconciler.errors import Diagnostic
    from reconciler.gates import GateResult
    from reconciler.manifest.fleet import Domain, Source
    from reconciler.names import Name
    from reconciler.state import Key, Rdata


class Phase(StrEnum):
    """Where a step stands in the one order."""

    EXPAND = "expand"
    SWITCH = "switch"
    CONTRACT = "contract"


class Action(StrEnum):
    """What a step does to its rrset as a whole."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    NO_OP = "no-op"


class Status(StrEnum):
    """Whether a step can be done now, and by whom."""

    READY = "ready"
    HELD = "held"
    MANUAL = "manual"
    DONE = "done"
    UNKNOWN = "unknown"


class Stage(StrEnum):
    """How far a domain is, in the order of its life."""

    UNKNOWN = "unknown"
    DECLARED = "declared"
    VERIFYING = "verifying"
    READY = "ready"
    SWITCHED = "switched"
    PROTECTED = "protected"
    LEAVING = "leaving"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Step:
    """One change with its gates. `change` is None where the observed state is unknown; `reason` then says why.

    `not_before` is the earliest time at which it may be done, None where it need not wait for a time. `wanted` are the
    declared values where what is there is unknown; elsewhere the change has them.
    """

    id: str
    phase: Phase
    action: Action
    status: Status
    key: Key
    provider: str
    change: Change | None
    gates: tuple[GateResult, ...]
    reason: str
    source: Source
    not_before: datetime | None = None
    wanted: tuple[Rdata, ...] = ()


@dataclass(frozen=True, slots=True)
class DomainPlan:
    """One mail domain's steps in their order, and what is worth saying about it."""

    domain: Domain
    zone: Name | None
    stage: Stage
    steps: tuple[Step, ...]
    diagnostics: tuple[Diagnostic, ...]
