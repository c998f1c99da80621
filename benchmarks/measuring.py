"""Running a program to its end, and what it took."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from fleet_lab import Cores, Laboratory

HERE = Path(__file__).resolve().parent
PROGRAMS = Path(sys.executable).parent
MEBI_OF_KIBI = 1024
SECONDS = 1800  # for one client; a loaded machine is slow
_SHOWN = 2000
_ANSWERED = 99.9  # percent


@dataclass(frozen=True)
class Setup:
    """How much is measured, how often, where, and in which folder everything temporary lies."""

    domains: int
    runs: int
    cores: Cores
    folder: Path

    @property
    def questions(self) -> int:
        """Five for each domain."""
        return self.domains * 5


@dataclass(frozen=True)
class Run:
    """One run of one program: wall and processor seconds, the largest resident size in MB of 2**20 octets."""

    wall: float
    cpu: float
    megabytes: float


def run_measured(command: list[str], cwd: Path, accepted: Collection[int] = (0,)) -> Run:
    """Run a command in a folder, where its output is in `output.log` and `errors.log`.

    An exit code that is not accepted ends the benchmark.
    """
    # a user's Python keeps the bytecode of what it has imported once
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    report = cwd / "usage.json"
    alone = [sys.executable, "-I", "-S", str(HERE / "run_alone.py"), str(report), *command]
    with (cwd / "output.log").open("wb") as output, (cwd / "errors.log").open("wb") as errors:
        subprocess.run(alone, cwd=cwd, stdout=output, stderr=errors, env=environment, check=True, timeout=SECONDS)
    took = json.loads(report.read_text(encoding="utf-8"))
    if took["code"] not in accepted:
        tails = [(cwd / name).read_text(errors="replace")[-_SHOWN:] for name in ("output.log", "errors.log")]
        sys.exit(f"{command} ended with {took['code']}:\n{''.join(tails)}")
    return Run(took["wall"], took["cpu"], took["kibibytes"] / MEBI_OF_KIBI)


def best_run(runs: Sequence[Run]) -> Run:
    """The least of each figure: whoever else uses the machine makes it more, and never less."""
    figures = [asdict(run) for run in runs]
    return Run(**{name: min(f[name] for f in figures) for name in figures[0]})


def run_script(setup: Setup, script: str, *arguments: object) -> dict[str, float]:
    """What one of the scripts beside this one prints as JSON, in a process of its own on the clients' core."""
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    done = subprocess.run(
        setup.cores.as_client(command), stdout=subprocess.PIPE, text=True, check=True, timeout=SECONDS
    )
    result: dict[str, float] = json.loads(done.stdout)
    return result


def run_dnsperf(laboratory: Laboratory, data: Path, at_once: int) -> float:
    """Queries a second that dnsperf gets out of the server, asking everything in a file twice."""
    command = ["dnsperf", "-s", "127.0.0.1", "-p", str(laboratory.port), "-d", str(data)]
    command += ["-n", "2", "-c", "1", "-T", "1", "-q", str(at_once), "-e"]
    output = subprocess.run(
        laboratory.cores.as_client(command), capture_output=True, text=True, check=True, timeout=SECONDS
    ).stdout
    rate = re.search(r"Queries per second:\s+([\d.]+)", output)
    completed = re.search(r"Queries completed:\s+\d+ \(([\d.]+)%\)", output)
    # on a machine that others use, too, a datagram may find no room; the program itself would ask again
    if rate is None or completed is None or float(completed.group(1)) < _ANSWERED:
        sys.exit(f"dnsperf lost queries:\n{output[-_SHOWN:]}")
    return float(rate.group(1))
