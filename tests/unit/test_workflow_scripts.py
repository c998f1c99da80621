"""The lines of `plan.yml` and `drift.yml` that decide, run with a program that ends as it is told to."""

from __future__ import annotations

from pathlib import Path

import pytest
from workflows.runner import read_yaml
from workflows.steps import Machine, Steps

WORKFLOWS = Path(__file__).resolve().parents[2] / ".github" / "workflows"
FAKE = """#!/bin/sh
written={written}
while [ $# -gt 0 ]; do
  case "$written$1" in
    yes--out|yes--json-into) shift; touch "$1" ;;
  esac
  shift
done
exit {code}
"""
ENDINGS = [(0, True), (3, True), (1, True), (1, False), (4, False), (64, False), (130, True)]


def ran(folder: Path, workflow: str, code: int, *, is_written: bool, job: str = "", **given: str) -> Steps:
    """The one step of a job that has an output or looks, in a repository that has files of the results' names."""
    machine = Machine(folder / "machine", {})
    machine.paths.append(str(folder))
    program = folder / "reconciler"
    program.write_text(FAKE.format(code=code, written="yes" if is_written else "no"))
    program.chmod(0o755)
    for name in ("plan.json", "shown.json", "drift.json", "shard-2.json"):
        (machine.workspace / name).touch()
    document = read_yaml(WORKFLOWS / f"{workflow}.yml")
    [step] = [s for s in document["jobs"][job or workflow]["steps"] if "--json-into" in s.get("run", "")]
    done = Steps(machine, {}, document["defaults"]["run"]["shell"], given, lambda *_: {})
    done.run([{**step, "env": {}}])
    return done


@pytest.mark.parametrize("is_fork", [False, True])
@pytest.mark.parametrize(("code", "is_written"), ENDINGS)
def test_a_plan_with_an_error_of_one_domain_is_a_warning_and_no_plan_is_a_failure(
    tmp_path: Path, code: int, *, is_written: bool, is_fork: bool
) -> None:
    done = ran(tmp_path, "plan", code, is_written=is_written, IS_FORK=str(is_fork).lower(), BASE="")
    [step] = done.machine.ran
    is_good = is_written and code in {0, 1, 3}
    assert (step.code, done.is_failed) == (0 if is_good else code, not is_good)
    assert len(step.orders) == int(is_good and code == 1)
    told = {"is-written": "true"} if is_written and not is_fork else {}
    assert done.contexts["steps"]["plan"]["outputs"] == told


@pytest.mark.parametrize("looked", ["skipped", "success", "failure"])
@pytest.mark.parametrize(("code", "is_written"), ENDINGS)
def test_a_look_that_was_written_is_told_whatever_it_ends_with(
    tmp_path: Path, code: int, looked: str, *, is_written: bool
) -> None:
    """Whether it is one machine's, or is put together from the looks of several."""
    done = ran(tmp_path, "drift", code, is_written=is_written, LOOKED=looked)
    assert done.machine.ran[0].code == (0 if code == 3 else code)
    told = {"is-written": "true"} if is_written else {}
    assert done.contexts["steps"]["look"]["outputs"] == told


@pytest.mark.parametrize(("code", "is_written"), ENDINGS)
def test_a_shard_with_an_error_of_one_domain_is_put_together_with_the_others(
    tmp_path: Path, code: int, *, is_written: bool
) -> None:
    done = ran(tmp_path, "drift", code, is_written=is_written, job="look", INDEX="2", COUNT="7")
    is_good = code in {0, 3} or (code == 1 and is_written)
    assert done.machine.ran[0].code == (0 if is_good else code)
