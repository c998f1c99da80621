"""Ctrl-C while the command is still being imported: it ends as later on, and shows no traceback."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 60
# the interrupt comes at a place and not at a time; a process in the background of a script ignores it at first
_PROGRAM = """
import importlib.abc, os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Interrupting(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
from reconciler.cli import main
sys.exit(main(sys.argv[2:]))
"""
_TOLD = "interrupted; what was written stays written, and the next run goes on from there\n"


def _interrupted(folder: Path, module: str) -> tuple[int, str, str]:
    command = [sys.executable, "-c", _PROGRAM, module, "validate"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("module", ["reconciler.cli.command", "argparse", "reconciler.termination"])
def test_before_the_command_line_is_read_nothing_is_said(tmp_path: Path, module: str) -> None:
    assert _interrupted(tmp_path, module) == (130, "", "")


@pytest.mark.parametrize(
    "module", ["reconciler.cli.validate", "reconciler.errors", "publicsuffixlist", "reconciler.settings"]
)
def test_while_a_verb_is_imported_it_is_told_as_later_on(tmp_path: Path, module: str) -> None:
    assert _interrupted(tmp_path, module) == (130, "", _TOLD)
