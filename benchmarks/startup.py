"""How long the program takes to start: `--help`, and `validate` of one file, beyond a bare interpreter's start.

All take turns; processor time of the process, user and system, the least of several. `startup.py [RUNS]` prints
milliseconds.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from fleet_manifests import DOMAINS_IN_A_FILE, write_manifests
from measuring import PROGRAMS, run_measured

_TURNS = 5  # for each run that is asked for: one takes a fraction of a second
_MILLI = 1000


def measure(runs: int) -> dict[str, dict[str, Any]]:
    """Milliseconds beyond the interpreter's own, as a user of the installed program waits for them."""
    program = str(PROGRAMS / "reconciler")
    commands = {
        "bare": [sys.executable, "-c", "pass"],
        "help": [program, "--help"],
        "validate": [program, "validate", "manifests/org00000.yaml"],
    }
    with tempfile.TemporaryDirectory() as folder:
        write_manifests(Path(folder) / "manifests", DOMAINS_IN_A_FILE)
        for command in commands.values():
            run_measured(command, Path(folder))  # the first one writes bytecode
        turns = [
            {name: run_measured(command, Path(folder)).cpu for name, command in commands.items()}
            for _ in range(runs * _TURNS)
        ]
    took = {name: min(turn[name] for turn in turns) * _MILLI for name in commands}
    return {
        "`--help` beyond the interpreter": {"value": took["help"] - took["bare"], "goal": 60.0, "unit": "ms"},
        "`validate` of one file beyond the interpreter": {
            "value": took["validate"] - took["bare"],
            "goal": 150.0,
            "unit": "ms",
        },
        "`--help`, to the interpreter": {"value": took["help"] / took["bare"], "unit": "x"},
        "`validate` of one file, to the interpreter": {"value": took["validate"] / took["bare"], "unit": "x"},
    }


def main() -> dict[str, float]:
    """Measure and print; the values by their names."""
    values = {name: each["value"] for name, each in measure(int(sys.argv[1]) if sys.argv[1:] else 3).items()}
    for name, value in values.items():
        print(f"{name:48} {value:8.1f}")
    return values


if __name__ == "__main__":
    main()
