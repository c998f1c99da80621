"""Checkouts of one bare repository, as runs of CI have them: each in a folder of its own, with a journal of its own."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from builders import NOW, OLD_MX
from journal_lab import NONE, SHORT, look

from reconciler.journal import open_journal
from reconciler.journal_branch import BranchName, FetchOptions, Result, fetch_journal, push_journal
from reconciler.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from reconciler.settings import Settings

NAME = BranchName("origin", "reconciler-journal")
REF = f"refs/heads/{NAME.branch}"
_CLEAN = {
    **{k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "GITHUB_", "CI"))},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    **{f"GIT_{who}_{what}": "somebody@example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def git(*arguments: str | Path, octets: bytes | None = None) -> str:
    """What git prints, of a user without a configuration."""
    command = ["git", *map(str, arguments)]
    done = subprocess.run(command, input=octets, capture_output=True, check=False, env=_CLEAN)
    assert done.returncode == 0, (command, done.stderr.decode())
    return done.stdout.decode().removesuffix("\n")


@dataclass
class Checkout:
    """A checkout in which a run works."""

    directory: Path
    holder: str = "run 1"
    environment: dict[str, str] = field(default_factory=lambda: dict(_CLEAN))
    said: list[str] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        """Its settings, those of the file if there is one."""
        return load_settings(self.directory / "reconciler.yaml", required=False)

    @property
    def state(self) -> Path:
        """Its state directory."""
        return self.settings.state_directory

    @property
    def journal(self) -> Path:
        """The file of its journal."""
        return self.state / "journal.sqlite3"

    def fetch(
        self,
        *,
        wait: timedelta = NONE,
        lease: timedelta = timedelta(hours=1),
        is_read_only: bool = False,
        is_taking_over: bool = False,
        name: BranchName = NAME,
    ) -> Result:
        """Fetch the journal."""
        options = FetchOptions(wait, lease, is_read_only, is_taking_over)
        return fetch_journal(
            self.settings, name, options, holder=self.holder, environment=self.environment, say=self.said.append
        )

    def push(self, wait: timedelta = NONE) -> Result:
        """Push the journal."""
        return push_journal(
            self.settings, NAME, wait, holder=self.holder, environment=self.environment, say=self.said.append
        )

    def work(self, number: int = 1) -> None:
        """Write to the journal `number` times, as runs do: each counts."""
        settings = self.settings
        for _ in range(number):
            opened = open_journal(
                settings.journal.url, directory=settings.directory, state_directory=settings.state_directory
            )
            with opened as journal, journal.lock(self.holder, SHORT, 10 * SHORT):
                journal.record_looks([look(OLD_MX)], NOW)

    def write_undo(self, name: str, octets: bytes = b"{}\n") -> Path:
        """Leave an undo plan, as an apply does."""
        path = self.state / "undo" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(octets)
        return path


@dataclass(frozen=True)
class Forge:
    """The bare repository."""

    directory: Path

    def checkout(self, name: str, holder: str | None = None) -> Checkout:
        """A fresh checkout of it."""
        folder = self.directory.parent / name
        git("clone", "--quiet", self.directory, folder)
        return Checkout(folder, holder or f"acme/mail {name}")

    def commit_on_main(self) -> str:
        """Commit a file to the main branch."""
        return self._commit("refs/heads/main", [("100644", "blob", "README", b"manifests")])

    def tip(self) -> str | None:
        """The commit of the journal's branch."""
        found = git("-C", self.directory, "for-each-ref", "--format=%(objectname)", REF)
        return found or None

    def listing(self) -> list[str]:
        """The names of the branch's files."""
        return git("-C", self.directory, "ls-tree", "-r", "--name-only", REF).splitlines()

    def octets(self, name: str) -> bytes:
        """What is in a file of the branch."""
        command = ["git", "-C", str(self.directory), "cat-file", "blob", f"{REF}:{name}"]
        return subprocess.run(command, capture_output=True, check=True, env=_CLEAN).stdout

    def parents(self) -> list[str]:
        """The parents of the branch's commit."""
        return git("-C", self.directory, "log", "-1", "--format=%P", REF).split()

    def replace(self, *files: tuple[str, str, str, bytes]) -> str:
        """Replace the branch by a commit with these files: mode, type, name, and what is in them."""
        return self._commit(REF, files)

    def _commit(self, ref: str, files: Iterable[tuple[str, str, str, bytes]]) -> str:
        lines = []
        for mode, kind, name, octets in files:
            what = "1" * 40
            if kind == "blob":
                what = git("-C", self.directory, "hash-object", "-w", "--stdin", octets=octets)
            lines.append(f"{mode} {kind} {what}\t{name}\0")
        top = git("-C", self.directory, "mktree", "-z", "--missing", octets="".join(lines).encode())
        commit = git("-C", self.directory, "commit-tree", top, "-m", "first")
        git("-C", self.directory, "update-ref", ref, commit)
        return commit


def make_forge(folder: Path, *, object_format: str = "sha1") -> Forge:
    """An empty bare repository."""
    forge = Forge(folder / "forge.git")
    options = ("--quiet", "--bare", "--initial-branch=main", f"--object-format={object_format}")
    git("init", *options, forge.directory)
    return forge
