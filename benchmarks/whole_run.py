"""A whole drift run of a fleet that is in sync: beside the stock parts, and beside the sum of the floors."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fleet_lab import AT_ONCE, write_workspace
from fleet_manifests import ALLOWLISTS, domain_of
from measuring import HERE, PROGRAMS, Run, best_run, run_dnsperf, run_measured, run_script
from table import Row

if TYPE_CHECKING:
    from pathlib import Path

    from fleet_lab import Laboratory
    from measuring import Setup

STOCK_GOAL, FLOORS_GOAL, MEMORY_GOAL = 12.0, 1.8, 160.0
IN_SYNC = "No drift: {count} of {count} domains in sync."


def measure(setup: Setup, laboratory: Laboratory) -> tuple[list[Row], dict[str, Any]]:
    """Wall time in units of both, and the largest resident size; the same fleet with allowlists in units of ours."""
    ours: list[Run] = []
    listed: list[Run] = []
    stock: list[Run] = []
    floors: list[dict[str, float]] = []
    queries = 0
    with_allowlists = setup.folder / "with-allowlists"
    write_workspace(with_allowlists, setup.domains, laboratory.port, ALLOWLISTS)
    for _ in range(setup.runs):
        laboratory.taken_queries()
        ours.append(run_drift(setup, laboratory.folder, setup.domains))
        queries = laboratory.taken_queries()
        listed.append(run_drift(setup, with_allowlists, setup.domains))
        stock.append(_run_stock(setup, laboratory))
        floors.append(_run_floors(setup, laboratory, queries))
    best, longer = best_run(ours), best_run(listed)
    least = {part: min(floor[part] for floor in floors) for part in floors[0]}
    name = f"whole drift run, {setup.domains:,} domains"
    floor = sum(least.values())
    rows = [
        Row("drift/stock", f"{name}: stock parts / ours", best_run(stock).wall / best.wall, "higher", STOCK_GOAL),
        Row("drift/floors", f"{name}: ours / sum of the floors", best.wall / floor, "lower", FLOORS_GOAL),
        Row("drift/memory", f"{name}: largest resident size", best.megabytes, "lower", MEMORY_GOAL, "MB"),
        Row("drift/allowlists", f"{name}: with allowlists at every origin / without", longer.wall / best.wall, "lower"),
    ]
    figures = {
        "ours": [asdict(run) for run in ours],
        "with allowlists": [asdict(run) for run in listed],
        "stock": [asdict(run) for run in stock],
        "floors": floors,
        "queries": queries,
        "ours seconds": best.wall,
    }
    return rows, figures


def run_drift(setup: Setup, folder: Path, count: int) -> Run:
    """One run of the program; every domain must be in sync."""
    run = run_measured(setup.cores.as_client([str(PROGRAMS / "reconciler"), "drift"]), folder)
    said = (folder / "output.log").read_text()
    if IN_SYNC.format(count=count) not in said.replace(",", ""):
        sys.exit(f"{folder}: not in sync:\n{said[-2000:]}")
    return run


def _run_stock(setup: Setup, laboratory: Laboratory) -> Run:
    command = [sys.executable, str(HERE / "stock_parts.py"), str(laboratory.folder), str(laboratory.port)]
    run = run_measured(setup.cores.as_client(command), laboratory.folder)
    result = json.loads((laboratory.folder / "output.log").read_text())
    if result["in_sync"] != setup.domains:
        sys.exit(f"stock parts: {result}")
    return run


def _run_floors(setup: Setup, laboratory: Laboratory, queries: int) -> dict[str, float]:
    """Seconds of each: the interpreter's start, YAML's events, the models, and dnsperf with as many queries."""
    data = setup.folder / "drift-questions"
    each = "{name} MX\n_amazonses.{name} TXT\nwildcard-probe.x._amazonses.{name} TXT\n"
    data.write_text("".join(each.format(name=domain_of(number)) for number in range(setup.domains)))
    begun = time.perf_counter()
    subprocess.run(setup.cores.as_client([sys.executable, "-I", "-c", "pass"]), check=True)
    interpreter = time.perf_counter() - begun
    return {
        "interpreter": interpreter,
        "events": run_script(setup, "floors.py", "events", laboratory.folder)["seconds"],
        "models": run_script(setup, "floors.py", "models", laboratory.folder)["seconds"],
        "dns": queries / run_dnsperf(laboratory, data, AT_ONCE),
    }
