"""Observing on loopback: the engine beside dnsperf (the limit), dnspython's asyncresolver and pycares, in one run.

NSD serves generated zones from one core, each client runs on the other one; they take turns, and the ratios are of the
medians. The machine may be shared, so a single number says little. Needs nsd, dnsperf, taskset; pycares in an
environment of its own (`--pycares PYTHON`), else it is left out and the table says so.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import dns_clients
from servers.processes import free_port, serves

HERE = Path(__file__).resolve().parent
OUT = HERE / "out" / "observe.json"
READY_SECONDS = 60
SECONDS = 900  # for one client; a loaded machine is slow
ZONE = """$TTL 3600
@ IN SOA ns1 hostmaster 2026010101 3600 600 86400 300
@ IN NS ns1
@ IN NS ns2
ns1 IN A 127.0.0.1
ns2 IN A 127.0.0.1
@ IN MX 10 mail
@ IN TXT "v=spf1 -all"
mail IN A 192.0.2.1
_amazonses IN TXT "token"
"""
SHARE = {"engine": 1.0, "observer": 0.2, "asyncresolver": 0.05, "pycares": 0.4}  # of the questions; the slow get fewer
GOALS = {"dnsperf": 0.5, "asyncresolver": 25.0, "pycares": 3.0}


def write_zones(folder: Path, count: int, port: int) -> None:
    """One master file, `count` zones, and NSD's configuration without anything that limits or listens elsewhere."""
    (folder / "zone").write_text(ZONE)
    server = {
        "ip-address": f"{dns_clients.ADDRESS}@{port}",
        "username": '""',
        "chroot": '""',
        "zonesdir": f'"{folder}"',
        "database": '""',
        "pidfile": '""',
        "xfrdfile": f'"{folder}/xfrd.state"',
        "zonelistfile": f'"{folder}/zone.list"',
        "xfrdir": f'"{folder}"',
        "rrl-ratelimit": "0",
        "server-count": "1",
        "receive-buffer-size": "4194304",  # the kernel's default drops what comes at once
        "send-buffer-size": "4194304",
    }
    lines = ["server:", *(f"  {name}: {value}" for name, value in server.items())]
    lines += ["remote-control:", "  control-enable: no"]
    for number in range(count):
        lines += ["zone:", f"  name: d{number}.bench.example", "  zonefile: zone"]
    (folder / "nsd.conf").write_text("\n".join(lines) + "\n")


@contextmanager
def run_nsd(folder: Path, count: int, core: int) -> Iterator[int]:
    """NSD on one core, from its readiness to the end of the block; gives its port."""
    port = free_port(dns_clients.ADDRESS)
    write_zones(folder, count, port)
    command = ["taskset", "-c", str(core), "nsd", "-d", "-c", str(folder / "nsd.conf")]
    with (folder / "nsd.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not serves(dns_clients.ADDRESS, port, [f"d{count - 1}.bench.example."]):
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"nsd does not serve:\n{(folder / 'nsd.log').read_text()[-2000:]}")
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def run_dnsperf(data: Path, port: int, core: int) -> float:
    """Queries a second, with as many at once as the other clients."""
    command = ["taskset", "-c", str(core), "dnsperf", "-s", dns_clients.ADDRESS, "-p", str(port), "-d", str(data)]
    command += ["-n", "2", "-c", "1", "-T", "1", "-q", str(dns_clients.AT_ONCE), "-e"]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=SECONDS).stdout
    rate = re.search(r"Queries per second:\s+([\d.]+)", output)
    completed = re.search(r"Queries completed:\s+\d+ \(([\d.]+)%\)", output)
    if rate is None or completed is None or float(completed.group(1)) < 99.9:  # noqa: PLR2004 - percent
        sys.exit(f"dnsperf lost queries:\n{output[-1000:]}")
    return float(rate.group(1))


def run_client(python: str, name: str, port: int, core: int, count: int) -> float:
    """Questions a second of one of our clients; every one must have been answered."""
    command = ["taskset", "-c", str(core), python, str(HERE / "dns_clients.py"), name, str(port), str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=SECONDS)
    result = json.loads(done.stdout)
    if result["answered"] != result["questions"]:
        sys.exit(f"{name}: {result}")
    return float(result["questions"] / result["seconds"])


def measure(arguments: argparse.Namespace) -> dict[str, list[float]]:
    """The rates of every client, one run after the other, in turn."""
    pythons = dict.fromkeys(("engine", "observer", "asyncresolver"), sys.executable)
    if arguments.pycares:
        pythons["pycares"] = arguments.pycares
    rates: dict[str, list[float]] = {name: [] for name in ("dnsperf", *pythons)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = folder / "questions"
        total = arguments.zones * 5
        asked = (f"{owner.rstrip('.')} {rdtype}\n" for owner, rdtype in dns_clients.questions(total))
        data.write_text("".join(asked))
        with run_nsd(folder, arguments.zones, arguments.server_core) as port:
            for _ in range(arguments.runs):
                rates["dnsperf"].append(run_dnsperf(data, port, arguments.client_core))
                for client, python in pythons.items():
                    count = max(int(total * SHARE[client]) // 5, 1) * 5
                    rates[client].append(run_client(python, client, port, arguments.client_core, count))
    return rates


def report(rates: dict[str, list[float]], zones: int) -> None:
    """Print the ratios beside their goals, and keep everything as JSON."""
    medians = {name: statistics.median(of) for name, of in rates.items()}
    print(f"{zones} zones, medians of {len(rates['engine'])} runs in turn, load {os.getloadavg()[0]:.1f}")
    for name, rate in medians.items():
        print(f"{name:16}{rate:12,.0f} /s")
    ratios = {name: medians["engine"] / medians[name] for name in GOALS if name in medians}
    for name, goal in GOALS.items():
        shown = f"{ratios[name]:.2f}" if name in ratios else "not measured"
        print(f"engine / {name:14}{shown:>14}   (goal {goal:g})")
    OUT.parent.mkdir(exist_ok=True)
    figures = {"zones": zones, "load": os.getloadavg(), "rates": rates, "ratios": ratios, "goals": GOALS}
    OUT.write_text(json.dumps(figures, indent=2) + "\n")


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--zones", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--client-core", type=int, default=0)
    parser.add_argument("--server-core", type=int, default=1)
    parser.add_argument("--pycares", metavar="PYTHON", help="an interpreter that has pycares")
    arguments = parser.parse_args()
    for program in ("nsd", "dnsperf", "taskset"):
        if shutil.which(program) is None:
            sys.exit(f"{program} is not installed")
    report(measure(arguments), arguments.zones)


if __name__ == "__main__":
    main()
