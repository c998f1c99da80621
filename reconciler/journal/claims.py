"""A saved plan is used once.

A run that was killed, or in which a write failed, leaves its claim open, and the same plan may go on: every write
compares first, so what was done already is seen as done. A run that ended without a failure closes the claim for good.
Whoever claims a plan holds the journal's lock, so an open claim is nobody's at that moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from reconciler.errors import StalePlanError, error
from reconciler.journal.rows import upsert
from reconciler.journal.tables import CLAIMS

if TYPE_CHECKING:
    from datetime import datetime

OPEN, USED, INVERSE = "open", "used", "inverse"


@dataclass(slots=True)
class Claim:
    """A plan in use: used up at the end, unless something of it could not be written and may be tried again."""

    is_kept_open: bool = False


def write_claim(connection: Connection, plan_id: str, state: str, holder: str, now: datetime) -> None:
    """Say that a plan is in use, or used up."""
    upsert(connection, CLAIMS, [{"plan_id": plan_id, "state": state, "holder": holder, "at": now}])


def is_inverse_known(connection: Connection, plan_id: str) -> bool:
    """Whether a plan is an inverse that was written beside an applied one."""
    row = connection.execute(select(CLAIMS).where(CLAIMS.c.plan_id == plan_id)).one_or_none()
    return row is not None and row.state == INVERSE


def is_used(connection: Connection, plan_id: str) -> bool:
    """Whether a plan was used up; one that a run began and did not end was not."""
    row = connection.execute(select(CLAIMS).where(CLAIMS.c.plan_id == plan_id)).one_or_none()
    return row is not None and row.state == USED


def refuse_used(connection: Connection, plan_id: str) -> None:
    """Refuse a plan that was used up.

    Raises:
        StalePlanError: it was; by whom and when.

    """
    row = connection.execute(select(CLAIMS).where(CLAIMS.c.plan_id == plan_id)).one_or_none()
    if row is not None and row.state != OPEN:
        summary = f"this plan was applied before, by {row.holder} at {row.at:%Y-%m-%d %H:%M} UTC"
        detail = "Make a new one with `reconciler plan --out FILE`."
        raise StalePlanError([error("plan-used", summary, detail)])
