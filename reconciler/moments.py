"""Points in time as people read them, to the minute."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_MINUTE = timedelta(minutes=1)


def end_text(moment: datetime) -> str:
    """When a wait is over, as `2026-11-21 12:01+00:00`: the first whole minute at which it is."""
    whole = moment.replace(second=0, microsecond=0)
    return (whole if whole == moment else whole + _MINUTE).isoformat(sep=" ", timespec="minutes")
