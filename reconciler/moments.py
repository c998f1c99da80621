"""Points in time as people read and write them: a day, or to the minute."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_MINUTE = timedelta(minutes=1)
WRITTEN_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@lru_cache(maxsize=4096)
def parse_day(text: str) -> date:
    """The day that `2026-11-01` is: one object for each, and one look at it, however often it is written.

    Raises:
        ValueError: it is not written as `WRITTEN_DAY`, or is no day of the calendar.

    """
    if not WRITTEN_DAY.fullmatch(text):
        raise ValueError("no date")
    return date.fromisoformat(text)


def end_text(moment: datetime) -> str:
    """When a wait is over, as `2026-11-21 12:01+00:00`: the first whole minute at which it is."""
    whole = moment.replace(second=0, microsecond=0)
    return (whole if whole == moment else whole + _MINUTE).isoformat(sep=" ", timespec="minutes")
