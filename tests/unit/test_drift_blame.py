"""Who declared it, as git says: of commits alone, and no program that a checkout names is ever run."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from reconciler.blame import Author, authors_of, unchanged_since

if TYPE_CHECKING:
    from pathlib import Path

FILE = "manifests/acme.yaml"


class Repository:
    """A repository in the working directory."""

    def __init__(self, folder: Path) -> None:
        """Make it."""
        self.folder = folder
        (folder / "manifests").mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        """Run git as an administrator does."""
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        done = subprocess.run(["git", *arguments], cwd=self.folder, check=True, capture_output=True, env=environment)
        return done.stdout.decode().strip()

    def commit(self, text: str, name: str = "Ada Admin", day: int = 1) -> str:
        """Commit the manifest; returns the commit."""
        (self.folder / FILE).write_text(text, encoding="utf-8")
        self.git("add", ".")
        identity = ("-c", f"user.name={name}", "-c", "user.email=who@acme.example")
        date = f"2026-11-0{day}T12:00:00+00:00"
        self.git(*identity, "commit", "-q", "-m", "a change", f"--date={date}")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.chdir(tmp_path)
    return Repository(tmp_path)


def test_each_line_has_its_own_author(repository: Repository) -> None:
    first = repository.commit("one\ntwo\n")
    second = repository.commit("one\nzwei\n", name="Bob <b>\N{SNOWMAN}", day=2)
    assert authors_of([(FILE, 1), (FILE, 2), ("manifests/none.yaml", 1)], second) == {
        (FILE, 1): Author("Ada Admin <who@acme.example>", first, datetime(2026, 11, 1, 12, tzinfo=UTC)),
        (FILE, 2): Author("Bob b\N{SNOWMAN} <who@acme.example>", second, datetime(2026, 11, 2, 12, tzinfo=UTC)),
    }


@pytest.mark.parametrize("commit", [None, "HEAD", "--output=x", "f" * 40])
def test_without_a_commit_nobody_is_named(repository: Repository, commit: str | None) -> None:
    repository.commit("one\n")
    assert authors_of([(FILE, 1)], commit) == {}


def test_outside_of_a_repository_nobody_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert authors_of([(FILE, 1)], "a" * 40) == {}
    assert unchanged_since([("a" * 40, FILE)], "b" * 40) == frozenset()


def test_a_line_beyond_the_end_hides_the_others_and_harms_nothing(repository: Repository) -> None:
    commit = repository.commit("one\n")
    assert authors_of([(FILE, 1), (FILE, 99)], commit) == {}


def test_a_shallow_clone_does_not_blame_its_last_commit_for_everything(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit("one\ntwo\n")
    last = repository.commit("one\nzwei\n", name="Bob", day=2)
    repository.git("clone", "-q", "--depth=1", f"file://{tmp_path}", "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    assert authors_of([(FILE, 1), (FILE, 2)], last) == {}


def test_a_manifest_is_unchanged_whatever_else_changed(repository: Repository) -> None:
    one = repository.commit("one\n")
    (repository.folder / "other.txt").write_text("x")
    two = repository.commit("one\n", day=2)
    three = repository.commit("three\n", day=3)
    back = repository.commit("one\n", day=4)
    pairs = [(c, FILE) for c in (one, two, three, "f" * 40, "no commit")]
    assert unchanged_since(pairs, back) == {(one, FILE), (two, FILE)}
    assert unchanged_since(pairs, None) == frozenset()


def test_nothing_that_a_checkout_brings_is_run(repository: Repository, tmp_path: Path) -> None:
    """Attributes ask for filters and converters that the user's settings have; a folder looks like a repository."""
    ran = tmp_path / "ran"
    program = f"touch {ran}; cat"
    for setting in ("filter.evil.clean", "filter.evil.smudge", "diff.evil.textconv", "diff.evil.command"):
        repository.git("config", setting, program)
    commit = repository.commit("one\n")
    (tmp_path / ".gitattributes").write_text("* filter=evil diff=evil\n")
    (tmp_path / "manifests" / ".gitattributes").write_text("* filter=evil diff=evil\n")
    assert (FILE, 1) in authors_of([(FILE, 1)], commit)
    assert unchanged_since([(commit, FILE)], commit) == {(commit, FILE)}
    assert not ran.exists()

    subprocess.run(["git", "init", "--quiet", "--bare", "bare"], cwd=tmp_path, check=True)
    (tmp_path / "bare" / "config").write_text(f'[core]\nbare = false\nworktree = .\nfsmonitor = "touch {ran}; false"\n')
    authors_of([("bare/acme.yaml", 1)], commit)
    assert not ran.exists()
