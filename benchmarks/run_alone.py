"""Runs a command as the child of a small process, and writes as JSON what it took: `run_alone.py FILE COMMAND...`.

The largest resident size of a process counts what its parent had when it was started: execve(2) keeps it. So whoever
measures must not be the parent.
"""

from __future__ import annotations

import json
import os
import sys
import time


def main() -> None:
    """Wall and processor seconds, the largest resident size in KiB, and the exit code."""
    report, *command = sys.argv[1:]
    started = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    took = {"wall": time.perf_counter() - started, "cpu": usage.ru_utime + usage.ru_stime, "kibibytes": usage.ru_maxrss}
    with open(report, "w", encoding="utf-8") as file:  # noqa: PTH123 - pathlib would be most of this process
        json.dump({**took, "code": os.waitstatus_to_exitcode(status)}, file)


if __name__ == "__main__":
    main()
