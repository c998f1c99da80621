"""The whole benchmark, small: every row has a figure, and no question stays without an answer. Nothing about speed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fleet_lab import PROGRAMS, missing_programs

pytestmark = pytest.mark.integration

BENCH = Path(__file__).resolve().parent.parent.parent / "benchmarks" / "bench.py"
ROWS = {
    "observe/dnsperf",
    "observe/asyncresolver",
    "observe/pycares",
    "observe/observer",
    "drift/stock",
    "drift/floors",
    "drift/memory",
    "drift/allowlists",
    "peers/octodns",
    "far/seconds",
    "far/unanswered",
    "scale/time",
    "scale/memory",
    "million/balance",
}
SECONDS = 900


def require_programs() -> None:
    """A name server, dnsperf, and a core for each side."""
    missing = missing_programs()
    why = f"not installed: {', '.join(missing)} of {', '.join(PROGRAMS)}" if missing else ""
    if not missing and len(os.sched_getaffinity(0)) == 1:
        why = "there is one core alone"
    if why and os.environ.get("RECONCILER_REQUIRE_SERVERS") == "1":
        pytest.fail(f"{why}, and RECONCILER_REQUIRE_SERVERS is 1")
    if why:
        pytest.skip(why)


def run_bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    client, server = sorted(os.sched_getaffinity(0))[:2]
    cores = ["--client-core", str(client), "--server-core", str(server)]
    return subprocess.run(
        [sys.executable, str(BENCH), "--quick", *cores, *arguments],
        env={**os.environ, "GOPROXY": "off"},  # nothing is fetched
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_every_row_has_a_figure_and_every_question_an_answer(tmp_path: Path) -> None:
    require_programs()
    done = run_bench("--domains", "100", "--json", str(tmp_path / "bench.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    document: dict[str, Any] = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    values = {row["name"]: row["value"] for row in document["rows"]}
    assert set(values) >= ROWS
    assert {name.partition("/")[0] for name in values} >= {"load", "startup"}
    assert {name for name, value in values.items() if value is None} <= {"peers/dnscontrol"}
    assert values["far/unanswered"] == 0
    assert all(run["lost"] > 0 for run in document["figures"]["far"]["runs"]), "the way did lose datagrams"
    assert document["figures"]["drift"]["queries"] > 100
    assert not [row for row in document["rows"] if row["is_judged"]]
    assert "reached" not in done.stdout
    assert "missed" not in done.stdout
    shown = done.stdout.splitlines()
    assert len(shown) == len(values) + 2, "a heading, the rows, and for which size the goals are"


@pytest.mark.parametrize("missing", ["pytest", "dns", "reconciler"])
def test_without_the_workshops_tools_it_says_what_installs_them(missing: str) -> None:
    """Whoever tries `python benchmarks/bench.py --help` first need not read a traceback."""
    lines = (
        "import runpy, sys",
        f"sys.modules[{missing!r}] = None",
        f"sys.path.insert(0, {str(BENCH.parent)!r})",
        "sys.argv = ['bench.py', '--help']",
        f"runpy.run_path({str(BENCH)!r}, run_name='__main__')",
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    told = f"{missing} is not installed in {sys.prefix}: `make bench` installs the workshop's tools and runs this\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", told)


def test_an_unknown_part_is_refused() -> None:
    require_programs()
    done = run_bench("--only", "nothing")
    assert done.returncode == 2
    assert "invalid choice: 'nothing'" in done.stderr
