"""The workflows and the action as files: their schemas, their linters, and the rules that they keep."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from workflows.runner import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parent.parent.parent
ACTION = ROOT / "action.yml"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
OURS = [w for w in WORKFLOWS if w.name != "ci.yml"]
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.7"
_BIN = Path(sys.executable).parent


def name_of(path: Path) -> str:
    return path.name


each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=name_of)
each_of_ours = pytest.mark.parametrize("path", OURS, ids=name_of)
each_file = pytest.mark.parametrize("path", [*WORKFLOWS, ACTION], ids=name_of)


def run(command: Sequence[str | Path], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def jobs(path: Path) -> list[Json]:
    document = read_yaml(path)
    return [document["runs"]] if path == ACTION else list(document["jobs"].values())


def steps(path: Path) -> Iterator[Json]:
    for job in jobs(path):
        yield from job["steps"]


def scripts(path: Path) -> list[str]:
    return [step["run"] for step in steps(path) if "run" in step]


def test_the_workflows_are_there() -> None:
    assert [w.name for w in WORKFLOWS] == ["apply.yml", "ci.yml", "drift.yml", "nightly.yml", "plan.yml"]


def test_they_are_what_github_takes() -> None:
    done = run([_BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS])
    assert done.returncode == 0, done.stdout
    done = run([_BIN / "check-jsonschema", "--builtin-schema", "vendor.github-actions", ACTION])
    assert done.returncode == 0, done.stdout
    updates = ROOT / ".github" / "dependabot.yml"
    done = run([_BIN / "check-jsonschema", "--builtin-schema", "vendor.dependabot", updates])
    assert done.returncode == 0, done.stdout


def test_zizmor_has_nothing_to_say() -> None:
    """At its pedantic level; what is ignored stands in zizmor.yml with a reason."""
    configured = ["--config", str(ROOT / ".github" / "zizmor.yml")]
    options = ["--pedantic", "--offline", "--no-progress", "--strict-collection", *configured]
    done = run([_BIN / "zizmor", *options, ROOT / ".github", ACTION])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No findings to report" in done.stdout + done.stderr


def test_what_zizmor_shall_ignore_has_a_reason() -> None:
    lines = (ROOT / ".github" / "zizmor.yml").read_text(encoding="utf-8").splitlines()
    ignored = [i for i, line in enumerate(lines) if line.strip().startswith("ignore:")]
    assert ignored
    assert all(lines[i - 1].strip().startswith("#") for i in ignored)


@pytest.fixture(scope="module")
def actionlint(tmp_path_factory: pytest.TempPathFactory) -> str:
    """On the PATH, or built from Go's module proxy."""
    found = shutil.which("actionlint")
    if found:
        return found
    go = shutil.which("go")
    if go is None:
        pytest.skip("neither actionlint nor go is installed")
    folder = tmp_path_factory.mktemp("go")
    done = run([go, "install", ACTIONLINT], GOBIN=str(folder), GOFLAGS="")
    if done.returncode:
        pytest.skip(f"actionlint cannot be built: {done.stderr[-500:]}")
    return str(folder / "actionlint")


@each_workflow
def test_actionlint_has_nothing_to_say(path: Path, actionlint: str) -> None:
    done = run([actionlint, "-no-color", path])
    assert done.returncode == 0, done.stdout


@each_file
def test_what_runs_is_bash(path: Path, tmp_path: Path) -> None:
    shellcheck = shutil.which("shellcheck")
    for number, text in enumerate(scripts(path)):
        script = tmp_path / f"{number}.sh"
        script.write_text(text, encoding="utf-8")
        done = run(["bash", "-n", script])
        assert done.returncode == 0, done.stderr
        if shellcheck:
            done = run([shellcheck, "--shell=bash", script])
            assert done.returncode == 0, done.stdout


@each_file
def test_no_expression_stands_in_a_script(path: Path) -> None:
    """What GitHub puts into a script's text could be a program; values come through the environment."""
    assert not [text for text in scripts(path) if "${{" in text]


@each_file
def test_actions_are_pinned_with_their_version_beside(path: Path) -> None:
    used = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if re.match(r"\s*-?\s*uses:", line)]
    assert used
    for line in used:
        assert re.fullmatch(r"(?:- )?uses: (?:\./|[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)", line), line


def test_one_version_of_an_action_is_used() -> None:
    pins = {s["uses"] for path in [*WORKFLOWS, ACTION] for s in steps(path) if "@" in s.get("uses", "")}
    assert len(pins) == len({p.partition("@")[0] for p in pins})


