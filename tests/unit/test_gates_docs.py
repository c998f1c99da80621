"""The page on gates says what the code does: its tables are generated from the classes and their docstrings.

With RECONCILER_UPDATE_GOLDEN=1 the tables are written, and the run fails so that nobody forgets to read them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler.gates import CONTRACT_GATES, HAZARDS, LEAVE_GATES, MOVE_GATES, SWITCH_GATES
from reconciler.manifest.rules import KNOWN_GATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.gates import Gate, Hazard

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "gates.md"
STEPS: dict[str, Sequence[Gate]] = {
    "switch": SWITCH_GATES,
    "move": MOVE_GATES,
    "leave": LEAVE_GATES,
    "contract": CONTRACT_GATES,
}


def _says(described: Gate | Hazard) -> str:
    return (type(described).__doc__ or "").partition("\n")[0]


def _gates() -> str:
    gates = {gate.id: gate for gates in STEPS.values() for gate in gates}
    lines = ["| gate | steps | |", "|---|---|---|"]
    for name, gate in gates.items():
        steps = ", ".join(step for step, members in STEPS.items() if name in {g.id for g in members})
        lines.append(f"| `{name}` | {steps} | {_says(gate)} |")
    return "\n".join(lines)


def _hazards() -> str:
    gates = {gate.id for gates in STEPS.values() for gate in gates}
    lines = ["| code | severity | |", "|---|---|---|"]
    for hazard in HAZARDS:
        says = f"The gate `{hazard.id}` as a finding." if hazard.id in gates else _says(hazard)
        lines.append(f"| `{hazard.id}` | {hazard.severity.value} | {says} |")
    return "\n".join(lines)


@pytest.mark.parametrize(("name", "made"), [("gates", _gates()), ("hazards", _hazards())])
def test_the_tables_are_those_of_the_code(name: str, made: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    block = re.compile(rf"(<!-- {name}: [^>]*-->\n)(.*?)(<!-- /{name} -->)", re.DOTALL)
    found = block.search(page)
    assert found is not None
    if os.environ.get("RECONCILER_UPDATE_GOLDEN") == "1":
        PAGE.write_text(block.sub(lambda m: f"{m[1]}\n{made}\n\n{m[3]}", page), encoding="utf-8")
        pytest.fail("written; read it")
    assert found[2].strip() == made


def test_every_gate_has_a_line_on_what_to_do() -> None:
    told = re.findall(r"^\| `([a-z-]+)` \| [^|]+ \| [^|]+ \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    ids = {gate.id for gates in STEPS.values() for gate in gates}
    assert {name for name in ids if told.count(name) < 2} == set()
    assert set(told) == ids | {hazard.id for hazard in HAZARDS}


def test_whatever_can_be_waived_is_named() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert {name for name in KNOWN_GATES if f"`{name}`" not in page} == set()
