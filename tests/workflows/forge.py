"""A forge on this machine: a bare repository, pull requests, merges, forks, and the workflows that events start.

    with github_api() as api:
        forge = Forge(tmp_path, api)
        forge.commit({"manifests/acme.yaml": text}, "Begin")
        number, run = forge.open_pull({"manifests/acme.yaml": other})
        run = forge.merge(number)
        run = forge.scheduled("drift.yml")

Workflows are read from the commit that GitHub reads them from. The installed program is the one that runs the tests:
`ready_program` lays it where the action finds it installed already, so that no package is installed for each job. What
that leaves unproven, the installation itself, a test of the action proves with `InstalledOnce`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from servers.github_rest import TOKEN

from workflows.runner import Event, Repository, WorkflowRun, read_yaml, run_workflow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from servers.github_rest import GithubApi

    from workflows.steps import Machine

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parent.parent.parent
WORKFLOWS = ("plan.yml", "apply.yml", "drift.yml")
_IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Ada Admin"), ("EMAIL", "ada@acme.example"))
}
# people push with their own rights; a job needs the token in its environment, and `contents: write`
_HOOK = f"""#!/bin/sh
[ "$FORGE_PERSON" = 1 ] && exit 0
[ "$GITHUB_TOKEN" = "{TOKEN}" ] && grep -qx contents "$GIT_DIR/writable" && exit 0
echo "Permission to acme/mail.git denied to github-actions[bot]." >&2
exit 1
"""


def ready_program(machine: Machine, action: Path, inputs: dict[str, str]) -> None:
    """Lay the program that runs the tests where the action finds that it is installed already."""
    if not (machine.temporary / "mail-gateway-reconciler").exists():
        _lay(machine, Path(sys.prefix), f"{action} {inputs['extras']}")


def failing_program(verb: str, *, is_run: bool) -> Callable[[Machine, Path, dict[str, str]], None]:
    """As `ready_program`, but this verb ends with 1, after it has run or without having run."""

    def install(machine: Machine, action: Path, inputs: dict[str, str]) -> None:
        ready_program(machine, action, inputs)
        program = machine.temporary / "mail-gateway-reconciler" / "bin" / "reconciler"
        real = f'"{Path(sys.prefix) / "bin" / "reconciler"}" "$@"'
        program.unlink()
        program.write_text(
            f'#!/bin/sh\nif [ "$1" = {verb} ]; then\n  {f"{real}; exit 1" if is_run else "exit 1"}\nfi\nexec {real}\n',
            encoding="utf-8",
        )
        program.chmod(0o755)

    return install


def _lay(machine: Machine, environment: Path, mark: str) -> None:
    home = machine.temporary / "mail-gateway-reconciler"
    (home / "bin").mkdir(parents=True)
    (home / "venv").symlink_to(environment)
    (home / "bin" / "reconciler").symlink_to("../venv/bin/reconciler")
    (home / "installed").write_text(mark, encoding="utf-8")
    machine.paths.append(str(home / "bin"))


class InstalledOnce:
    """Leave the installation to the action on the first machine, and lay what it installed there on the others."""

    def __init__(self) -> None:
        """Nothing is installed yet."""
        self.first: Path | None = None

    def __call__(self, machine: Machine, action: Path, inputs: dict[str, str]) -> None:
        """Before the action runs."""
        home = machine.temporary / "mail-gateway-reconciler"
        if self.first is None:
            self.first = home
        elif not home.exists():
            _lay(machine, self.first / "venv", f"{action} {inputs['extras']}")


class Forge:
    """One repository, its forks, and what ran. `is_protected`: a rule keeps jobs from pushing any branch."""

    def __init__(self, folder: Path, api: GithubApi, *, has_program: bool = True) -> None:
        """An empty repository, or one that begins with this project's workflows and its action."""
        self.folder, self.api, self.is_protected = folder, api, False
        self.bare, self.desk = folder / "mail.git", folder / "desk"
        self.git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        self.git(self.bare, "config", "uploadpack.allowAnySHA1InWant", "true")
        hook = self.bare / "hooks" / "pre-receive"
        hook.write_text(_HOOK)
        hook.chmod(0o755)
        self.git(folder, "init", "--quiet", "--initial-branch=main", str(self.desk))
        self.git(self.desk, "remote", "add", "origin", str(self.bare))
        state = api.state
        state.is_ancestor = self._is_ancestor
        self.repository = Repository(
            state.repository, f"file://{self.bare}", folder / "runs", api, self._program, ready_program, self._grant
        )
        self.commit(self._beginning() if has_program else {"README.md": "Manifests\n"}, "Begin")

    def git(self, folder: Path, *arguments: str) -> str:
        """Git, as a person who may push."""
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder), "FORGE_PERSON": "1", **_IDENTITY,
        }  # fmt: skip
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False, env=environment
        )
        assert done.returncode == 0, f"git {arguments}: {done.stderr}"
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str | None], message: str, *, branch: str = "main") -> str:
        """Commit files (None: removed) on a branch and push it."""
        if not self._exists(f"refs/heads/{branch}"):
            start = ["main"] if self._exists("refs/heads/main") else []
            self.git(self.desk, "checkout", "--quiet", *(["-b", branch, *start] if start else ["--orphan", branch]))
        self.git(self.desk, "checkout", "--quiet", branch) if self._exists(f"refs/heads/{branch}") else None
        for name, text in files.items():
            path = self.desk / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True) if text is None else path.write_text(text, encoding="utf-8")
        self.git(self.desk, "add", "--all")
        self.git(self.desk, "commit", "--quiet", "--message", message)
        self.git(self.desk, "push", "--quiet", "--force", "origin", branch)
        return self.git(self.desk, "rev-parse", "HEAD")

    def open_pull(self, files: Mapping[str, str | None], *, fork: str | None = None) -> tuple[int, WorkflowRun]:
        """Open a pull request that changes files; its number, and the run that it starts."""
        branch = f"change-{len(self.api.state.pulls) + 1}"
        self.git(self.desk, "branch", "--force", branch, "main")
        head = self.commit(files, f"A change: {', '.join(files)}", branch=branch)
        number = self.api.state.open_pull(head, fork=fork)
        self.api.state.pulls[number]["head"]["ref"] = branch
        return number, self._run_pull(number)

    def push(self, number: int, files: Mapping[str, str | None]) -> WorkflowRun:
        """Push another commit to a pull request."""
        head = self.commit(files, "Another change", branch=self.api.state.pulls[number]["head"]["ref"])
        self.api.state.push(number, head)
        return self._run_pull(number)

    def merge(self, number: int) -> WorkflowRun:
        """Merge a pull request; the run of `apply.yml` that the push to main starts."""
        self.merge_alone(number)
        return self._run_on_main("apply.yml", "push")

    def merge_alone(self, number: int) -> None:
        """Merge a pull request whose run GitHub drops, because another one was waiting."""
        merged = self._merged(self.api.state.pulls[number]["head"]["sha"])
        self.git(self.desk, "checkout", "--quiet", "main")
        self.git(self.desk, "reset", "--quiet", "--hard", merged)
        self.git(self.desk, "push", "--quiet", "origin", "main")
        self.api.state.merge(number, merged)

    def scheduled(self, workflow: str) -> WorkflowRun:
        """Run a workflow as its schedule does."""
        return self._run_on_main(workflow, "schedule")

    def dispatched(self, workflow: str) -> WorkflowRun:
        """Run a workflow as a person starts it."""
        return self._run_on_main(workflow, "workflow_dispatch")

    @property
    def pages(self) -> Path:
        """What was published last."""
        return self.repository.folder / "pages"

    @property
    def head(self) -> str:
        """The newest commit of main."""
        return self.git(self.bare, "rev-parse", "refs/heads/main")

    def branches(self) -> list[str]:
        """The branches that are there, as `refs/heads/...`."""
        return self.git(self.bare, "for-each-ref", "--format=%(refname)", "refs/heads").splitlines()

    def _exists(self, ref: str) -> bool:
        return bool(self.git(self.desk, "for-each-ref", ref))

    def _beginning(self) -> dict[str, str]:
        files = [*(f".github/workflows/{name}" for name in WORKFLOWS), "action.yml", "requirements.lock"]
        return {name: (ROOT / name).read_text(encoding="utf-8") for name in files}

    def _merged(self, head: str) -> str:
        self.git(self.desk, "fetch", "--quiet", "origin", "main")
        tree = self.git(self.desk, "merge-tree", "--write-tree", self.head, head).splitlines()[0]
        return self.git(self.desk, "commit-tree", tree, "-p", self.head, "-p", head, "-m", "Merge a change")

    def _run_pull(self, number: int) -> WorkflowRun:
        pull = self.api.state.pulls[number]
        pull["base"]["sha"] = self.head
        merged = self._merged(pull["head"]["sha"])
        self.git(self.desk, "push", "--quiet", "--force", "origin", f"{merged}:refs/pull/{number}/merge")
        document = _copied(self.api.state.event(number))
        head = pull["head"]
        is_from_fork = head["repo"]["full_name"] != self.repository.name
        event = Event("pull_request", f"refs/pull/{number}/merge", merged, document, head["sha"], is_from_fork, "main")
        return self._run("plan.yml", event)

    def _run_on_main(self, workflow: str, name: str) -> WorkflowRun:
        return self._run(workflow, Event(name, "refs/heads/main", self.head, {}, self.head))

    def _run(self, workflow: str, event: Event) -> WorkflowRun:
        path = self.folder / "workflows" / event.sha / workflow
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.git(self.bare, "show", f"{event.sha}:.github/workflows/{workflow}"), encoding="utf-8")
        on = read_yaml(path)["on"]
        assert event.name in on, f"{workflow} does not run for {event.name}"
        return run_workflow(self.repository, path, event)

    def _program(self, action: str, commit: str) -> Path:
        folder = self.folder / "actions" / action.replace("/", "-") / commit
        if not folder.exists():
            folder.mkdir(parents=True)
            archive = subprocess.run(
                ["git", "-C", str(self.folder / f"{action.rpartition('/')[2]}.git"), "archive", commit],
                capture_output=True,
                check=True,
            )
            subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
        return folder

    def _grant(self, writable: frozenset[str]) -> None:
        self.api.state.writable = writable
        writable -= {"contents"} if self.is_protected else set()
        (self.bare / "writable").write_text("".join(f"{name}\n" for name in sorted(writable)), encoding="utf-8")

    def _is_ancestor(self, older: str, newer: str) -> bool:
        asked = ["git", "-C", str(self.bare), "merge-base", "--is-ancestor", older, newer]
        return subprocess.run(asked, check=False, capture_output=True).returncode == 0


def _copied(document: Json) -> Json:
    copied: Json = json.loads(json.dumps(document))
    return copied