@each_workflow
def test_nothing_is_granted_on_top_and_every_job_says_what_it_needs(path: Path) -> None:
    document = read_yaml(path)
    assert document["permissions"] == {}
    assert all(set(job["permissions"].values()) <= {"read", "write"} for job in jobs(path))
    assert all(job["timeout-minutes"] <= 120 for job in jobs(path))
    assert "pull_request_target" not in document["on"]
    assert "workflow_run" not in document["on"]


@each_file
def test_no_checkout_leaves_the_token_behind(path: Path) -> None:
    checkouts = [s for s in steps(path) if s.get("uses", "").startswith("actions/checkout@")]
    assert all(s["with"]["persist-credentials"] is False for s in checkouts)


def test_the_extras_are_locked_at_the_versions_that_are_tested() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^(\S+==\S+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))

    locked, tested = pins("requirements-extras.lock"), pins("requirements-dev.lock")
    assert locked <= tested
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    wanted = {re.split(r"[\[>=<]", text)[0] for texts in extras.values() for text in texts}
    assert wanted <= {pin.partition("==")[0] for pin in locked}


@each_of_ours
def test_scripts_stop_at_what_fails(path: Path) -> None:
    assert read_yaml(path)["defaults"]["run"]["shell"] == "bash -euo pipefail {0}"


def test_the_action_stops_at_what_fails_too() -> None:
    assert all(text.startswith("set -euo pipefail\n") for text in scripts(ACTION))


def test_a_plan_needs_no_secret() -> None:
    text = (ROOT / ".github" / "workflows" / "plan.yml").read_text(encoding="utf-8")
    assert "secrets." not in text
    holders = [s for s in steps(ROOT / ".github" / "workflows" / "plan.yml") if "github.token" in str(s)]
    assert [s["name"] for s in holders] == ["Read the journal", "Comment"]


@each_of_ours
def test_who_writes_dns_has_no_token_and_who_has_the_token_no_other_secret(path: Path) -> None:
    for step in steps(path):
        given = str(step.get("env", {}))
        assert "github.token" not in given or "secrets." not in given, step["name"]
        assert "TSIG_SECRET" not in given or step["name"] == "Apply", step["name"]
    for job in jobs(path):
        assert "secrets." not in str(job.get("env", {}))


def test_the_journal_has_one_writer_and_a_newer_plan_ends_an_older_one() -> None:
    of = {w.name: read_yaml(w)["concurrency"] for w in OURS}
    alone = {"group": "reconciler-journal", "cancel-in-progress": False}
    assert of["apply.yml"] == of["drift.yml"] == alone
    assert of["plan.yml"]["cancel-in-progress"] is True
    assert "pull_request.number" in of["plan.yml"]["group"]


def test_a_required_check_reports_on_every_pull_request() -> None:
    """A filter of paths or an `if` on the job would leave it waiting, or let it pass without a look."""
    plan = read_yaml(ROOT / ".github" / "workflows" / "plan.yml")
    assert plan["on"]["pull_request"] is None
    assert "if" not in plan["jobs"]["plan"]


@pytest.mark.parametrize("name", ["apply.yml", "drift.yml", "nightly.yml"])
def test_schedules_keep_off_the_full_hour(name: str) -> None:
    on = read_yaml(ROOT / ".github" / "workflows" / name)["on"]
    minutes = {int(m) % 15 for entry in on["schedule"] for m in entry["cron"].split()[0].split(",")}
    assert 0 not in minutes
    assert "workflow_dispatch" in on


def test_a_look_that_waits_for_an_apply_is_not_dropped_by_the_next() -> None:
    """GitHub keeps one waiting run of a group: where a look is due, the next scheduled apply is ten minutes away."""
    on = {n: read_yaml(ROOT / ".github" / "workflows" / n)["on"]["schedule"] for n in ("apply.yml", "drift.yml")}
    applies, [look] = (
        [int(m) for entry in on[n] for m in entry["cron"].split()[0].split(",")] for n in ("apply.yml", "drift.yml")
    )
    assert min((apply - look) % 60 for apply in applies) >= 10
    assert min((look - apply) % 60 for apply in applies) >= 2


@each_of_ours
def test_what_comes_from_the_world_gives_the_runner_no_orders(path: Path) -> None:
    """A line of output that begins with `::` is an order to the runner, and so is `##[`: it is told to obey none."""
    shown = re.compile(r"reconciler (validate|plan|apply|drift|merge)\b")
    for text in filter(shown.search, scripts(path)):
        start, end = text.index("::stop-commands::$stop"), text.index('"::$stop::"')
        assert all(start < found.start() < end for found in shown.finditer(text)), text
