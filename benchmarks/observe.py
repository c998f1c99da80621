"""Observing on loopback: our engine beside dnsperf (the limit), dnspython's asyncresolver and pycares, in turn."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from dns_clients import questions
from fleet_lab import AT_ONCE
from measuring import run_dnsperf, run_script
from table import Row

if TYPE_CHECKING:
    from fleet_lab import Laboratory
    from measuring import Setup

SHARE = {"engine": 1.0, "observer": 0.4, "asyncresolver": 0.05, "pycares": 0.4}  # of the questions; the slow get fewer
# a run, with dnsperf before each turn of the engine: both take half a second, and who else uses the machine has much to
# say in so short a time
ROUND = ("engine", "engine", *SHARE)
GOALS = {"dnsperf": 0.5, "asyncresolver": 25.0, "pycares": 3.0}


def measure(setup: Setup, laboratory: Laboratory) -> tuple[list[Row], dict[str, Any]]:
    """The engine's rate in units of each other client's, and the rates in questions a second."""
    data = setup.folder / "questions"
    asked = (f"{owner.rstrip('.')} {rdtype}\n" for owner, rdtype in questions(setup.questions))
    data.write_text("".join(asked))
    rates: dict[str, list[float]] = {name: [] for name in ("dnsperf", *SHARE)}
    spent: dict[str, list[float]] = {name: [] for name in SHARE}  # processor microseconds a question
    queries: list[float] = []
    for client in ROUND * setup.runs:
        if client == "engine":
            rates["dnsperf"].append(run_dnsperf(laboratory, data, AT_ONCE))
        count = max(int(setup.questions * SHARE[client]) // 10, 1) * 10
        laboratory.taken_queries()
        rate, cpu = _run_client(setup, client, laboratory.port, count)
        rates[client].append(rate)
        spent[client].append(cpu * 1e6 / count)
        if client == "observer":
            queries.append(rate * laboratory.taken_queries() / count)
    best = {name: max(of) for name, of in rates.items()}
    # the engine's questions are queries; what the observer adds to its own is counted at the server
    best["observer's queries"] = max(queries)
    rows = [
        Row(
            f"observe/{peer}",
            f"observe {setup.questions:,} questions on loopback: rate / {peer}'s",
            best["engine"] / best[peer],
            "higher",
            goal,
        )
        for peer, goal in GOALS.items()
    ]
    whole = "the whole observer (zones found, wildcards and cuts told apart): queries a second / dnsperf's"
    rows.append(Row("observe/observer", whole, best["observer's queries"] / best["dnsperf"], "higher"))
    return rows, {"a second": best, "runs": rates, "microseconds": spent}


def _run_client(setup: Setup, client: str, port: int, count: int) -> tuple[float, float]:
    """Questions a second of one client, and its processor seconds; every question must have been answered."""
    result = run_script(setup, "dns_clients.py", client, port, count)
    if result["answered"] != result["questions"]:
        sys.exit(f"{client}: {result}")
    return result["questions"] / result["seconds"], result["cpu"]
