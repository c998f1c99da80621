"""A workflow's jobs, in the order that `needs` asks for, each on a machine of its own; a matrix is several of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from servers.github_rest import TOKEN

from workflows.actions import Place, play
from workflows.expressions import Scope, as_text, evaluate, filled, is_met
from workflows.steps import ActionError, Machine, StepRun, Steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from servers.github_rest import GithubApi

Json = dict[str, Any]

_MATRIX_JOBS = 256  # of one run: https://docs.github.com/actions/reference/limits


@dataclass(frozen=True)
class Event:
    """What happened, and for which commit the workflow runs. `secrets` are those that a job may ask for."""

    name: str
    ref: str
    sha: str
    document: Json
    head_sha: str
    is_from_fork: bool = False
    base_ref: str = ""


@dataclass
class Repository:
    """What the runner knows of where it runs.

    `environments` are the secrets of each environment by its name, `machine` the variables that a machine begins with.
    `program` gives the folder of an action's repository at a commit. `install` may lay what an action installs on the
    machine before the action runs: it is given its folder and its inputs. `grant` tells the forge what the token may
    write.
    """

    name: str
    remote: str
    folder: Path
    api: GithubApi
    program: Callable[[str, str], Path]
    install: Callable[[Machine, Path, dict[str, str]], None]
    grant: Callable[[frozenset[str]], None]
    machine: dict[str, str] = field(default_factory=dict)
    environments: dict[str, dict[str, str]] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class JobRun:
    """What became of a job; of one with a matrix `parts` are what became of each."""

    name: str
    result: str
    outputs: dict[str, str]
    permissions: dict[str, str]
    steps: list[StepRun]
    summary: str
    workspace: Path | None
    parts: list[JobRun] = field(default_factory=list)

    def step(self, start: str) -> StepRun:
        """The one step whose name begins so."""
        [found] = [s for s in self.steps if s.name.startswith(start)]
        return found


@dataclass(frozen=True)
class WorkflowRun:
    """What became of a workflow's run."""

    number: int
    jobs: dict[str, JobRun]

    @property
    def conclusion(self) -> str:
        """`success` when no job failed."""
        return "failure" if any(j.result == "failure" for j in self.jobs.values()) else "success"

    @property
    def steps(self) -> list[StepRun]:
        """The steps of all jobs."""
        return [s for j in self.jobs.values() for s in j.steps]

    def shown(self) -> str:
        """Everything that failed, for a person who looks why."""
        failed = [s for s in self.steps if s.outcome == "failure"]
        return "\n".join(f"{s.name}: {s.code}\n{s.out}\n{s.err}" for s in failed)


def read_yaml(path: Path) -> Json:
    """By YAML 1.2, where `on` is a text."""
    found: Json = YAML(typ="safe", pure=True).load(path)
    return found


def run_workflow(repository: Repository, path: Path, event: Event) -> WorkflowRun:
    """Run a workflow's file for an event, and tell the forge how it ended."""
    workflow = read_yaml(path)
    state = repository.api.state
    told = state.add_run(
        event.head_sha,
        event=event.name,
        path=f".github/workflows/{path.name}",
        status="in_progress",
        conclusion=None,
        head_repository={"full_name": "stranger/mail" if event.is_from_fork else repository.name},
    )
    jobs: dict[str, JobRun] = {}
    for name in _in_order(workflow["jobs"]):
        jobs[name] = _Job(repository, workflow, event, told["id"], path).run(name, jobs)
    run = WorkflowRun(told["id"], jobs)
    told |= {"status": "completed", "conclusion": run.conclusion}
    return run


def _needs(job: Json) -> list[str]:
    needs = job.get("needs", [])
    return [needs] if isinstance(needs, str) else list(needs)


def _in_order(jobs: Json) -> Iterable[str]:
    done: list[str] = []
    while len(done) < len(jobs):
        ready = [n for n, job in jobs.items() if n not in done and set(_needs(job)) <= set(done)]
        assert ready, "the jobs need each other in a circle"
        done += ready
    return done


