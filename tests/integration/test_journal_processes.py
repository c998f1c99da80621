"""Several processes and one journal, in an SQLite file; the same for PostgreSQL is in test_journal_postgresql.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from journal_lab import Place, SqlitePlace
from journal_processes import LONG_SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("scenario", LONG_SCENARIOS, ids=lambda s: s.__name__)
def test_in_sqlite(scenario: Callable[[Place], None], tmp_path: Path) -> None:
    scenario(SqlitePlace(tmp_path))
