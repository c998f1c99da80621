"""What the settings say of how much one run may do, and when. Pure."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


# as in the settings: a named tuple's class is made in a third of the time of a frozen dataclass, at every start


class Limits(NamedTuple):
    """How much one run may do.

    `unhealthy_share` (0 to 1) and `unhealthy_domains` are the most that is still taken for healthy; no number of
    domains counts where the latter is None.
    """

    switches_per_run: int = 50
    switches_per_organization: int = 10
    unhealthy_share: float = 0.1
    unhealthy_domains: int | None = None


DEFAULT_LIMITS = Limits()


class FreezeWindow(NamedTuple):
    """A time in which nothing is written; `end` is the first moment after it."""

    start: datetime
    end: datetime
    reason: str


class Stops(NamedTuple):
    """What holds steps whatever their gates say.

    `kill_switch` is why nothing may be written, None where it is off. `switched` is how many mail domains of each
    organization this run has switched already.
    """

    limits: Limits
    freeze: tuple[FreezeWindow, ...] = ()
    kill_switch: str | None = None
    switched: Mapping[str, int] = MappingProxyType({})


def frozen_until(freeze: Sequence[FreezeWindow], now: datetime) -> datetime | None:
    """When the freeze of now is over, windows that touch or overlap taken as one; None outside of every window."""
    end = now
    for window in sorted(freeze, key=lambda w: w.start):
        if window.start <= end < window.end:
            end = window.end
    return end if end > now else None