class _Job:
    def __init__(self, repository: Repository, workflow: Json, event: Event, run: int, path: Path) -> None:
        self.repository, self.workflow, self.event, self.run_id, self.path = repository, workflow, event, run, path

    def run(self, name: str, before: dict[str, JobRun]) -> JobRun:
        job = self.workflow["jobs"][name]
        permissions = job.get("permissions", self.workflow.get("permissions", {}))
        needed = {n: before[n] for n in _needs(job)}
        contexts = self._contexts(job, needed)
        are_bad = [j.result != "success" for j in needed.values()]
        scope = Scope(contexts, is_failed=any(j.result == "failure" for j in needed.values()))
        is_wanted = is_met(job.get("if"), scope) and ("if" in job or not any(are_bad))
        if not is_wanted:
            return JobRun(name, "skipped", {}, permissions, [], "", None)
        if "strategy" not in job:
            return self._run(name, name, job, permissions, contexts)
        combinations = _matrix(job["strategy"], scope)
        parts = [
            self._run(f"{name}-{index}", name, job, permissions, {**contexts, "matrix": combination})
            for index, combination in enumerate(combinations)
        ]
        result = "failure" if any(p.result == "failure" for p in parts) else "success"
        outputs = {k: v for p in parts for k, v in p.outputs.items() if v}
        steps, summary = [s for p in parts for s in p.steps], "".join(p.summary for p in parts)
        return JobRun(name, result, outputs, permissions, steps, summary, None, parts)

    def _run(self, place: str, name: str, job: Json, permissions: dict[str, str], contexts: Json) -> JobRun:
        # only one job runs at a time, so that the token can change its rights
        writable = {p for p, right in permissions.items() if right == "write"}
        self.repository.grant(frozenset() if self.event.is_from_fork else frozenset(writable))
        machine = self._machine(place, name)
        steps = self._steps(machine, contexts, job)
        steps.run(job["steps"])
        outputs = {k: filled(v, steps.scope()) for k, v in job.get("outputs", {}).items()}
        result = "failure" if steps.is_failed else "success"
        return JobRun(name, result, outputs, permissions, machine.ran, machine.summary, machine.workspace)

    def _contexts(self, job: Json, needed: dict[str, JobRun]) -> Json:
        environment = job.get("environment")
        named = environment["name"] if isinstance(environment, dict) else environment
        secrets = {} if self.event.is_from_fork else self.repository.environments.get(named or "", {})
        return {
            "github": self._github(),
            "vars": {} if self.event.is_from_fork else self.repository.variables,
            "secrets": {**secrets, "GITHUB_TOKEN": TOKEN},
            "needs": {n: {"result": j.result, "outputs": j.outputs} for n, j in needed.items()},
        }

    def _github(self) -> Json:
        event = self.event
        return {
            "token": TOKEN, "event_name": event.name, "ref": event.ref, "sha": event.sha, "event": event.document,
            "ref_name": event.ref.removeprefix("refs/heads/").removeprefix("refs/"), "repository": self.repository.name,
            "run_id": str(self.run_id), "workflow": self.workflow["name"],
        }  # fmt: skip

    def _machine(self, place: str, name: str) -> Machine:
        folder = self.repository.folder / f"{self.run_id}-{place}"
        folder.mkdir(parents=True)
        file = folder / "event.json"
        file.write_text(json.dumps(self.event.document), encoding="utf-8")
        api, event, seen = self.repository.api, self.event, self._github()
        return Machine(
            folder,
            {
                **self.repository.machine,
                "GITHUB_ACTIONS": "true", "GITHUB_API_URL": api.url, "GITHUB_GRAPHQL_URL": f"{api.url}/graphql",
                "GITHUB_BASE_REF": event.base_ref, "GITHUB_EVENT_NAME": event.name, "GITHUB_EVENT_PATH": str(file),
                "GITHUB_JOB": name, "GITHUB_REF": event.ref, "GITHUB_REF_NAME": seen["ref_name"],
                "GITHUB_REPOSITORY": self.repository.name, "GITHUB_RUN_ATTEMPT": "1",
                "GITHUB_RUN_ID": str(self.run_id), "GITHUB_SERVER_URL": "https://github.example",
                "GITHUB_SHA": event.sha, "GITHUB_WORKFLOW": self.workflow["name"],
            },
        )  # fmt: skip

    def _steps(self, machine: Machine, contexts: Json, job: Json) -> Steps:
        scope = Scope(contexts)
        given = {**self.workflow.get("env", {}), **job.get("env", {})}
        shells = [part.get("defaults", {}).get("run", {}).get("shell") for part in (job, self.workflow)]
        contexts = {**contexts, "runner": {"temp": str(machine.temporary), "os": "Linux"}}
        environment = {k: filled(v, scope) for k, v in given.items()}
        return Steps(
            machine, contexts, shells[0] or shells[1], environment, lambda *a: self._uses(machine, contexts, *a)
        )

    def _uses(self, machine: Machine, contexts: Json, step: Json, given: dict[str, str], scope: Scope) -> Json:
        used: str = step["uses"]
        action, _, commit = used.partition("@")
        if used.startswith("./"):
            return self._composite(machine, contexts, machine.workspace / used, step, given, scope)
        if action.startswith("actions/"):
            place = Place(
                machine, self.repository.remote, self.repository.api.state, self.run_id,
                self.event.ref, self.event.sha, self.repository.folder / "pages",
            )  # fmt: skip
            return play(place, action, step.get("with", {}), scope)
        return self._composite(machine, contexts, self.repository.program(action, commit), step, given, scope)

    def _composite(
        self, machine: Machine, contexts: Json, folder: Path, step: Json, given: dict[str, str], scope: Scope
    ) -> Json:
        action = read_yaml(folder / "action.yml")
        assert action["runs"]["using"] == "composite"
        unknown = step.get("with", {}).keys() - action["inputs"].keys()
        assert not unknown, f"the action has no inputs {sorted(unknown)}"
        inputs = {n: as_text(i.get("default")) for n, i in action["inputs"].items()}
        inputs |= {n: filled(v, scope) for n, v in step.get("with", {}).items()}
        # an action sees no secrets but those it is given
        seen = {k: v for k, v in contexts.items() if k not in {"secrets", "vars", "needs", "matrix"}} | {
            "inputs": inputs
        }
        environment = {**given, "GITHUB_ACTION_PATH": str(folder)}
        self.repository.install(machine, folder, inputs)
        steps = Steps(machine, seen, None, environment, lambda *a: self._uses(machine, seen, *a))
        steps.run(action["runs"]["steps"])
        outputs = {k: as_text(_value(v["value"], steps.scope())) for k, v in action.get("outputs", {}).items()}
        if steps.is_failed:
            message = "\n".join(f"{s.name}: {s.out}{s.err}" for s in machine.ran if s.outcome == "failure")
            raise ActionError(message, outputs)
        return outputs


def _matrix(strategy: Json, scope: Scope) -> list[Json]:
    """The combinations of a matrix of one dimension, given as an expression."""
    assert strategy.keys() <= {"matrix", "fail-fast"}, "this runner knows no more of a strategy"
    assert strategy.get("fail-fast") is False, "this runner ends no job because of another"
    [(name, given)] = strategy["matrix"].items()
    values = _value(given, scope)
    assert isinstance(values, list), f"{given} is no list"
    assert 0 < len(values) <= _MATRIX_JOBS
    return [{name: value} for value in values]


def _value(template: str, scope: Scope) -> Any:  # noqa: ANN401 - whatever an output is
    inside = template.strip()
    is_one = inside.startswith("${{") and inside.endswith("}}")
    return evaluate(inside[3:-2], scope) if is_one else filled(template, scope)
