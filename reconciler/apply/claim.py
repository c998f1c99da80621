"""A saved plan is used once: a claim in the state folder, held while it is applied and kept when it is done.

A run that was killed, or in which a write failed, leaves its claim open, and the same plan may go on: every write
compares first, so what was done already is seen as done. A run that ended without a failure closes the claim for good.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import Diagnostic, Severity, StalePlanError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OPEN, _USED = b"open\n", b"used\n"


@dataclass(slots=True)
class Claim:
    """A plan in use: used up at the end, unless something of it could not be written and may be tried again."""

    is_kept_open: bool = False


@contextmanager
def claimed(plan_id: str, state_directory: Path) -> Iterator[Claim]:
    """Hold the claim on a plan (its `sha256:` id).

    On leaving without an exception the plan is used up, unless the claim was kept open.

    Raises:
        StalePlanError: the plan was used, or another process is applying it at this moment.
        OSError: the state folder cannot be written.

    """
    folder = state_directory / "used-plans"
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / plan_id.replace(":", "-"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise _stale("this plan is being applied by another process", "Wait for it to end.") from exc
        if os.pread(descriptor, len(_USED), 0) == _USED:
            raise _stale("this plan was applied before", "Make a new one with `reconciler plan --out FILE`.")
        # as long as what closes it: a disk that is full says so before the first write to DNS, not after the last
        os.pwrite(descriptor, _OPEN, 0)
        os.fsync(descriptor)
        claim = Claim()
        yield claim
        if not claim.is_kept_open:
            os.pwrite(descriptor, _USED, 0)
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _stale(summary: str, detail: str) -> StalePlanError:
    return StalePlanError([Diagnostic(Severity.ERROR, "plan-used", summary, detail)])
