"""What a domain costs in fleets of different sizes: a whole drift run of each, against the same server."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fleet_lab import run_laboratory, write_workspace
from measuring import MEBI_OF_KIBI, PROGRAMS, best_run, run_measured
from million import Costs
from table import Row
from whole_run import run_drift

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from measuring import Run, Setup

TIMES = (0.1, 1.0, 10.0)  # of the domains: 1,000, 10,000 and 100,000
LINEAR_GOAL, MEMORY_GOAL = 1.1, 2.0
_KB_OF_MB = MEBI_OF_KIBI**2 / 1000


def measure(setup: Setup) -> tuple[list[Row], dict[str, Any]]:
    """The marginal time of the larger fleets in units of the smaller ones', and memory per domain beyond the base."""
    counts = few, some, many = [max(int(setup.domains * times), 10) for times in TIMES]
    runs: dict[int, list[Run]] = {count: [] for count in counts}
    with run_laboratory(setup.folder / "scaling", counts[-1], setup.cores) as laboratory:
        for count in counts:
            write_workspace(setup.folder / f"scaling-{count}", count, laboratory.port)
        for _ in range(setup.runs):
            for count in counts:
                laboratory.taken_queries()
                runs[count].append(run_drift(setup, setup.folder / f"scaling-{count}", count))
        queries = laboratory.taken_queries()
    of = {count: best_run(each) for count, each in runs.items()}
    first = (of[some].cpu - of[few].cpu) / (some - few)
    costs = _costs(setup, of, first, queries / many)
    rows = [
        Row(
            "scale/time",
            f"processor time a domain, {some:,} to {many:,} domains / {few:,} to {some:,}",
            costs.seconds / first,
            "lower",
            LINEAR_GOAL,
        ),
        Row(
            "scale/memory",
            f"memory a domain beyond the base, {few:,} to {many:,} domains",
            costs.kilobytes,
            "lower",
            MEMORY_GOAL,
            "kB",
        ),
    ]
    figures = {
        "costs": asdict(costs),
        "microseconds a domain": {"first": first * 1e6, "later": costs.seconds * 1e6},
        "runs": {count: [asdict(run) for run in each] for count, each in runs.items()},
    }
    return rows, figures


def _costs(setup: Setup, of: Mapping[int, Run], first: float, queries: float) -> Costs:
    """What one domain costs beyond the base, from runs of three sizes; how much of it is loading, from two more.

    `first` are the seconds of each in the smaller fleets, `queries` those of each.
    """
    few, some, many = of
    loads = {count: _run_validate(setup, setup.folder / f"scaling-{count}") for count in (some, many)}
    kilobytes = (of[many].megabytes - of[few].megabytes) * _KB_OF_MB / (many - few)
    loading_kilobytes = (loads[many].megabytes - loads[some].megabytes) * _KB_OF_MB / (many - some)
    return Costs(
        seconds=(of[many].cpu - of[some].cpu) / (many - some),
        kilobytes=kilobytes,
        queries=queries,
        loading_seconds=(loads[many].cpu - loads[some].cpu) / (many - some),
        # `validate` ends with what it loaded, and its peak may lie a little above that of a look, which goes on with it
        loading_kilobytes=min(loading_kilobytes, kilobytes),
        base_seconds=of[few].cpu - few * first,
        base_megabytes=of[few].megabytes - few * kilobytes / _KB_OF_MB,
    )


def _run_validate(setup: Setup, folder: Path) -> Run:
    return run_measured(setup.cores.as_client([str(PROGRAMS / "reconciler"), "validate"]), folder)
