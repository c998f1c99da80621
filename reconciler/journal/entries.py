"""What goes into the journal and comes out of it. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.manifest.fleet import Lifecycle

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from reconciler.diff import Change
    from reconciler.names import Name
    from reconciler.state import Key, Rdata


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one mail domain.

    `shown` and `is_complete` are as in `history.with_mx_seen`: the MX rrsets (sorted values, TTL in seconds) of the
    servers that answered, and whether every server did. `open_steps` are the ids of the steps that are not done,
    and of the hazards that were found.
    `tokens_visible` says whether every server shows every wanted verification value, None where that is not known.
    `next_hops` are the declared ones. `is_switched`: a server showed a host of the gateway in the MX; `is_gone`: the
    domain has left.
    """

    domain: Name
    organization: str
    shown: frozenset[tuple[tuple[Rdata, ...], int | None]]
    is_complete: bool
    open_steps: frozenset[str] = frozenset()
    tokens_visible: bool | None = None
    next_hops: tuple[Name, ...] = ()
    is_switched: bool = False
    is_gone: bool = False
    lifecycle: Lifecycle = Lifecycle.ACTIVE


@dataclass(frozen=True, slots=True)
class AppliedChange:
    """One change that was written to DNS, with where it came from."""

    domain: Name
    organization: str
    step_id: str
    change: Change
    provider: str
    commit: str | None
    run_id: str
    plan_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class KnownDomain:
    """What the last look, and every write, left of one mail domain: enough to tell that it is orphaned.

    `written` are the values that the program added and has not removed since.
    """

    organization: str
    lifecycle: Lifecycle
    is_switched: bool
    is_gone: bool
    last_seen: datetime
    written: frozenset[tuple[Key, Rdata]] = frozenset()


class EventKind(StrEnum):
    """What happened."""

    DIFFERENCE_SEEN = "difference-seen"
    DIFFERENCE_CLOSED = "difference-closed"
    APPLIED = "applied"
    MX_SEEN = "mx-seen"
    MX_GONE = "mx-gone"
    TOKENS_VISIBLE = "tokens-visible"
    TOKENS_HIDDEN = "tokens-hidden"
    NEXT_HOPS_CHANGED = "next-hops-changed"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a mail domain's timeline.

    `step_id` is set for differences and applied changes, `values` and `ttl` (seconds) for an MX rrset, `values` for
    next hops (the new ones), `change` for what was applied.
    """

    at: datetime
    kind: EventKind
    step_id: str = ""
    values: tuple[str, ...] = ()
    ttl: int | None = None
    change: AppliedChange | None = None


@dataclass(frozen=True, slots=True)
class ReviewedPlan:
    """A plan that was reviewed and applied, with steps that are still held: its JSON document, and since when."""

    plan_id: str
    document: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """Something that people were told of by a notification: a key of ours, its text, and when."""

    key: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DriftCounts:
    """How much drift one recorded look at the whole fleet found: numbers by name, as `critical` or `domains`."""

    at: datetime
    counts: Mapping[str, int]
