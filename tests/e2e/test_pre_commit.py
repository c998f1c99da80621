"""The hooks for repositories of manifests, by the real pre-commit, at a real `git commit`, offline.

The hook's own environment finds the packages that the program needs beside it instead of in an index: that an index
has them, and which versions it would choose, is the one thing that is not seen here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest
from command import write_folder
from journal_branch_lab import git

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ("reconciler", "templates", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")
HOOKS = ("reconciler-validate", "reconciler-validate-system")
SECONDS = 300


@dataclass(frozen=True)
class Desk:
    """Whoever writes manifests: a repository, and the variables in which git and pre-commit run."""

    directory: Path
    environment: dict[str, str]

    def commit(self) -> subprocess.CompletedProcess[str]:
        """Commit everything."""
        git("-C", self.directory, "add", "--all")
        return self._run("git", "commit", "--message", "a change")

    def install(self, program: Path, hook: str) -> None:
        """Switch a hook on."""
        revision = git("-C", program, "rev-parse", "HEAD")
        text = f"repos:\n  - repo: {program}\n    rev: {revision}\n    hooks: [{{id: {hook}}}]\n"
        (self.directory / ".pre-commit-config.yaml").write_text(text)
        done = self._run(sys.executable, "-m", "pre_commit", "install")
        assert done.returncode == 0, done.stdout + done.stderr

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program's repository as pre-commit clones it: what is in the folder now, committed."""
    folder = tmp_path_factory.mktemp("program")
    for name in SHIPPED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    git("init", "--quiet", "--initial-branch=main", folder)
    git("-C", folder, "add", "--all")
    git("-C", folder, "commit", "--quiet", "--message", "a release")
    return folder


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that is installed beside the program, and not the program."""
    folder = tmp_path_factory.mktemp("packages")
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.startswith(("mail_gateway_reconciler", "_mail_gateway_reconciler", "pip", "_virtualenv")):
            (folder / entry.name).symlink_to(entry)
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pre-commit keeps what it installed: once for all tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def desk(tmp_path: Path, packages: Path, cache: Path) -> Desk:
    folder = tmp_path / "desk"
    folder.mkdir()
    write_folder(folder)
    git("init", "--quiet", "--initial-branch=main", folder)
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "PRE_COMMIT", "PIP_", "PYTEST", "COV_"))},
        **{f"GIT_{who}_{what}": "somebody@example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "PRE_COMMIT_HOME": str(cache),
        "PRE_COMMIT_COLOR": "never",
        "PYTHONPATH": str(packages),
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip's way to say that there is none: the builder is among the packages
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "VIRTUALENV_NO_PERIODIC_UPDATE": "1",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    return Desk(folder, environment)


@pytest.mark.parametrize("hook", HOOKS)
def test_a_manifest_with_an_error_is_not_committed_and_its_line_is_shown(desk: Desk, program: Path, hook: str) -> None:
    desk.install(program, hook)
    first = desk.commit()
    assert first.returncode == 0, first.stdout + first.stderr
    assert "Passed" in first.stdout + first.stderr
    manifest = desk.directory / "manifests" / "acme.yaml"
    lines = manifest.read_text().splitlines()
    place = next(number for number, line in enumerate(lines, 1) if "region:" in line)
    lines[place - 1] = "region: moon"
    manifest.write_text("\n".join(lines) + "\n")
    second = desk.commit()
    said = second.stdout + second.stderr
    assert second.returncode == 1, said
    assert f"manifests/acme.yaml:{place}:" in said
    assert "moon" in said
    assert git("-C", desk.directory, "log", "--format=%s") == "a change"


def test_two_files_that_contradict_each_other_are_seen_though_one_was_changed(desk: Desk, program: Path) -> None:
    desk.install(program, HOOKS[0])
    assert desk.commit().returncode == 0
    first = desk.directory / "manifests" / "acme.yaml"
    text = first.read_text().replace("organization: acme", "organization: other")
    (desk.directory / "manifests" / "other.yaml").write_text(text)
    done = desk.commit()
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "manifests/other.yaml:" in said
    assert "manifests/acme.yaml:" in said


def test_what_is_no_manifest_needs_no_look(desk: Desk, program: Path) -> None:
    desk.install(program, HOOKS[0])
    assert desk.commit().returncode == 0
    (desk.directory / "notes.md").write_text("notes\n")
    done = desk.commit()
    assert done.returncode == 0
    assert "Skipped" in done.stdout + done.stderr


def test_it_is_the_cloned_program_that_runs_in_an_environment_of_its_own(
    desk: Desk, program: Path, cache: Path
) -> None:
    desk.install(program, HOOKS[0])
    assert desk.commit().returncode == 0
    (installed,) = cache.glob("repo*/py_env-*/lib/python*/site-packages/reconciler/__init__.py")
    (command,) = cache.glob("repo*/py_env-*/bin/reconciler")
    where = "import reconciler; print(reconciler.__file__)"
    python = command.parent / "python"
    found = subprocess.check_output([python, "-c", where], cwd=desk.directory, env=desk.environment, text=True)
    assert Path(found.strip()) == installed
