"""Two nights' tables: what is worse by more than a quarter is told and fails, whichever way is better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from compare import compare, main, worsening
from table import Row, Table, write_table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Better = Literal["higher", "lower"]


def row(value: float | None, better: Better = "higher", name: str = "a", note: str = "") -> Row:
    return Row(name, "something", value, better, note=note)


def by_name(*rows: Row) -> dict[str, Row]:
    return {each.name: each for each in rows}


def kept(path: Path, rows: Iterable[Row]) -> str:
    write_table(Table({"on": "2026-01-01"}, list(rows)), path)
    return str(path)


@pytest.mark.parametrize(
    ("better", "old", "new", "times"),
    [
        ("higher", 10.0, 5.0, 2.0),
        ("higher", 5.0, 10.0, 0.5),
        ("lower", 1.0, 1.5, 1.5),
        ("lower", 3.0, 1.5, 0.5),
        ("lower", 0.0, 0.0, 1.0),
        ("lower", 0.0, 7.0, float("inf")),
        ("lower", 7.0, 0.0, 0.0),
        ("higher", 7.0, 0.0, float("inf")),
    ],
)
def test_how_many_times_worse(better: Better, old: float, new: float, times: float) -> None:
    assert worsening(row(old, better), row(new, better)) == times


@pytest.mark.parametrize(("old", "new"), [(None, 1.0), (1.0, None), (None, None)])
def test_without_a_figure_on_both_sides_nothing_is_compared(old: float | None, new: float | None) -> None:
    assert worsening(row(old), row(new)) is None
    regressions, remarks = compare(by_name(row(old)), by_name(row(new)))
    assert not regressions
    assert len(remarks) == 1


@pytest.mark.parametrize(("better", "new"), [("higher", 8.0), ("lower", 12.5), ("higher", 900.0), ("lower", 0.1)])
def test_up_to_a_quarter_is_noise_and_better_is_no_regression(better: Better, new: float) -> None:
    assert compare(by_name(row(10.0, better)), by_name(row(new, better))) == ([], [])


@pytest.mark.parametrize(("better", "new"), [("higher", 7.9), ("lower", 12.6)])
def test_more_than_a_quarter_is_a_regression(better: Better, new: float) -> None:
    regressions, remarks = compare(by_name(row(10.0, better)), by_name(row(new, better)))
    assert not remarks
    [told] = regressions
    assert told.startswith("a: 10.00 x before, ")
    assert "1.27 times as bad" in told or "1.26 times as bad" in told


def test_the_direction_is_the_newer_table_s() -> None:
    assert worsening(row(10.0, "higher"), row(20.0, "lower")) == 2.0


@pytest.mark.parametrize("unit", ["s", "ms"])
def test_seconds_are_of_the_machine_and_no_regression(unit: str) -> None:
    old, new = (Row("a", "something", value, "lower", unit=unit) for value in (1.0, 9.0))
    assert compare(by_name(old), by_name(new)) == ([], [f"a: 1.00 {unit} before, 9.00 {unit} now"])


def test_rows_of_one_side_are_told_with_why() -> None:
    old = by_name(row(1.0, name="gone"), row(None, name="never", note="no Go"))
    new = by_name(row(2.0, name="came"), row(None, name="never", note="still no Go"))
    regressions, remarks = compare(old, new)
    assert not regressions
    assert remarks == [
        "came: not in the table before, 2.00 x now",
        "gone: 1.00 x before, not in the table now",
        "never: not measured (no Go) before, not measured (still no Go) now",
    ]


def test_a_regression_fails_and_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = kept(tmp_path / "old.json", [row(10.0), row(1.0, name="b"), row(1.0, name="gone")])
    new = kept(tmp_path / "new.json", [row(5.0), row(1.1, name="b")])
    assert main([old, new]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "not compared  gone: 1.00 x before, not in the table now",
        "worse         a: 10.00 x before, 5.00 x now, 2.00 times as bad",
        "2 rows compared, 1 worse by more than a quarter",
    ]


def test_the_same_table_passes(tmp_path: Path) -> None:
    table = kept(tmp_path / "table.json", [row(10.0), row(None, name="b")])
    assert main([table, table]) == 0


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format_version": 2, "rows": []}', '{"format_version": 1}'])
def test_what_is_no_table_is_neither_good_nor_bad(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = kept(tmp_path / "table.json", [row(10.0)])
    (tmp_path / "other.json").write_text(text)
    assert main([table, str(tmp_path / "other.json")]) == 2
    assert main([str(tmp_path / "missing.json"), table]) == 2
    assert capsys.readouterr().err.startswith("not compared: ")
