"""The fuzzers run as `make fuzz` runs them, for a while and with a fixed seed: nothing is found, and they get deep."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

FUZZ = Path(__file__).parent.parent / "fuzz"


def fuzzed(program: str, tmp_path: Path, *options: str) -> str:
    """What a fuzzer reports; fails with its report where it found something."""
    if importlib.util.find_spec("atheris") is None:
        reason = "atheris is not installed: it has no wheel for this Python"
        if os.environ.get("RECONCILER_REQUIRE_SERVERS") == "1" and sys.version_info < (3, 14):
            pytest.fail(reason)
        pytest.skip(reason)
    command = [sys.executable, str(FUZZ / program), str(tmp_path / "corpus"), "-seed=1", *options]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr[-6000:]
    return ended.stderr


def reached(report: str) -> int:
    """Edges of the instrumented code, as the last line of the report has them."""
    return int(re.findall(r"DONE +cov: (\d+)", report)[-1])


def test_the_walker_reads_what_dnspython_reads(tmp_path: Path) -> None:
    report = fuzzed("fuzz_walker.py", tmp_path, "-runs=12000")
    assert "Done 12000 runs" in report
    assert reached(report) > 150


def test_strict_yaml_reads_what_the_slow_parser_reads(tmp_path: Path) -> None:
    report = fuzzed("fuzz_yaml.py", tmp_path, "-runs=4000")
    assert "Done 4000 runs" in report
    assert reached(report) > 80
