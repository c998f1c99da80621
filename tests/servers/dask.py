"""A scheduler of dask.distributed with workers, as a user runs them: processes of their own, on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).resolve().parent.parent
_START_SECONDS = 30
_PORTS = ["--host", "127.0.0.1", "--no-dashboard", "--dashboard-address", "127.0.0.1:0"]


@dataclass(frozen=True)
class Cluster:
    """`address` as `--engine` takes it."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]]


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    """Both, until the end of the block; no nanny brings a killed worker back."""
    file = folder / "scheduler.json"
    where = ["--scheduler-file", str(file)]
    with ExitStack() as stack:
        scheduler = stack.enter_context(_running(folder, "dask_scheduler", *where, "--port", "0", *_PORTS))
        address = _address(file, scheduler)
        # the folder is none of those that hold manifests: a worker knows nothing of where the command runs
        alone = [*where, *_PORTS, "--nthreads", "1", "--no-nanny", "--local-directory", str(folder)]
        started = [stack.enter_context(_running(folder, "dask_worker", *alone)) for _ in range(workers)]
        if workers:
            _wait_for(folder / "dask_worker.log", "Registered to", workers, *started)
        yield Cluster(address.replace("tcp://", "dask://"), scheduler, started)


def _address(file: Path, scheduler: subprocess.Popen[bytes]) -> str:
    _wait_for(file, "\n}", 1, scheduler)  # all of it
    return str(json.loads(file.read_text(encoding="utf-8"))["address"])


def _wait_for(file: Path, text: str, times: int, *processes: subprocess.Popen[bytes]) -> None:
    """Wait until a file has a text so many times."""
    end = time.monotonic() + _START_SECONDS
    while not file.exists() or file.read_text(encoding="utf-8").count(text) < times:
        assert all(p.poll() is None for p in processes), f"it ended: {file.name}"
        assert time.monotonic() < end, f"it did not start: {file.name}"
        time.sleep(0.05)


@contextmanager
def _running(folder: Path, program: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    log = (folder / f"{program}.log").open("ab")
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    command = [sys.executable, "-m", f"distributed.cli.{program}", *arguments]
    with log, subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log) as process:
        try:
            yield process
        finally:
            process.kill()
