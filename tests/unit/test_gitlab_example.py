"""The GitLab CI example: by GitLab's schema, its scripts by shells and our parser, its rules by what they promise."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.cli.verbs import build_parser

EXAMPLE = Path(__file__).resolve().parents[2] / "ci" / "gitlab" / "reconciler.gitlab-ci.yml"
KEYWORDS = {"workflow", "variables", "stages", "default"}
ON_REQUESTS, WRITERS = ("validate", "plan"), ("apply", "continue", "drift")


def pipeline() -> dict[str, Any]:
    """The file as GitLab reads it, which is by YAML 1.1."""
    found: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    return found


def jobs() -> dict[str, Any]:
    return {name: job for name, job in pipeline().items() if name not in KEYWORDS and not name.startswith(".")}


def script(job: dict[str, Any]) -> str:
    """Everything that a job runs in one shell."""
    return "\n".join([*pipeline()["default"]["before_script"], *job["script"]])


def commands(job: dict[str, Any]) -> list[list[str]]:
    """Each call of the program in a job, without what the shell does with it."""
    text = "\n".join([*job["script"], *job.get("after_script", [])])
    calls = re.findall(r"\breconciler ((?:journal|[a-z]+)(?: [^\n|>]*)?)", text)
    return [shlex.split(call.strip()) for call in calls]


def test_gitlabs_schema_has_nothing_against_it() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci", str(EXAMPLE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_schema_sees_an_error(tmp_path: Path) -> None:
    file = tmp_path / "reconciler.gitlab-ci.yml"
    file.write_text(EXAMPLE.read_text().replace("resource_group: reconciler-journal", "resource_group: [a]"))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci", str(file)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize("name", jobs())
@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_every_script_is_one_that_a_shell_can_read(name: str, shell: str) -> None:
    job = jobs()[name]
    for text in (script(job), "\n".join(job.get("after_script", []))):
        done = subprocess.run([shell, "-n"], input=text, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", jobs())
def test_every_call_of_the_program_is_one_that_it_takes(name: str) -> None:
    parser = build_parser()
    calls = commands(jobs()[name])
    assert calls
    for call in calls:
        parser.parse_args(call)


@pytest.mark.parametrize("name", ON_REQUESTS)
def test_what_runs_for_a_merge_request_writes_nothing_and_knows_no_secret(name: str) -> None:
    job = jobs()[name]
    assert "environment" not in job, "an environment's variables would be there"
    assert [rule["if"] for rule in job["rules"]] == ['$CI_PIPELINE_SOURCE == "merge_request_event"']
    for call in commands(job):
        assert call[0] in {"validate", "plan", "drift", "journal"}
        assert "--record" not in call
        assert call[0] != "journal" or call[1:] == ["fetch", "--read-only"]


def test_nothing_else_runs_for_a_merge_request() -> None:
    others = {name: job for name, job in jobs().items() if name not in ON_REQUESTS}
    for job in others.values():
        for rule in job["rules"]:
            assert re.match(r'\$CI_PIPELINE_SOURCE (== "schedule"|=~ /\^\(push\|web\)\$/) && ', rule["if"])


@pytest.mark.parametrize("name", WRITERS)
def test_whoever_writes_is_alone_and_gives_the_journal_back_whatever_happens(name: str) -> None:
    job = jobs()[name]
    assert (job["resource_group"], job["timeout"]) == ("reconciler-journal", "2 hours")
    calls = commands(job)
    assert calls[0] == ["journal", "fetch", "--take-over", "--lease", "7200"]
    assert calls[-1] == ["journal", "push"]
    assert not job.get("interruptible", pipeline()["default"]["interruptible"])


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("code", [0, 1, 3, 4])
def test_the_journal_is_pushed_whatever_the_work_ends_with_and_the_job_ends_with_that(
    tmp_path: Path, name: str, code: int
) -> None:
    """The job's own lines, run as GitLab runs them, with a program that says what it was called with."""
    fake = tmp_path / "reconciler"
    fake.write_text(f'#!/bin/sh\necho "$1 $2" >>calls\ncase "$1" in journal) exit 0;; *) exit {code};; esac\n')
    fake.chmod(0o755)
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(jobs()[name]["script"])],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        check=False,
    )
    assert done.returncode == code
    called = (tmp_path / "calls").read_text().splitlines()
    assert (called[0], called[-1], len(called)) == ("journal fetch", "journal push", 3)


def test_a_person_presses_the_button_for_exactly_the_plan_that_was_shown() -> None:
    apply = jobs()["apply"]
    assert apply["needs"] == ["plan:default"]
    assert all(rule["when"] == "manual" for rule in apply["rules"])
    assert apply["environment"]["name"] == jobs()["continue"]["environment"]["name"] == "production"
    assert ["apply", "plan.json", "--json-into", "applied.json"] in commands(apply)
    assert "plan.json" in jobs()["plan:default"]["artifacts"]["paths"]


def test_what_waits_fails_no_job_and_everything_else_does() -> None:
    for name, job in jobs().items():
        if name not in {"validate", "pages"}:
            assert job["allow_failure"] == {"exit_codes": [3]}, name


@pytest.mark.parametrize("name", ["plan", "plan:default"])
@pytest.mark.parametrize(
    ("code", "is_written", "ends_with"),
    [(0, True, 0), (3, True, 3), (1, True, 3), (1, False, 1), (4, False, 4), (64, False, 64), (130, True, 130)],
)
def test_an_error_of_one_domain_is_a_warning_and_no_plan_is_a_failure(
    tmp_path: Path, name: str, code: int, *, is_written: bool, ends_with: int
) -> None:
    """A file of that name that is in the repository is no plan."""
    (tmp_path / "plan.json").touch()
    written = "touch plan.json;" if is_written else ""
    fake = tmp_path / "reconciler"
    fake.write_text(
        f'#!/bin/sh\ncase "$1" in drift) touch junit.xml; exit {code};; plan) {written} exit {code};; esac\n'
    )
    fake.chmod(0o755)
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(jobs()[name]["script"])],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        check=False,
    )
    assert done.returncode == ends_with
