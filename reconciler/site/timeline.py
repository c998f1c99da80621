"""A mail domain's timeline from the journal, in words. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reconciler.journal.entries import EventKind
from reconciler.names import display_name
from reconciler.site.cards import moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.journal.entries import AppliedChange, Event

SHOWN_EVENTS = 40

_WORDS = {
    EventKind.DIFFERENCE_SEEN: "difference seen",
    EventKind.DIFFERENCE_CLOSED: "difference closed",
    EventKind.APPLIED: "written",
    EventKind.MX_SEEN: "MX seen",
    EventKind.MX_GONE: "MX gone",
    EventKind.TOKENS_VISIBLE: "verification values visible",
    EventKind.TOKENS_HIDDEN: "verification values no longer visible",
    EventKind.NEXT_HOPS_CHANGED: "next hops changed",
}


class Line(NamedTuple):
    """One line: when, to the minute in UTC, what happened, and to what."""

    at: str
    what: str
    about: tuple[str, ...]


def build_timeline(events: Sequence[Event]) -> tuple[tuple[Line, ...], int]:
    """The newest lines, the newest first, and how many earlier ones the journal has."""
    shown = tuple(_line(event) for event in reversed(events[-SHOWN_EVENTS:]))
    return shown, len(events) - len(shown)


def _line(event: Event) -> Line:
    at, what = moment(event.at), _WORDS[event.kind]
    if event.change is not None:
        return Line(at, f"{what} by {event.change.provider}", tuple(_change(event.change)))
    if event.kind is EventKind.MX_SEEN and not event.values:
        return Line(at, "no MX seen", ())
    if event.kind is EventKind.MX_GONE and not event.values:
        return Line(at, "there is an MX again", ())
    values = tuple(v.removesuffix(".") for v in event.values) if event.values else ()
    ttl = (f"TTL {event.ttl}",) if event.ttl is not None else ()
    return Line(at, what, (event.step_id,) if event.step_id else (*values, *ttl))


def _change(applied: AppliedChange) -> list[str]:
    change = applied.change
    lines = [f"{change.key.type} {display_name(change.key.name)}"]
    lines += [f"+ {value}" for value in sorted(change.added)]
    lines += [f"- {value}" for value in sorted(change.removed)]
    if not change.added and not change.removed:
        lines.append(f"TTL {change.ttl_before} to {change.ttl}")
    if applied.commit is not None:
        lines.append(f"of commit {applied.commit[:12]}")
    return lines
