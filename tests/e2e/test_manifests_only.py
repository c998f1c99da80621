"""A fresh repository of manifests that takes the program by its action alone, as docs/how-to/manifests-only.md has it.

The action installs the program with pip, hashes and build included, from a wheel house that is packed from what is
installed here: see `workflows.wheels` for what that does not prove.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from laboratory import manifest
from workflows.forge import ROOT, Forge, InstalledOnce, failing_program, ready_program
from workflows.team import ACME, GATEWAY, MINE, Team, team_at_work
from workflows.wheels import build_house

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflows.runner import WorkflowRun

pytestmark = pytest.mark.integration

PAGE = (ROOT / "docs" / "how-to" / "manifests-only.md").read_text(encoding="utf-8")
PROGRAM = "acme/program"
PARTS = ("reconciler", "templates", "action.yml", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE")
TESTS_OWN = Path(sys.executable).parent


def block(title: str) -> str:
    """The YAML on the page that has this title."""
    [text] = re.findall(rf'^```yaml title="{re.escape(title)}"\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL)
    return str(text)


def changed_by_sed(text: str, commit: str) -> str:
    """A workflow after the command of the page."""
    [expression] = re.findall(r"sed '([^']+)'", PAGE)
    there = expression.replace("OWNER/REPO@COMMIT", f"{PROGRAM}@{commit}")
    return subprocess.run(["sed", there], input=text, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Wheels of everything that the action installs, and the lock with their hashes."""
    folder = tmp_path_factory.mktemp("house") / "wheels"
    return folder, build_house(folder, (ROOT / "requirements-extras.lock").read_text(encoding="utf-8"))


def publish_program(forge: Forge, lock: str) -> str:
    """The program's own repository; the commit that is pinned."""
    desk = forge.folder / "program-desk"
    desk.mkdir()
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, desk / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, desk / part)
    for name in ("requirements.lock", "requirements-extras.lock"):
        (desk / name).write_text(lock, encoding="utf-8")
    forge.git(desk, "init", "--quiet", "--initial-branch=main")
    forge.git(desk, "add", "--all")
    forge.git(desk, "commit", "--quiet", "--message", "The program")
    forge.git(forge.folder, "clone", "--quiet", "--bare", str(desk), str(forge.folder / "program.git"))
    return forge.git(desk, "rev-parse", "HEAD")


@pytest.fixture
def team(tmp_path: Path, house: tuple[Path, str]) -> Iterator[Team]:
    with team_at_work(tmp_path, has_program=False) as team:
        wheels, lock = house
        forge = team.forge
        commit = publish_program(forge, lock)
        forge.repository.install = InstalledOnce()
        # no index, and nobody's configuration: the wheel house alone
        forge.repository.machine = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_CONFIG_FILE": "/dev/null"}
        workflows = {".github/workflows/plan.yml": block(".github/workflows/plan.yml")}
        workflows = {n: t.replace("OWNER/REPO@COMMIT", f"{PROGRAM}@{commit}") for n, t in workflows.items()}
        for name in ("apply.yml", "drift.yml"):
            path = f".github/workflows/{name}"
            workflows[path] = changed_by_sed((ROOT / path).read_text(encoding="utf-8"), commit)
        assert all(f"{PROGRAM}@{commit} # v" in text and "uses: ./" not in text for text in workflows.values())
        forge.commit(workflows, "Workflows as the page has them")
        yield team


def succeeded(run: WorkflowRun) -> WorkflowRun:
    assert run.conclusion == "success", run.shown()
    return run


def test_a_manifest_is_planned_applied_and_looked_at(team: Team, tmp_path: Path) -> None:
    number, planned = team.forge.open_pull({MINE: ACME})
    succeeded(planned)
    assert team.forge.git(team.forge.desk, "ls-files", "reconciler", "action.yml") == ""
    [comment] = team.comments(number)
    assert "acme.example" in comment["body"]
    [installed] = tmp_path.glob("runs/*-plan/temp/mail-gateway-reconciler/venv/lib/python*/site-packages/reconciler")
    assert not (installed.parent / "pytest_socket").exists(), "the tests' own environment is not the program's"
    assert [s.outcome for s in planned.steps if s.name.startswith("Install")] == ["success"] * 4
    succeeded(team.forge.merge(number))
    assert team.mx_hosts() == {GATEWAY}
    assert succeeded(team.forge.scheduled("drift.yml")).jobs["drift"].step("Look").code == 0


def test_the_check_fails_where_no_plan_was_written_and_not_for_an_error_of_one_domain(team: Team) -> None:
    team.forge.repository.install = ready_program
    team.break_zone("second.example.")
    broken = {MINE: ACME, "manifests/second.yaml": manifest("second.example", organization="second")}
    number, planned = team.forge.open_pull(broken)
    succeeded(planned)
    assert len([o for s in planned.steps for o in s.orders if o.startswith("::warning title=Plan::")]) == 1
    [comment] = team.comments(number)
    assert "cname-token" in comment["body"]
    team.forge.repository.install = failing_program("plan", is_run=False)
    number, failed = team.forge.open_pull({MINE: ACME, "plan.json": "{}"})
    assert [s.name for s in failed.steps if s.conclusion == "failure"] == ["Run", "Fail without a plan"]
    assert (team.comments(number), team.artifacts(failed)) == ([], [])


def test_a_strangers_pull_request_is_shown_and_leaves_nothing(team: Team) -> None:
    team.forge.repository.install = ready_program
    number, run = team.forge.open_pull({MINE: ACME}, fork="stranger/mail")
    succeeded(run)
    assert (team.comments(number), team.artifacts(run), team.api.calls) == ([], [], [])
    assert run.jobs["comment"].result == "skipped"
    [plan] = [s for s in run.steps if s.name == "Plan a fork's"]
    assert plan.outcome == "success"


def test_a_wheel_with_another_hash_is_not_installed(team: Team, house: tuple[Path, str]) -> None:
    """Somebody put another file into the index."""
    wheels, _ = house
    [wheel] = wheels.glob("httpx-*.whl")
    octets = wheel.read_bytes()
    try:
        wheel.write_bytes(octets + b"\0")
        _, run = team.forge.open_pull({MINE: ACME})
    finally:
        wheel.write_bytes(octets)
    assert run.conclusion == "failure"
    assert "DO NOT MATCH THE HASHES" in run.shown()
    assert [s.outcome for s in run.steps if s.name == "Plan"] == ["skipped"]


def test_the_workflow_on_the_page_is_one_that_github_takes_and_zizmor_has_nothing_to_say(tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    path = folder / "plan.yml"
    path.write_text(block(".github/workflows/plan.yml").replace("OWNER/REPO@COMMIT", f"{PROGRAM}@{'a' * 40}"))
    for command in (
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(path)],
        ["zizmor", "--offline", "--no-progress", "--pedantic", str(path)],
    ):
        done = subprocess.run(
            [TESTS_OWN / command[0], *command[1:]], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert done.returncode == 0, done.stdout + done.stderr
