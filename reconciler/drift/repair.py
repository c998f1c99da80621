"""What mends a finding, in one sentence with the command. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.gates import Verdict
from reconciler.moments import end_text
from reconciler.plan import Status
from reconciler.targets.base import is_exchange_target

if TYPE_CHECKING:
    from reconciler.document import StepDocument


def held_by(step: StepDocument) -> tuple[str, ...]:
    """The gates that a step waits for."""
    return tuple(g.id for g in step.gates if g.verdict is not Verdict.PASS) if step.status is Status.HELD else ()


def repair_of(step: StepDocument, domain: str, *, is_out_of_band: bool) -> str:
    """The command that puts it right, or who has to do what first; `domain` is empty for an origin's step."""
    if step.status is Status.UNKNOWN:
        return "Let this machine read it, then run `reconciler drift` again: what cannot be read is left as it is."
    if step.status is Status.HELD:
        return _when_held(step)
    if step.status is Status.MANUAL:
        return _by_hand(step, domain)
    command = f"`reconciler apply --auto-approve --domain {domain}` puts it right"
    return f"{command}; if it shall stay, declare it in the manifest." if is_out_of_band else f"{command}."


def _when_held(step: StepDocument) -> str:
    waiting = [g for g in step.gates if g.verdict is not Verdict.PASS]
    if step.not_before is not None:
        until = end_text(step.not_before)
        return f"Wait: the first `reconciler apply` after {until} goes on with it."
    gate = next((g for g in waiting if g.advice), None)
    if gate is None:
        return "`reconciler plan` shows the gates that it waits for."
    return f"Before `reconciler apply` goes on ({gate.id}): {gate.advice}"


def _by_hand(step: StepDocument, domain: str) -> str:
    if step.resource.kind == "rrset":
        command = f"`reconciler emit instructions --out DIR --domain {domain}`"
        return f"{command} writes what whoever runs that DNS has to enter."
    what = "exchange" if is_exchange_target(step.resource.type) else "allowlists"
    return f"`reconciler emit {what} --out DIR` writes what to run at the origin; then make a new export, or attest it."
