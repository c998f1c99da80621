"""What must hold of every journal, in an SQLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from journal_kept_scenarios import KEPT_SCENARIOS
from journal_lab import Place, SqlitePlace
from journal_scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("scenario", [*SCENARIOS, *KEPT_SCENARIOS], ids=lambda s: s.__name__)
def test_in_sqlite(scenario: Callable[[Place], None], tmp_path: Path) -> None:
    scenario(SqlitePlace(tmp_path))
