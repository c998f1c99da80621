"""The action's own lines: what of a verb's output the runner obeys, wherever the verb stands."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from workflows.runner import read_yaml
from workflows.steps import Machine, StepRun, Steps

from reconciler.cli.verbs import build_parser

ACTION = Path(__file__).resolve().parents[2] / "action.yml"
ORDER = "::warning::an annotation"


def ran(folder: Path, arguments: str) -> StepRun:
    """The step that runs a verb, with a program that prints an annotation and then its arguments."""
    machine = Machine(folder / "machine", {})
    home = machine.temporary / "mail-gateway-reconciler"
    (home / "venv" / "bin").mkdir(parents=True)
    (home / "bin").mkdir()
    (home / "venv" / "bin" / "python").symlink_to(sys.executable)
    program = home / "bin" / "reconciler"
    program.write_text(f"#!/bin/sh\necho '{ORDER}'\nprintf '<%s>' \"$@\"\necho\n")
    program.chmod(0o755)
    [step] = [s for s in read_yaml(ACTION)["runs"]["steps"] if s.get("name") == "Run"]
    inputs = {"inputs": {"run": arguments, "working-directory": "."}}
    done = Steps(machine, inputs, None, {}, lambda *_: {})
    done.run([step])
    return machine.ran[0]


@pytest.mark.parametrize(
    "arguments",
    [
        "github publish plan.json",
        "--settings x.yaml github publish plan.json",
        "--settings=x.yaml --no-color -v github publish plan.json",
        "--manifests 'a folder' --now 2026-01-01 --verbose github publish plan.json",
        "--settings plan github publish plan.json",
    ],
)
def test_what_github_tells_is_obeyed(tmp_path: Path, arguments: str) -> None:
    done = ran(tmp_path, arguments)
    assert (done.outcome, done.orders) == ("success", [ORDER]), done.err


@pytest.mark.parametrize(
    "arguments",
    [
        "plan --domain github",
        "--settings github plan",
        "--settings=github plan",
        "--manifests github --now github plan",
        "plan github",
        "-- github publish plan.json",
        "--unknown github publish plan.json",
        "--version",
        "--settings",
    ],
)
def test_of_everything_else_nothing_is_obeyed(tmp_path: Path, arguments: str) -> None:
    done = ran(tmp_path, arguments)
    assert (done.outcome, done.orders) == ("success", []), done.err
    assert ORDER in done.out


def test_the_action_knows_every_option_that_stands_before_the_verb() -> None:
    parser = build_parser()
    options = set(re.findall(r"(?<![\w-])--?[a-z-]+", parser.format_usage())) - {"-h", "--help", "--version"}
    [names] = re.findall(r"case .*? in\n(.*?)\n +\*\) break", ACTION.read_text(encoding="utf-8"), re.DOTALL)
    assert options == {"--manifests", "--settings", "--no-color", "-v", "--now"}
    assert options <= set(re.findall(r"--?[a-z-]+", names))
