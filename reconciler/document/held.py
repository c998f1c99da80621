"""A step of a document that is held by more than its own gates. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.document.models import GateDocument
from reconciler.plan import Status

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from reconciler.document.models import StepDocument
    from reconciler.gates import GateResult


def held_step(step: StepDocument, gates: Iterable[GateResult], not_before: datetime | None) -> StepDocument:
    """The step held by these gates too; `not_before` is when it goes on by itself, None where it does not."""
    documents = [GateDocument.model_validate(gate, from_attributes=True) for gate in gates]
    return step.model_copy(update={"status": Status.HELD, "gates": [*step.gates, *documents], "not_before": not_before})
