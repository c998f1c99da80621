"""What the journal tells of one mail domain, as the search for drift asks it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.history import NO_HISTORY
from reconciler.journal.entries import Event, EventKind
from reconciler.state import Rdata, mx_exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from reconciler.history import History
    from reconciler.journal.entries import AppliedChange
    from reconciler.names import Name
    from reconciler.state import Key


@dataclass(frozen=True, slots=True)
class Remembered:
    """A mail domain's history and timeline before the look at `now`.

    `is_whole` is False for a journal that is an older copy of itself: what it does not tell may have been.
    """

    now: datetime
    history: History = NO_HISTORY
    events: tuple[Event, ...] = ()
    is_whole: bool = True

    def last_applied(self, key: Key) -> AppliedChange | None:
        """What was written last to an rrset; None where nothing was, or where newer lines may be lost."""
        changes = [e.change for e in self.events if e.change is not None and e.change.change.key == key]
        return changes[-1] if changes and self.is_whole else None

    def since(self, what: str) -> datetime:
        """Since when a step or a hazard is seen; now where it was not seen before."""
        return self.history.first_seen.get(what, self.now)

    def was_done(self, step_id: str) -> bool:
        """Whether a step was seen open once, and then no longer."""
        return any(e.kind is EventKind.DIFFERENCE_CLOSED and e.step_id == step_id for e in self.events)

    def is_mx_moved(self, observed: Iterable[str], difference_since: datetime) -> bool | None:
        """Whether the MX changed when it began to differ; None where nobody looked before that.

        Where it did not, it is what was wanted that changed.
        """
        told = {e.at for e in self.events if e.kind is EventKind.MX_SEEN}
        first_look = min((*told, *(s.first_seen for s in self.history.mx)), default=self.now)
        if not self.is_whole or not self.history.mx or difference_since <= first_look:
            return None
        if difference_since < self.now:
            return difference_since in told
        values = tuple(sorted(observed))
        return all(s.gone is not None or s.rdatas != values for s in self.history.mx)

    def was_behind(self, key: Key, is_gateway: Callable[[Name], bool]) -> bool:
        """Whether mail went through the gateway once, and was not led away from it by this program since."""
        last = self.last_applied(key)
        if last is not None:
            return any(is_gateway(mx_exchange(v)) for v in last.change.wanted)
        seen = [s.rdatas for s in self.history.mx]
        told = [e.values for e in self.events if e.kind is EventKind.MX_SEEN]
        return any(is_gateway(mx_exchange(Rdata(v))) for values in (*seen, *told) for v in values)
