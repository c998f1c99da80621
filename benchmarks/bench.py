"""The benchmark: everything in one run on loopback, taking turns, as one table of ratios beside their goals.

`make bench`. The machine may be shared or slow, so ratios are what counts, of the best that either side did in its
turns, and all of them come from the same hour on the same machine. What is missing is said in the table: a tool that is
not installed is no error.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

try:
    import dnscontrol_preview
    import far_away
    import load_and_start
    import million
    import observe
    import octodns_dry_run
    import scaling
    import whole_run
    from fleet_lab import Cores, missing_programs, run_laboratory
    from measuring import HERE, Setup
    from table import Table, as_text, write_into, write_table
except ModuleNotFoundError as exc:
    # whoever calls this by hand may have the program alone, or another Python
    missing = str(exc.name).partition(".")[0]
    sys.exit(f"{missing} is not installed in {sys.prefix}: `make bench` installs the workshop's tools and runs this")

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleet_lab import Laboratory
    from table import Row

    Measured = tuple[list[Row], dict[str, Any]]

DOMAINS, RUNS = 10_000, 5


@dataclass
class Bench:
    """One run: parts share the name server, and the peers are held against the same runs of ours."""

    setup: Setup
    stack: ExitStack
    computed: str = ""

    @cached_property
    def laboratory(self) -> Laboratory:
        """Started when the first part needs it."""
        return self.stack.enter_context(run_laboratory(self.setup.folder / "lab", self.setup.domains, self.setup.cores))

    @cached_property
    def whole(self) -> Measured:
        """The whole drift run, measured once."""
        return whole_run.measure(self.setup, self.laboratory)

    @cached_property
    def scale(self) -> Measured:
        """Fleets of different sizes, measured once."""
        return scaling.measure(self.setup)

    def million(self) -> Measured:
        """What a million domains cost follows from the fleets that were measured."""
        rows, figures, self.computed = million.measure(million.Costs(**self.scale[1]["costs"]))
        return rows, figures

    @property
    def seconds_a_domain(self) -> float:
        """Wall time of ours for a domain."""
        seconds: float = self.whole[1]["ours seconds"]
        return seconds / self.setup.domains


PARTS: dict[str, Callable[[Bench], Measured]] = {
    "observe": lambda bench: observe.measure(bench.setup, bench.laboratory),
    "load": lambda bench: load_and_start.measure_load(bench.setup),
    "startup": lambda bench: load_and_start.measure_startup(bench.setup),
    "drift": lambda bench: bench.whole,
    "octodns": lambda bench: octodns_dry_run.measure(bench.setup, bench.laboratory, bench.seconds_a_domain),
    "dnscontrol": lambda bench: dnscontrol_preview.measure(bench.setup, bench.laboratory, bench.seconds_a_domain),
    "far": lambda bench: far_away.measure(bench.setup, bench.laboratory),
    "scale": lambda bench: bench.scale,
    "million": lambda bench: bench.million(),
}


def run_parts(names: list[str], setup: Setup) -> Table:
    """The table of some parts, in the order of all of them."""
    table = Table(machine_of(setup))
    with ExitStack() as stack:
        bench = Bench(setup, stack)
        for name, part in PARTS.items():
            if name in names:
                print(f"{datetime.now(UTC):%H:%M:%S} {name}", file=sys.stderr, flush=True)
                rows, figures = part(bench)
                # a small fleet costs little, and a start-up is the same for every size
                table.rows += [replace(row, is_judged=setup.domains >= DOMAINS) for row in rows]
                table.figures[name] = figures
        table.computed = bench.computed
    table.machine["load at the end"] = f"{os.getloadavg()[0]:.1f}"
    return table


def machine_of(setup: Setup) -> dict[str, Any]:
    """What whoever compares two tables wants to know."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    return {
        "on": f"{datetime.now(UTC):%Y-%m-%d}",
        "Python": platform.python_version(),
        "processor": model,
        "cores": os.cpu_count(),
        "domains": f"{setup.domains:,}",
        "runs": setup.runs,
        "load at the start": f"{os.getloadavg()[0]:.1f}",
    }


def arguments_of(given: list[str] | None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the sizes, one run: whether it works at all")
    parser.add_argument("--only", action="append", choices=PARTS, help="one part; may be given again")
    parser.add_argument("--domains", type=int, help=f"{DOMAINS:,}, or a tenth of it with --quick")
    parser.add_argument("--runs", type=int, help=f"{RUNS}, or one with --quick")
    parser.add_argument("--client-core", type=int, default=0)
    parser.add_argument("--server-core", type=int, default=1)
    parser.add_argument("--json", type=Path, default=HERE / "out" / "bench.json", help="where the table is kept")
    parser.add_argument("--into", type=Path, metavar="PAGE", help="rewrite the table in this page of the docs, too")
    arguments = parser.parse_args(given)
    arguments.domains = arguments.domains or (DOMAINS // 10 if arguments.quick else DOMAINS)
    arguments.runs = arguments.runs or (1 if arguments.quick else RUNS)
    return arguments


def main() -> None:
    """Measure, print the table, keep it."""
    arguments = arguments_of(None)
    missing = missing_programs()
    if missing:
        sys.exit(f"not installed: {', '.join(missing)}")
    cores = Cores(arguments.client_core, arguments.server_core)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        setup = Setup(arguments.domains, arguments.runs, cores, Path(name))
        table = run_parts(arguments.only or [*PARTS], setup)
    print(as_text(table.rows), end="")
    if arguments.domains < DOMAINS:
        print(f"The goals are for {DOMAINS:,} domains: this judges none.")
    write_table(table, arguments.json)
    if arguments.into:
        write_into(arguments.into, table)


if __name__ == "__main__":
    main()
