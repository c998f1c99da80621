"""A git repository, read by its objects alone: revisions, trees and blobs; never its index, and never a checkout."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.commit import TRUST_NO_CONTENT
from reconciler.errors import Diagnostic, ReconcilerError, Severity, error

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

REGULAR = frozenset({"100644", "100755", "100664"})
"""The modes of files; a link is 120000, and a submodule 160000."""

_SECONDS = 120
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# a partial clone fetches what it lacks, by programs that its settings name; replaced objects are not what was reviewed
_ENVIRONMENT = {
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}
_FETCH = (
    "In CI check out the whole history: `fetch-depth: 0` with actions/checkout, `GIT_DEPTH: 0` at GitLab; by hand "
    "`git fetch --unshallow`."
)


class RevisionError(ReconcilerError):
    """The commit to compare with is unknown here, or cannot be read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in a tree: git's mode, as in `100644`, and the id of its blob (hexadecimal)."""

    mode: str
    blob: str


@dataclass(frozen=True, slots=True)
class Base:
    """The commit to compare with, in full, and what is unusual about it."""

    commit: str
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def short(self) -> str:
        """The commit as people see it."""
        return self.commit[:12]


class Repository:
    """The repository that holds a folder: `root` is the top of its working tree, without links in its path.

    `folder` is the path below it, with slashes; empty where it is the root itself.
    """

    def __init__(self, folder: Path) -> None:
        """Find it.

        Raises:
            RevisionError: there is none, it is not to be trusted, or git is not there.

        """
        self._place = folder
        done = self._git("rev-parse", "--show-toplevel")
        real = Path(os.path.realpath(folder))
        self.root = Path(os.path.realpath(os.fsdecode(done.stdout.removesuffix(b"\n")))) if done.stdout else real
        if done.returncode != 0 or not real.is_relative_to(self.root):
            why = _first_line(done.stderr) or f"its working tree is {self.root}"
            detail = f"Git says: {why}. Leave --changed-since out, or name manifests that are in a repository."
            raise RevisionError([error("no-repository", "the manifests are in no git repository", detail)])
        self.folder = "/".join(real.relative_to(self.root).parts)

    def base_of(self, revision: str) -> Base:
        """The last commit that a revision and HEAD have in common; where none is known, the revision's own.

        Raises:
            RevisionError: the revision names no commit that is here.

        """
        commit = self._commit(revision)
        if commit is None:
            raise RevisionError([self._unknown(revision)])
        common = self._git("merge-base", commit, "HEAD")
        found = common.stdout.decode("ascii", "replace").strip()
        if common.returncode == 0 and _COMMIT.fullmatch(found):
            return Base(found)
        summary = f"no commit is known that {revision!r} and HEAD have in common: it is itself compared with"
        detail = f"What was changed on its side since then looks as if it were changed here. {_FETCH}"
        return Base(commit, (Diagnostic(Severity.ADVISORY, "no-merge-base", summary, detail),))

    def _commit(self, revision: str) -> str | None:
        done = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        found = done.stdout.decode("ascii", "replace").strip()
        if done.returncode != 0 or not _COMMIT.fullmatch(found):
            return None
        # in `HEAD:name` the braces belong to the file's name, and what came out is no commit
        kind = self._git("cat-file", "-t", found)
        return found if kind.stdout.strip() == b"commit" else None

    def _unknown(self, revision: str) -> Diagnostic:
        is_shallow = self._git("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
        summary = f"{revision!r} names no commit that is here"
        if is_shallow:
            return error("no-such-revision", f"{summary}: this clone is shallow, and lacks its history", _FETCH)
        detail = f"Name a commit, a branch or a tag that was fetched, as in: origin/main. {_FETCH}"
        return error("no-such-revision", summary, detail)

    def entries(self, commit: str) -> dict[str, Entry]:
        """Every file of a commit by its path below the root, with slashes.

        Raises:
            RevisionError: its trees are not all here.

        """
        listed = self._read("ls-tree", "-r", "-z", "--full-tree", commit)
        found = {}
        for record in filter(None, listed.split(b"\0")):
            about, _, path = record.partition(b"\t")
            mode, _, blob = about.decode("ascii").split(" ")
            found[os.fsdecode(path)] = Entry(mode, blob)
        return found

    def sizes(self, blobs: Sequence[str]) -> list[int]:
        """The size of each blob in octets.

        Raises:
            RevisionError: one of them is not here.

        """
        told = self._read("cat-file", "--batch-check=%(objectsize)", given=_lines(blobs)).splitlines()
        if len(told) != len(blobs) or not all(line.isdigit() for line in told):
            raise _unreadable("not all of its files are here")
        return [int(line) for line in told]

    def contents(self, blobs: Sequence[str]) -> list[bytes]:
        """The octets of each blob; ask for `sizes` first.

        Raises:
            RevisionError: one of them is not here.

        """
        told, start, found = self._read("cat-file", "--batch=%(objectsize)", given=_lines(blobs)), 0, []
        for _ in blobs:
            end = told.find(b"\n", start)
            size = told[start:end]
            if end < 0 or not size.isdigit():
                raise _unreadable("not all of its files are here")
            start = end + 1 + int(size) + 1
            found.append(told[end + 1 : start - 1])
        return found

    def _read(self, *arguments: str, given: bytes = b"") -> bytes:
        done = self._git(*arguments, given=given)
        if done.returncode != 0:
            raise _unreadable(_first_line(done.stderr))
        return done.stdout

    def _git(self, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = ["git", *TRUST_NO_CONTENT, "--literal-pathspecs", "-C", str(self._place), *arguments]
        try:
            return subprocess.run(  # noqa: S603 - no shell, and what a person wrote comes after --end-of-options
                command,
                input=given,
                capture_output=True,
                check=False,
                timeout=_SECONDS,
                env={**os.environ, **_ENVIRONMENT},
            )
        except (OSError, ValueError, subprocess.SubprocessError) as exc:
            detail = f"{exc}. Install git, or leave --changed-since out."
            raise RevisionError([error("no-git", "git could not be asked", detail)]) from exc


def _lines(blobs: Iterable[str]) -> bytes:
    return "".join(f"{blob}\n" for blob in blobs).encode("ascii")


def _first_line(said: bytes) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return lines[0].rstrip(".") if lines else ""


def _unreadable(why: str) -> RevisionError:
    detail = f"Fetch it anew, with all of its files (a partial clone lacks some). {_FETCH}"
    return RevisionError([error("revision-unreadable", f"the commit cannot be read: {why}", detail)])
