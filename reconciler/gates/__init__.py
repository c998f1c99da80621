"""Gates: what a step waits for. Each is one small pure class in a file of its own; `judge_gates` applies waivers.

A new gate is a new file, a place in one of the two tuples below, and its id among the manifests' `KNOWN_GATES`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.gates.allowlist import AllowlistCovers
from reconciler.gates.base import Facts, Gate, GateResult, Verdict
from reconciler.gates.switch_observed import SwitchObserved
from reconciler.gates.token_visible import TokenVisible

if TYPE_CHECKING:
    from collections.abc import Sequence

SWITCH_GATES: tuple[Gate, ...] = (TokenVisible(), AllowlistCovers())
MOVE_GATES: tuple[Gate, ...] = SWITCH_GATES
LEAVE_GATES: tuple[Gate, ...] = ()
CONTRACT_GATES: tuple[Gate, ...] = (TokenVisible(), SwitchObserved())

__all__ = [
    "CONTRACT_GATES",
    "LEAVE_GATES",
    "MOVE_GATES",
    "SWITCH_GATES",
    "Facts",
    "Gate",
    "GateResult",
    "Verdict",
    "judge_gates",
]


def judge_gates(gates: Sequence[Gate], facts: Facts) -> tuple[GateResult, ...]:
    """Every gate's result, in order; a waiver that counts today turns a hold into a pass, and shows in the evidence."""
    return tuple(_waived(gate.judge(facts), facts) for gate in gates)


def _waived(result: GateResult, facts: Facts) -> GateResult:
    if result.verdict is Verdict.PASS:
        return result
    for waiver in facts.domain.waivers:
        if waiver.gate == result.id and facts.today <= waiver.expires:
            evidence = (
                f"waived by {waiver.owner} until {waiver.expires.isoformat()} ({waiver.reason}) "
                f"although {result.evidence}"
            )
            return replace(result, verdict=Verdict.PASS, evidence=evidence, advice="", is_waived=True)
    return result
