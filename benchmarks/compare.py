"""Two tables of the benchmark, an older and a newer one: exit 1 where a row got worse by more than a quarter.

`compare.py OLD.json NEW.json`. A row that is on one side only is said, and is no regression: benchmarks come and go,
and a tool that cannot be had tonight is no fault of the program. Seconds are told, and not compared: only ratios and
memory mean the same on another machine.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from table import read_rows, shown_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from table import Row

WORSE = 1.25
TIMES = {"s", "ms"}  # of a machine that is another one every night, as a rule


def worsening(old: Row, new: Row) -> float | None:
    """How many times worse the newer figure is: 2.0 where it is twice as bad, below 1 where it is better.

    None where either has no figure. A figure of 0 or less is as bad as can be where more is better.
    """
    if old.value is None or new.value is None:
        return None
    better, worse = (old.value, new.value) if new.better == "higher" else (new.value, old.value)
    if worse <= 0:
        return 1.0 if better <= 0 else float("inf")
    return better / worse


def compare(old: Mapping[str, Row], new: Mapping[str, Row]) -> tuple[list[str], list[str]]:
    """What is to be said of two tables: the regressions, and what cannot be compared."""
    regressions, remarks = [], []
    for name in sorted({*old, *new}):
        before, now = old.get(name), new.get(name)
        told = f"{name}: {_told(before)} before, {_told(now)} now"
        is_time = now is not None and now.unit in TIMES
        times = worsening(before, now) if before and now and not is_time else None
        if times is None:
            remarks.append(told)
        elif times > WORSE:
            regressions.append(f"{told}, {times:.2f} times as bad")
    return regressions, remarks


def _told(row: Row | None) -> str:
    if row is None:
        return "not in the table"
    shown = shown_value(row.value, row.unit)
    return f"{shown} ({row.note})" if row.value is None and row.note else shown


def main(arguments: list[str] | None = None) -> int:
    """Print what differs; the exit code: 1 for a regression, 2 for what is no table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    options = parser.parse_args(arguments)
    try:
        old, new = read_rows(options.old), read_rows(options.new)
    except (OSError, ValueError, TypeError, KeyError) as error:
        print(f"not compared: {error}", file=sys.stderr)
        return 2
    regressions, remarks = compare(old, new)
    for remark in remarks:
        print(f"not compared  {remark}")
    for regression in regressions:
        print(f"worse         {regression}")
    print(f"{len({*old, *new}) - len(remarks)} rows compared, {len(regressions)} worse by more than a quarter")
    return 1 if regressions else 0


if __name__ == "__main__":
    sys.exit(main())
