"""From many records to few messages: one for each event and organization, and at most so many in a run. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from reconciler.drift import DriftSeverity
from reconciler.notify.record import Event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.notify.record import Record

_EVENTS = list(Event)
_SEVERITIES = [s.value for s in DriftSeverity]


class Group(NamedTuple):
    """What is told of one organization, and how often; the worst first."""

    event: Event
    organization: str
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of one group; the last one of a run may count several groups that had no room of their own."""

    groups: tuple[Group, ...]

    @property
    def records(self) -> tuple[Record, ...]:
        """Everything that is told when the message was taken."""
        return tuple(record for group in self.groups for record in group.records)

    @property
    def severity(self) -> str:
        """The worst severity of what begins; empty where it has none."""
        begun = [r for g in self.groups if g.event is not Event.DRIFT_CLOSED for r in g.records]
        return next((s for s in _SEVERITIES if any(r.matter.severity == s for r in begun)), "")


def build_messages(records: Iterable[Record], per_run: int) -> list[Message]:
    """What one endpoint is sent in this run, the worst first; nothing is left out."""
    grouped: dict[tuple[Event, str], list[Record]] = defaultdict(list)
    for record in records:
        if record.event is not None:
            grouped[record.event, record.matter.organization].append(record)
    groups = [Group(event, name, tuple(sorted(found, key=_worst_first))) for (event, name), found in grouped.items()]
    groups.sort(key=lambda g: (_EVENTS.index(g.event), _rank(g.records[0]), g.organization))
    alone = groups if len(groups) <= per_run else groups[: per_run - 1]
    messages = [Message((group,)) for group in alone]
    rest = tuple(groups[len(alone) :])
    return [*messages, Message(rest)] if rest else messages


def _worst_first(record: Record) -> tuple[int, str, str]:
    return _rank(record), record.matter.domain, record.matter.identity


def _rank(record: Record) -> int:
    known = record.matter.severity in _SEVERITIES
    return _SEVERITIES.index(record.matter.severity) if known else len(_SEVERITIES)
