"""The rows of the benchmark's table: what was measured, beside its goal; as text, as Markdown and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FORMAT_VERSION = 1
BEGIN = "<!-- benchmark table: begin; rewritten by benchmarks/bench.py --into -->"
END = "<!-- benchmark table: end -->"
_HEADINGS = ("what", "measured", "goal", "")
_LEFT_ALONE = 100  # from here on decimals say nothing


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `value` is None where it could not be measured, and `note` says why.

    `name` stays the same from night to night. `unit` is `x` for ratios. `goal` is None where none was set, and is not
    judged where something else was measured than it is for.
    """

    name: str
    what: str
    value: float | None
    better: Literal["higher", "lower"]
    goal: float | None = None
    unit: str = "x"
    note: str = ""
    is_judged: bool = True

    @property
    def is_reached(self) -> bool | None:
        """Whether the goal is reached; None where there is no goal or no figure, or it is not judged."""
        if self.value is None or self.goal is None or not self.is_judged:
            return None
        return self.value >= self.goal if self.better == "higher" else self.value <= self.goal


@dataclass(slots=True)
class Table:
    """All rows of one run, and what they were made of: `figures` by part, `machine` for whoever compares.

    `computed` is what follows from the figures, for the documentation.
    """

    machine: dict[str, Any]
    rows: list[Row] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    computed: str = ""  # Markdown


def write_table(table: Table, path: Path) -> None:
    """Keep it as JSON, for `compare.py`."""
    path.parent.mkdir(exist_ok=True, parents=True)
    document = {
        "format_version": FORMAT_VERSION,
        "machine": table.machine,
        "rows": [asdict(row) for row in table.rows],
        "figures": table.figures,
    }
    path.write_text(json.dumps(document, indent=2) + "\n")


def read_rows(path: Path) -> dict[str, Row]:
    """The rows of a kept table by their names.

    Raises:
        ValueError: the file is no table of this format.

    """
    document = json.loads(path.read_text())
    if not isinstance(document, dict) or document.get("format_version") != FORMAT_VERSION:
        message = f"{path} is no table of format {FORMAT_VERSION}"
        raise ValueError(message)
    return {row["name"]: Row(**row) for row in document["rows"]}


def shown_value(value: float | None, unit: str) -> str:
    """A figure as people read it."""
    if value is None:
        return "not measured"
    digits = 0 if value >= _LEFT_ALONE else 2
    number = f"{value:,.{digits}f}"
    return f"{number} {unit}"


def shown_goal(row: Row) -> str:
    """The goal; empty where there is none."""
    if row.goal is None:
        return ""
    bound = "at least" if row.better == "higher" else "at most"
    return f"{bound} {row.goal:g} {row.unit}"


def _cells(row: Row) -> tuple[str, str, str, str]:
    unjudged = "" if row.is_judged or row.goal is None else "not judged"
    verdict = {None: unjudged, True: "reached", False: "missed"}[row.is_reached]
    remark = "; ".join(part for part in (verdict, row.note) if part)
    return row.what, shown_value(row.value, row.unit), shown_goal(row), remark


def as_text(rows: Sequence[Row]) -> str:
    """For the terminal."""
    lines = [_HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    shown = (f"{a:{widths[0]}}  {b:>{widths[1]}}  {c:{widths[2]}}  {d}".rstrip() for a, b, c, d in lines)
    return "\n".join(shown) + "\n"


def as_markdown(table: Table) -> str:
    """For the documentation."""
    lines = ["| what | measured | goal | |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in table.rows]
    machine = "; ".join(f"{name} {value}" for name, value in table.machine.items())
    lines += ["", f"Measured in one run: {machine}.", ""]
    if table.computed:
        lines += ["### A million domains", "", table.computed, ""]
    return "\n".join(lines)


def write_into(page: Path, table: Table) -> None:
    """Put the table between the markers of a page.

    Raises:
        ValueError: the page has not both markers, once each and in order.

    """
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in after or END in after:
        message = f"{page} has no place for the table: {BEGIN} and {END}"
        raise ValueError(message)
    page.write_text(f"{before}{BEGIN}\n\n{as_markdown(table)}\n{END}{after}", encoding="utf-8")
