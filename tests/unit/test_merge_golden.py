"""Every golden plan and drift, looked at in shards and put together: the same bytes as of one process."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from builders import NOW
from shard_lab import Kind, merged, rendered, shards, whole

from reconciler.cli import main

GOLDEN = Path(__file__).parent.parent / "golden"
CASES = [(kind, case.name) for kind in ("plan", "drift") for case in sorted((GOLDEN / kind).iterdir())]


def _apply_a_day_before(applied: Path) -> None:
    """The zones that were there a day before are applied to; then the ones of today are there."""
    Path("zones").rename("today")
    shutil.copytree(applied, "zones")
    for minutes in (0, 5):
        main(["--now", (NOW - timedelta(days=1) + timedelta(minutes=minutes)).isoformat(), "apply", "--auto-approve"])
    shutil.rmtree("zones")
    Path("today").rename("zones")


@pytest.mark.parametrize(("kind", "case"), CASES)
def test_shards_put_together_are_the_golden_case(
    kind: Kind, case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = GOLDEN / kind / case
    shutil.copytree(given, tmp_path / case, ignore=shutil.ignore_patterns("plan.*", "drift.*", "applied"))
    monkeypatch.chdir(tmp_path / case)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    if (given / "applied").is_dir():
        _apply_a_day_before(given / "applied")
    one = rendered(whole(kind))
    assert {rendered(merged(shards(kind, count))) for count in (1, 2, 7)} == {one}
