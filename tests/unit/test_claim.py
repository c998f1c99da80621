"""A saved plan is used once: claims between real processes."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from reconciler.apply.claim import claimed
from reconciler.errors import ExitCode, StalePlanError

if TYPE_CHECKING:
    from pathlib import Path

PLAN = "sha256:" + "a" * 64
HOLD = (
    "import sys; from pathlib import Path; from reconciler.apply.claim import claimed\n"
    "with claimed(sys.argv[1], Path(sys.argv[2])):\n"
    "    print('claimed', flush=True); sys.stdin.readline()\n"
)


def _holder(state: Path) -> subprocess.Popen[str]:
    """Another process that holds the claim until it reads a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, PLAN, str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "claimed\n"
    return process


def _refusal(state: Path, plan: str = PLAN) -> str:
    with pytest.raises(StalePlanError) as caught, claimed(plan, state):
        pass
    assert caught.value.exit_code is ExitCode.STALE
    (problem,) = caught.value.diagnostics
    return problem.summary


def test_a_plan_that_was_used_is_refused_and_another_is_not(tmp_path: Path) -> None:
    with claimed(PLAN, tmp_path / "state"):
        pass
    assert _refusal(tmp_path / "state") == "this plan was applied before"
    with claimed("sha256:" + "b" * 64, tmp_path / "state"):
        pass


def test_an_apply_that_was_stopped_leaves_its_claim_open(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), claimed(PLAN, tmp_path):
        raise KeyboardInterrupt
    with claimed(PLAN, tmp_path):
        pass
    assert _refusal(tmp_path) == "this plan was applied before"


def test_a_claim_that_is_kept_open_may_be_taken_again(tmp_path: Path) -> None:
    """A write failed: what was reviewed may be tried again."""
    with claimed(PLAN, tmp_path) as claim:
        claim.is_kept_open = True
    with claimed(PLAN, tmp_path):
        pass
    assert _refusal(tmp_path) == "this plan was applied before"


def test_a_full_disk_is_said_before_anything_is_written(tmp_path: Path) -> None:
    """To close a claim takes no more room than to open it."""
    with claimed(PLAN, tmp_path):
        (file,) = (tmp_path / "used-plans").iterdir()
        size = file.stat().st_size
    assert file.stat().st_size == size > 0


def test_a_plan_in_use_by_another_process_is_refused_until_that_ends(tmp_path: Path) -> None:
    with _holder(tmp_path) as other:
        assert _refusal(tmp_path) == "this plan is being applied by another process"
        other.communicate("\n", timeout=30)
        assert other.returncode == 0
    assert _refusal(tmp_path) == "this plan was applied before"


def test_a_killed_process_leaves_its_claim_open(tmp_path: Path) -> None:
    with _holder(tmp_path) as other:
        other.kill()
        other.wait(timeout=30)
    with claimed(PLAN, tmp_path):
        pass


def test_a_state_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(OSError, match="state"), claimed(PLAN, tmp_path / "state"):
        pass


def test_nobody_else_may_read_what_was_applied(tmp_path: Path) -> None:
    with claimed(PLAN, tmp_path):
        pass
    (file,) = (tmp_path / "used-plans").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert ":" not in file.name
