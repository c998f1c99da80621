"""What a drift finding is: one thing that is not as declared, or not as it was last applied. Pure data."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.manifest.fleet import DriftIgnore, Source


class DriftClass(StrEnum):
    """Why it differs.

    * out-of-band: somebody changed the world: it is not as it was last applied, or last seen;
    * unapplied: it was declared and never applied;
    * catalog: the manifest is as it was when it was applied, and the catalog wants something else since;
    * pending: applied and not visible everywhere yet, or a step that waits for its gates;
    * unknown: it could not be read;
    * orphaned: no manifest declares it any more.
    """

    OUT_OF_BAND = "out-of-band"
    UNAPPLIED = "unapplied"
    CATALOG = "catalog"
    PENDING = "pending"
    UNKNOWN = "unknown"
    ORPHANED = "orphaned"


class DriftSeverity(StrEnum):
    """How bad it is for mail; the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    def is_at_least(self, other: DriftSeverity) -> bool:
        """Whether it is as bad as `other`, or worse."""
        order = list(DriftSeverity)
        return order.index(self) <= order.index(other)


class Cause(NamedTuple):
    """A class, and whether the journal shows it; `text` is what the journal shows, empty where that is nothing."""

    drift_class: DriftClass
    is_certain: bool
    text: str = ""


def certain(drift_class: DriftClass, text: str = "") -> Cause:
    """A cause that the journal, or the plan, shows."""
    return Cause(drift_class, is_certain=True, text=text)


def uncertain(drift_class: DriftClass, text: str) -> Cause:
    """The likeliest cause, where nothing shows it; `text` says what is not known."""
    return Cause(drift_class, is_certain=False, text=text)


class Resource(NamedTuple):
    """What a finding is about: as in a plan, but a service's list is named with its target and its own name."""

    kind: Literal["rrset", "allowlist", "mail-rule"]
    name: str
    type: str
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `domain` is as displayed, and empty where it is about a whole service.

    `expected` and `observed` are values as in a plan's steps. `held_by` are the gates that the repair waits for, until
    `not_before` where they end by themselves. `source` is None where nothing declares it.
    """

    code: str
    cause: Cause
    severity: DriftSeverity
    organization: str
    domain: str
    resource: Resource | None
    expected: tuple[str, ...]
    observed: tuple[str, ...]
    first_seen: datetime
    summary: str
    repair: str
    source: Source | None
    held_by: tuple[str, ...] = ()
    not_before: datetime | None = None
    ignored_by: DriftIgnore | None = None

    @property
    def fingerprint(self) -> str:
        """The same as long as the finding lasts, whatever class, severity and values it has: hexadecimal SHA-256."""
        about = (self.resource.kind, self.resource.name, self.resource.type) if self.resource else ("", "", "")
        text = json.dumps([self.organization, self.domain, *about, self.code], ensure_ascii=True)
        return hashlib.sha256(text.encode("ascii")).hexdigest()
