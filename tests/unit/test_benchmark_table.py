"""The benchmark's table: goals, forms, and its place in the documentation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from table import BEGIN, END, Row, Table, as_markdown, as_text, read_rows, write_into, write_table

if TYPE_CHECKING:
    from pathlib import Path

RATE = Row("observe/x", "observe / x's", 0.612, "higher", 0.5)
MEMORY = Row("memory", "largest size", 1234.5, "lower", 160.0, "MB")
MISSING = Row("peer", "a peer / ours", None, "higher", 20.0, note="it is not installed")
TABLE = Table({"on": "2026-01-01", "runs": 3}, [RATE, MEMORY, MISSING], {"raw": [1, 2]})


@pytest.mark.parametrize(
    ("row", "is_reached"),
    [
        (RATE, True),
        (MEMORY, False),
        (MISSING, None),
        (Row("a", "a", 0.4, "higher", 0.5), False),
        (Row("a", "a", 0.5, "higher", 0.5), True),
        (Row("a", "a", 0.0, "lower", 0), True),
        (Row("a", "a", 1.0, "lower"), None),
        (Row("a", "a", 0.0, "lower", 1.0, is_judged=False), None),
    ],
)
def test_a_goal_is_reached_or_missed_or_neither(row: Row, *, is_reached: bool | None) -> None:
    assert row.is_reached is is_reached


def test_as_text() -> None:
    assert as_text(TABLE.rows).splitlines() == [
        "what               measured  goal",
        "observe / x's        0.61 x  at least 0.5 x  reached",
        "largest size       1,234 MB  at most 160 MB  missed",
        "a peer / ours  not measured  at least 20 x   it is not installed",
    ]


def test_what_is_not_what_the_goal_is_for_is_not_judged() -> None:
    rows = [replace(row, is_judged=False) for row in (RATE, MEMORY, Row("a", "no goal", 1.0, "lower"))]
    assert as_text(rows).splitlines() == [
        "what           measured  goal",
        "observe / x's    0.61 x  at least 0.5 x  not judged",
        "largest size   1,234 MB  at most 160 MB  not judged",
        "no goal          1.00 x",
    ]
    assert "| at least 0.5 x | not judged |" in as_markdown(Table({}, rows))


def test_as_markdown() -> None:
    assert as_markdown(TABLE).splitlines() == [
        "| what | measured | goal | |",
        "|---|---|---|---|",
        "| observe / x's | 0.61 x | at least 0.5 x | reached |",
        "| largest size | 1,234 MB | at most 160 MB | missed |",
        "| a peer / ours | not measured | at least 20 x | it is not installed |",
        "",
        "Measured in one run: on 2026-01-01; runs 3.",
    ]


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    write_table(TABLE, tmp_path / "out" / "bench.json")
    assert list(read_rows(tmp_path / "out" / "bench.json").values()) == TABLE.rows


def test_the_page_keeps_everything_around_the_table(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{BEGIN}\nold\n{END}\n\nafter\n", encoding="utf-8")
    write_into(page, TABLE)
    first = page.read_text(encoding="utf-8")
    write_into(page, TABLE)
    assert page.read_text(encoding="utf-8") == first
    assert first.startswith(f"before\n\n{BEGIN}\n\n| what |")
    assert first.endswith(f"runs 3.\n\n{END}\n\nafter\n")
    assert "old" not in first


@pytest.mark.parametrize("text", ["", BEGIN, END, f"{END}\n{BEGIN}\n", f"{BEGIN}{END}{BEGIN}{END}"])
def test_a_page_without_the_place_is_refused_and_left_alone(text: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="no place for the table"):
        write_into(page, TABLE)
    assert page.read_text(encoding="utf-8") == text
