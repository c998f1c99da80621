"""One list of steps, of a job or of a composite action, run in order as the runner of GitHub Actions does."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workflows.expressions import Scope, as_text, filled, is_met

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Json = dict[str, Any]

STEP_SECONDS = 300
_DEFAULT_SHELL = "bash -e {0}"
_NAMED_SHELLS = {"bash": "bash --noprofile --norc -eo pipefail {0}"}
_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


@dataclass(frozen=True)
class StepRun:
    """What one step was given, and what became of it. `environment` is all that its process had."""

    name: str
    outcome: str
    conclusion: str
    code: int = 0
    out: str = ""
    err: str = ""
    environment: Json = field(default_factory=dict)

    @property
    def orders(self) -> list[str]:
        """The lines of its output that the runner obeys: `::command::` at the start, `##[command]` anywhere."""
        found, stop = [], ""
        for line in f"{self.out}\n{self.err}".splitlines():
            started = re.match(r"::stop-commands::(.+)", line)
            if stop:
                stop = "" if line == f"::{stop}::" else stop
            elif started:
                stop = started[1]
            elif re.match(r"\s*::[\w-]+( .*?)?::", line) or "##[" in line:
                found.append(line)
        return found


@dataclass
class Machine:
    """The machine of one job: its folders, and what steps leave for the next ones."""

    folder: Path
    defaults: dict[str, str]
    variables: dict[str, str] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    ran: list[StepRun] = field(default_factory=list)
    executed: int = 0

    def __post_init__(self) -> None:
        """Make the folders."""
        for folder in (self.workspace, self.temporary, self.home):
            folder.mkdir(parents=True)

    @property
    def workspace(self) -> Path:
        """GITHUB_WORKSPACE."""
        return self.folder / "work"

    @property
    def temporary(self) -> Path:
        """RUNNER_TEMP."""
        return self.folder / "temp"

    @property
    def home(self) -> Path:
        """HOME: empty, so that nothing of the machine that tests is read."""
        return self.folder / "home"

    @property
    def summary(self) -> str:
        """The summaries of all steps, in their order."""
        files = sorted(self.folder.glob("files/*/GITHUB_STEP_SUMMARY"), key=lambda f: int(f.parent.name))
        return "".join(f.read_text(encoding="utf-8") for f in files)

    def environment(self, given: dict[str, str]) -> dict[str, str]:
        """All that a process gets."""
        path = ":".join([*reversed(self.paths), _SYSTEM_PATH])
        fixed = {"PATH": path, "HOME": str(self.home), "LANG": "C.UTF-8", "CI": "true", **self.defaults}
        places = {"GITHUB_WORKSPACE": str(self.workspace), "RUNNER_TEMP": str(self.temporary), "RUNNER_OS": "Linux"}
        return {**fixed, **places, **self.variables, **given}


@dataclass
class Steps:
    """A list of steps, and what they can see. `uses` plays a step that names an action and gives its outputs."""

    machine: Machine
    contexts: Json
    shell: str | None
    environment: dict[str, str]
    uses: Callable[[Json, dict[str, str], Scope], Json]
    is_failed: bool = False

    def run(self, steps: list[Json]) -> None:
        """Each step whose condition is met, also after one that failed."""
        self.contexts = {**self.contexts, "steps": {}}
        for step in steps:
            self._run(step)

    def scope(self) -> Scope:
        """What an expression of a step sees."""
        seen = {**self.contexts, "env": {**self.machine.variables, **self.environment}}
        return Scope(seen, is_failed=self.is_failed)

    def _run(self, step: Json) -> None:
        scope, name = self.scope(), as_text(step.get("name") or step.get("uses") or step["run"])
        if not is_met(step.get("if"), scope):
            self._remember(step, StepRun(name, "skipped", "skipped"), {})
            return
        given = self.environment | {k: filled(v, scope) for k, v in step.get("env", {}).items()}
        if "uses" in step:
            done, outputs = self._play(step, name, given, scope)
        else:
            done, outputs = self._execute(step, name, given, scope)
        self._remember(step, done, outputs)
        self.is_failed |= done.conclusion == "failure"

    def _remember(self, step: Json, done: StepRun, outputs: Json) -> None:
        self.machine.ran.append(done)
        if "id" in step:
            seen = {"outputs": outputs, "outcome": done.outcome, "conclusion": done.conclusion}
            self.contexts["steps"][step["id"]] = seen

    def _play(self, step: Json, name: str, given: dict[str, str], scope: Scope) -> tuple[StepRun, Json]:
        try:
            return StepRun(name, "success", "success", environment=given), self.uses(step, given, scope)
        except ActionError as exc:
            ended = _ended(step, is_good=False)
            return StepRun(name, *ended, code=1, err=str(exc), environment=given), exc.outputs

    def _execute(self, step: Json, name: str, given: dict[str, str], scope: Scope) -> tuple[StepRun, Json]:
        files = self._files()
        environment = self.machine.environment(given) | {k: str(v) for k, v in files.items()}
        script = self.machine.temporary / f"{uuid.uuid4()}.sh"
        script.write_text(filled(step["run"], scope), encoding="utf-8")
        shell = step.get("shell") or self.shell or _DEFAULT_SHELL
        command = shlex.split(_NAMED_SHELLS.get(shell, shell).replace("{0}", str(script)))
        folder = self.machine.workspace / filled(step.get("working-directory", "."), scope)
        code, out, err = _finished(command, folder, environment)
        script.unlink()
        self.machine.variables |= _pairs(files["GITHUB_ENV"])
        self.machine.paths += files["GITHUB_PATH"].read_text(encoding="utf-8").splitlines()
        ended = _ended(step, is_good=code == 0)
        return StepRun(name, *ended, code, out, err, environment), _pairs(files["GITHUB_OUTPUT"])

    def _files(self) -> dict[str, Path]:
        self.machine.executed += 1
        folder = self.machine.folder / "files" / str(self.machine.executed)
        folder.mkdir(parents=True)
        names = ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")
        files = {name: folder / name for name in names}
        for file in files.values():
            file.touch()
        return files


class ActionError(Exception):
    """An action failed; it may have given outputs before."""

    def __init__(self, message: str, outputs: Json | None = None) -> None:
        """With what it gave."""
        super().__init__(message)
        self.outputs = outputs or {}


def _ended(step: Json, *, is_good: bool) -> tuple[str, str]:
    outcome = "success" if is_good else "failure"
    return outcome, "success" if step.get("continue-on-error") is True else outcome


def _finished(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[int, str, str]:
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=STEP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            err += f"ended after {STEP_SECONDS} s\n".encode()
    return process.returncode, out.decode(errors="replace"), err.decode(errors="replace")


def _pairs(file: Path) -> dict[str, str]:
    """`name=value`, and `name<<END`, lines, `END`."""
    found: dict[str, str] = {}
    lines = iter(file.read_text(encoding="utf-8").splitlines())
    for line in lines:
        plain = re.fullmatch(r"([^=<]+)=(.*)", line)
        long = re.fullmatch(r"([^=<]+)<<(.+)", line)
        if plain:
            found[plain[1]] = plain[2]
        elif long:
            value = []
            while (inner := next(lines)) != long[2]:
                value.append(inner)
            found[long[1]] = "\n".join(value)
        elif line:
            message = f"the runner would refuse {line!r}"
            raise AssertionError(message)
    return found
