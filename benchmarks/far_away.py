"""Observing at a server that is 25 ms away, over a network that loses datagrams."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dns_clients import questions
from fleet_lab import ADDRESS, AT_ONCE
from measuring import HERE, run_dnsperf, run_script
from servers.processes import end, free_port
from table import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleet_lab import Cores, Laboratory
    from measuring import Setup

ROUND_TRIP = 0.025  # seconds
LOSS = 0.005  # of the datagrams, in either direction
IN_FLIGHT = 1500  # rate x round trip, and room for those that were lost
TIMEOUT = 0.3  # seconds; a server that is 25 ms away has answered long before
GOAL = 2.5  # seconds for 50,000 questions
QUESTIONS = 50_000
ENOUGH = 25_000  # queries a second that the relay must sustain, else it is the relay that is measured


@dataclass
class Way:
    """A running relay: its port, and, at the end, what it saw and lost."""

    port: int
    seen: int = 0
    lost: int = 0


@contextmanager
def run_relay(cores: Cores, server_port: int, delay: float, loss: float) -> Iterator[Way]:
    """A relay on the server's core, to the end of the block."""
    way = Way(free_port(ADDRESS))
    command = [sys.executable, str(HERE / "relay.py"), *map(str, (way.port, server_port, delay, loss))]
    with subprocess.Popen(
        cores.as_server(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            if process.stdout is None or process.stdout.readline() != "ready\n":
                sys.exit("the relay does not start")
            yield way
            output, _ = process.communicate(timeout=30)
            way.seen, way.lost = (json.loads(output)[name] for name in ("seen", "lost"))
        finally:
            end(process)


def measure(setup: Setup, laboratory: Laboratory) -> tuple[list[Row], dict[str, Any]]:
    """Seconds for 50,000 questions, in proportion where fewer were asked, and how many had no answer."""
    capacity = _capacity(setup, laboratory)
    count = min(setup.questions, QUESTIONS)
    runs = []
    for _ in range(setup.runs):
        with run_relay(setup.cores, laboratory.port, ROUND_TRIP, LOSS) as way:
            result = run_script(setup, "dns_clients.py", "engine", way.port, count, IN_FLIGHT, TIMEOUT)
        runs.append({**result, "datagrams": way.seen, "lost": way.lost})
    seconds = min(run["seconds"] for run in runs)
    name = f"{count:,} questions, {1000 * ROUND_TRIP:.0f} ms round trip, {100 * LOSS:g} % loss each way"
    note = "" if capacity >= ENOUGH else f"the relay sustains only {capacity:,.0f} a second"
    rows = [
        Row("far/seconds", f"{name}: time", seconds, "lower", GOAL if count == QUESTIONS else None, "s", note),
        Row("far/unanswered", f"{name}: unanswered", _unanswered(runs), "lower", 0, "questions"),
    ]
    return rows, {"relay's queries a second": capacity, "in flight": IN_FLIGHT, "timeout": TIMEOUT, "runs": runs}


def _unanswered(runs: list[dict[str, float]]) -> float:
    return max(run["questions"] - run["answered"] for run in runs)


def _capacity(setup: Setup, laboratory: Laboratory) -> float:
    """Queries a second that go through the relay where it neither waits nor loses."""
    data = setup.folder / "relay-questions"
    asked = (f"{owner.rstrip('.')} {rdtype}\n" for owner, rdtype in questions(min(setup.questions, QUESTIONS)))
    data.write_text("".join(asked))
    with run_relay(setup.cores, laboratory.port, 0.0, 0.0) as way:
        return run_dnsperf(replace(laboratory, port=way.port), data, AT_ONCE)
