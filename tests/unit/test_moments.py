"""Times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.moments import end_text

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "12:00"), (0.000001, "12:01"), (59, "12:01"), (60, "12:01"), (3599.5, "13:00")]
)
def test_at_the_minute_that_is_shown_the_wait_is_over(seconds: float, shown: str) -> None:
    assert end_text(NOON + timedelta(seconds=seconds)) == f"2026-11-21 {shown}+00:00"
