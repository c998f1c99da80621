"""What is told and to whom, and how far that is: one record for each matter and endpoint. Pure data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE = timedelta(hours=72)
"""How long an endpoint that takes nothing is tried again; older documents are no news."""


class Event(StrEnum):
    """What people can be told, by the words of the settings; the order is the one in which it is told."""

    DRIFT_OPENED = "drift-opened"
    HOLD_TOO_LONG = "hold-too-long"
    SWITCH_DONE = "switch-done"
    DRIFT_CLOSED = "drift-closed"


class Subject(StrEnum):
    """What a matter is: a finding of drift, a finding whose repair is held, an MX that moved."""

    DRIFT = "drift"
    HOLD = "hold"
    SWITCH = "switch"


BEGINNINGS = {
    Subject.DRIFT: Event.DRIFT_OPENED,
    Subject.HOLD: Event.HOLD_TOO_LONG,
    Subject.SWITCH: Event.SWITCH_DONE,
}
ENDINGS = {Subject.DRIFT: Event.DRIFT_CLOSED}


class Standing(StrEnum):
    """How far the telling of a matter is.

    * waiting: it is to be told that it began, and no message about it was taken yet;
    * told: it was, and as far as known it lasts;
    * ending: it was told, and its end is to be told;
    * ended: nothing is to be told of it. Kept for a while, so that an older document does not begin it again;
    * given-up: the endpoint took nothing for as long as it is tried; the matter lasts.
    """

    WAITING = "waiting"
    TOLD = "told"
    ENDING = "ending"
    ENDED = "ended"
    GIVEN_UP = "given-up"


@dataclass(frozen=True, slots=True)
class Matter:
    """Something that can be told, as it was when it was last looked at; texts are hostile, and of bounded length.

    `identity` is a finding's fingerprint; of a switch a digest over the step and its run. `domain` is empty for what is
    a whole service's. `before` and `after` are MX values, `about` is the rrset or list, `advice` what to do,
    `severity` a word of drift's, empty for a switch. `breadth` is how many domains of the organization were looked at.
    """

    subject: Subject
    identity: str
    organization: str
    domain: str
    about: str
    summary: str
    severity: str = ""
    advice: str = ""
    age_hours: int = 0
    held_by: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    breadth: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """One matter at one endpoint. `at` is since when it stands so, `seen` is the time of the look that said so."""

    endpoint: str
    matter: Matter
    standing: Standing
    at: datetime
    seen: datetime

    @property
    def key(self) -> str:
        """The same for the same matter and endpoint."""
        return record_key(self.endpoint, self.matter.subject, self.matter.identity)

    @property
    def event(self) -> Event | None:
        """What is to be told; None where that is nothing."""
        if self.standing is Standing.WAITING:
            return BEGINNINGS[self.matter.subject]
        return ENDINGS.get(self.matter.subject) if self.standing is Standing.ENDING else None

    def taken(self, now: datetime) -> Record:
        """As it stands when the endpoint took the message; of the texts what its end will be told with is kept."""
        standing = Standing.TOLD if self.standing is Standing.WAITING else Standing.ENDED
        kept = replace(self.matter, advice="", age_hours=0, held_by=(), before=(), after=())
        return replace(self, matter=kept, standing=standing, at=now)


Records = dict[str, Record]
"""Records by their keys."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is told: these events, drift of `severity` or worse, of these organizations; none: of all."""

    events: frozenset[Event]
    severities: frozenset[str]
    organizations: frozenset[str] = frozenset()

    def wants(self, event: Event, matter: Matter) -> bool:
        """Whether it is to be told. The end of what was told is told whatever its severity is by then."""
        if event not in self.events or (self.organizations and matter.organization not in self.organizations):
            return False
        return event is not Event.DRIFT_OPENED or matter.severity in self.severities


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where messages go. `name` is the environment variable that holds its URL; the URL itself is nowhere here."""

    name: str
    rules: tuple[Rule, ...]

    @property
    def id(self) -> str:
        """How records name it: a digest of the variable's name, never of the URL."""
        return sha256(self.name.encode()).hexdigest()[:16]

    def wants(self, event: Event, matter: Matter) -> bool:
        """Whether any of its rules wants that told."""
        return any(rule.wants(event, matter) for rule in self.rules)


def record_key(endpoint: str, subject: Subject, identity: str) -> str:
    """How the journal names the record of a matter at an endpoint."""
    return f"{KEYS}{endpoint}/{subject.value}/{identity}"


KEYS = "notify/"
"""What the keys of these records begin with: the journal may keep other things that were told."""


def changed(before: Mapping[str, Record], after: Mapping[str, Record]) -> tuple[list[Record], list[str]]:
    """The records to keep anew, and the keys to forget."""
    return [r for k, r in after.items() if before.get(k) != r], [k for k in before if k not in after]
