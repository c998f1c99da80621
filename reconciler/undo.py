"""The file beside an applied plan that undoes it: written by an apply, known to the journal, and no other is taken."""

from __future__ import annotations

from itertools import chain, count
from typing import TYPE_CHECKING

from reconciler.document import render_document
from reconciler.errors import StalePlanError, error
from reconciler.files import write_atomically
from reconciler.inverse import build_inverse
from reconciler.limits import frozen_until
from reconciler.plan import Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reconciler.document import PlanDocument, StepDocument
    from reconciler.session import Session

UNDO_ENDING = ".undo.json"


def undo_file(file: Path) -> Path:
    """Where the inverse plan goes: that of an earlier run of the same plan, of which it is all there is, stays."""
    endings = chain([UNDO_ENDING], (f".{i}{UNDO_ENDING}" for i in count(2)))
    return next(path for ending in endings if not (path := file.with_name(f"{file.stem}{ending}")).exists())


def write_inverse(
    session: Session, plan: PlanDocument, applied: Mapping[str, Sequence[StepDocument]], file: Path
) -> PlanDocument:
    """Write the plan that undoes what was applied, or is about to be; the journal knows it before the file is there."""
    invocation = session.invocation
    inverse = build_inverse(plan, applied, invocation.settings.waits, invocation.moment())
    file.parent.mkdir(parents=True, exist_ok=True)
    session.journal.record_inverse(inverse.id, invocation.holder, inverse.created_at)
    write_atomically(file, render_document(inverse).encode(), mode=0o600)
    return inverse


def refuse_inverse(inverse: PlanDocument, session: Session) -> None:
    """Refuse to undo by a file that no apply wrote, at a time when nothing may be written, or to nobody knows whom.

    Raises:
        StalePlanError: one of these, and what to do.

    """
    invocation, settings = session.invocation, session.invocation.settings
    if not session.journal.is_inverse_known(inverse.id):
        summary = "the journal does not know this plan: no apply wrote it as it is"
        raise StalePlanError([error("unknown-inverse", summary, "Revert the commit instead, and plan again.")])
    if settings.kill_switch is not None:
        summary = f"the kill switch is on: {settings.kill_switch}"
        raise StalePlanError([error("kill-switch", summary, "Set kill_switch to false once that is over.")])
    until = frozen_until(settings.freeze, invocation.now)
    if until is not None:
        summary = f"nothing is written before {until.isoformat(timespec='minutes')}: it is a freeze"
        raise StalePlanError([error("freeze", summary, "To undo before, shorten the freeze in the settings.")])
    providers = {s.provider for d in inverse.domains for s in d.steps if s.status is Status.READY}
    unknown = sorted(providers - settings.providers.keys())
    if unknown:
        summary = f"provider {unknown[0]!r}, by which the plan was applied, is not in the settings"
        detail = "Add its octoDNS block under `providers:` again, or revert the commit and plan anew."
        raise StalePlanError([error("unknown-provider", summary, detail)])
