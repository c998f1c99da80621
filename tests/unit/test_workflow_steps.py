"""The tests' runner runs steps as GitHub's does: files between steps, conditions, shells, and what the runner obeys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workflows.steps import Machine, Steps

if TYPE_CHECKING:
    from pathlib import Path

    from workflows.expressions import Scope


def no_actions(step: dict[str, Any], _given: dict[str, str], _scope: Scope) -> dict[str, Any]:
    raise AssertionError(step)


def ran(folder: Path, *steps: dict[str, Any], shell: str | None = "bash -euo pipefail {0}") -> Steps:
    machine = Machine(folder / "machine", {})
    done = Steps(machine, {}, shell, {"LEVEL": "job"}, no_actions)
    done.run(list(steps))
    return done


def test_steps_leave_variables_outputs_paths_and_a_summary_for_the_next(tmp_path: Path) -> None:
    first = """
        printf 'LONG<<END\\none\\ntwo=2\\nEND\\n' >>"$GITHUB_ENV"
        echo 'number=7' >>"$GITHUB_OUTPUT"
        mkdir bin && printf '#!/bin/sh\\necho found' >bin/tool && chmod +x bin/tool
        echo "$PWD/bin" >>"$GITHUB_PATH"
        echo '# First' >>"$GITHUB_STEP_SUMMARY"
    """
    second = 'echo "$LONG $NUMBER $LEVEL"; tool; echo "# Second" >>"$GITHUB_STEP_SUMMARY"'
    given = {"NUMBER": "${{ steps.first.outputs.number }}", "LEVEL": "step"}
    done = ran(tmp_path, {"id": "first", "run": first}, {"run": second, "env": given})
    assert done.machine.ran[1].out == "one\ntwo=2 7 step\nfound\n"
    assert done.machine.summary == "# First\n# Second\n"
    assert not done.is_failed


def test_a_failure_ends_what_asks_for_success_and_nothing_else(tmp_path: Path) -> None:
    steps: list[dict[str, Any]] = [
        {"name": "tolerated", "run": "false", "continue-on-error": True},
        {"name": "unset", "run": 'echo "$NOBODY"'},
        {"name": "next", "run": "echo next"},
        {"name": "always", "run": "echo always", "if": "always()"},
        {"name": "failure", "run": "echo failure", "if": "${{ failure() }}"},
    ]
    done = ran(tmp_path, *steps)
    outcomes = {s.name: (s.outcome, s.conclusion) for s in done.machine.ran}
    assert outcomes == {
        "tolerated": ("failure", "success"),
        "unset": ("failure", "failure"),
        "next": ("skipped", "skipped"),
        "always": ("success", "success"),
        "failure": ("success", "success"),
    }
    assert done.is_failed


def test_nothing_of_this_machines_environment_is_seen(tmp_path: Path) -> None:
    done = ran(tmp_path, {"run": 'env | cut -d= -f1 | sort; ls -A "$HOME"'})
    names = set(done.machine.ran[0].out.split())
    known = {"CI", "HOME", "LANG", "LEVEL", "PATH", "PWD", "OLDPWD", "SHLVL", "_"}
    assert {n for n in names if not n.startswith(("GITHUB_", "RUNNER_"))} <= known


def test_orders_are_obeyed_until_they_are_stopped(tmp_path: Path) -> None:
    said = ["::error file=a::one", "  ::warning::two", "three ##[add-matcher]x", "four ::error::"]
    text = "\n".join(f"echo '{line}'" for line in said)
    done = ran(
        tmp_path, {"run": text}, {"run": f"echo ::stop-commands::word\n{text}\necho ::word::\necho ::notice::on"}
    )
    assert [s.orders for s in done.machine.ran] == [said[:3], ["::notice::on"]]
