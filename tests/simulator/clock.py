"""Time in the simulated world: whole seconds since its beginning, and what is going to happen, in order."""

from __future__ import annotations

import heapq
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MINUTE, HOUR, DAY = 60, 3600, 86400
BEGINNING = datetime(2027, 1, 1, 9, tzinfo=UTC)


def wall_clock(seconds: int) -> datetime:
    """The time as the planner reads it."""
    return BEGINNING + timedelta(seconds=seconds)


class Clock:
    """The time now, and the events to come; `watch` is called with each span of time before it passes."""

    def __init__(self) -> None:
        """Begin at the beginning."""
        self.now = 0
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self.watchers: list[Callable[[], None]] = []

    def schedule(self, when: int, event: Callable[[], None]) -> None:
        """Let something happen at `when`, after everything else that was scheduled for that second."""
        self._count += 1
        heapq.heappush(self._events, (max(when, self.now), self._count, event))

    def advance(self, until: int) -> None:
        """Let time pass up to `until`, with all that happens on the way; the world is watched after each event."""
        while self._events and self._events[0][0] <= until:
            self.now, _, event = heapq.heappop(self._events)
            event()
            self.watch()
        self.now = max(self.now, until)
        self.watch()

    def watch(self) -> None:
        """Let everybody look who watches the world."""
        for watcher in self.watchers:
            watcher()
