"""The branch at the remote: read as data, and replaced by compare and swap."""

from __future__ import annotations

import re
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from reconciler.errors import JournalError, error
from reconciler.journal_branch import content
from reconciler.journal_branch.claim import Claim, read_claim, render_claim
from reconciler.journal_branch.git import NETWORK_SECONDS, GitError, PrivateGit, private_environment
from reconciler.journal_branch.refusals import is_race, refused
from reconciler.journal_branch.remote import find_remote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.journal_branch.content import File
    from reconciler.journal_branch.remote import Remote

_LISTED_REF = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64})\t(\S+)")
_TRIES, _NAP = 5, 0.2


class BranchName(NamedTuple):
    """Which branch of which of the repository's remotes."""

    remote: str
    branch: str

    def __str__(self) -> str:
        """As `origin/reconciler-journal`."""
        return f"{self.remote}/{self.branch}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the branch was at one commit. `files` has neither the claim nor what is for people."""

    commit: str
    files: Mapping[str, File]
    claim: Claim | None


class Branch:
    """The branch; made by `open_branch`. Every method raises `JournalError` where the remote or git fails."""

    def __init__(self, name: BranchName, remote: Remote, git: PrivateGit) -> None:
        """Nothing is asked yet."""
        self.name = name
        self._ref = f"refs/heads/{name.branch}"
        self._remote = remote
        self._git = git

    @property
    def where(self) -> str:
        """The branch and the remote's URL, without credentials."""
        return f"{self.name} ({self._remote.shown})"

    def tip(self) -> str | None:
        """The branch's commit at this moment; None where there is no such branch."""
        try:
            listing = self._git("ls-remote", "--", self._remote.url, self._ref, seconds=NETWORK_SECONDS)
        except GitError as exc:
            raise refused(self.where, "asked for", exc.said) from exc
        refs = {name: commit for commit, name in _LISTED_REF.findall(listing)}
        commit = refs.get(self._ref.encode())
        return None if commit is None else commit.decode()

    def read(self) -> Snapshot | None:
        """The branch as it is now; None where there is no such branch."""
        if self.tip() is None:
            return None
        try:
            refspec = f"+{self._ref}:refs/journal/read"
            options = ("--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head")
            self._git("fetch", *options, "--", self._remote.url, refspec, seconds=NETWORK_SECONDS)
            # another run may have replaced it since
            commit = self._git("rev-parse", "--verify", "refs/journal/read^{commit}").decode().strip()
            listing = self._git("ls-tree", "-r", "-z", "-l", "--full-tree", commit)
        except GitError as exc:
            raise refused(self.where, "fetched", exc.said) from exc
        files = content.read_listing(listing, self.where)
        claim = None
        if (file := files.get(content.CLAIM)) is not None and (claim := read_claim(self.octets(file))) is None:
            raise content.foreign_content(self.where, f"{content.CLAIM} is no claim of a run")
        kept = {name: f for name, f in files.items() if name not in {content.CLAIM, content.README}}
        return Snapshot(commit, kept, claim)

    def octets(self, file: File) -> bytes:
        """What a file of a snapshot has in it."""
        try:
            return self._git("cat-file", "blob", file.blob)
        except GitError as exc:
            raise _failed(exc) from exc

    def store(self, octets: bytes) -> File:
        """Make a file for a commit."""
        try:
            blob = self._git("hash-object", "-w", "--stdin", "-t", "blob", octets=octets).decode().strip()
        except GitError as exc:
            raise _failed(exc) from exc
        return content.File(blob, len(octets))

    def commit(self, files: Mapping[str, File], claim: Claim | None, message: str) -> str:
        """Make a commit without a parent; it is not at the remote yet."""
        root = {name: file for name, file in files.items() if "/" not in name}
        root[content.README] = self.store(content.README_TEXT.encode())
        if claim is not None:
            root[content.CLAIM] = self.store(render_claim(claim))
        undo = [(n.removeprefix(f"{content.UNDO}/"), f) for n, f in files.items() if n.startswith(f"{content.UNDO}/")]
        try:
            tree = content.render_tree(root.items())
            if undo:
                folder = self._git("mktree", "-z", octets=content.render_tree(undo)).decode().strip()
                tree += f"040000 tree {folder}\t{content.UNDO}\0".encode()
            top = self._git("mktree", "-z", octets=tree).decode().strip()
            # no pipeline is to run for it, whatever the forge
            return self._git("commit-tree", top, "-m", f"{message} [skip ci]").decode().strip()
        except GitError as exc:
            raise _failed(exc) from exc

    def publish(self, commit: str, expected: str | None) -> bool:
        """Replace the branch's commit, if it is still the `expected` one (None: there is no branch).

        False where somebody else was first. What the remote has afterwards counts, not what git says: an answer can
        get lost after the branch was replaced.
        """
        lease = f"--force-with-lease={self._ref}:{expected or ''}"
        push = ("push", "--porcelain", "--no-verify", lease, "--", self._remote.url, f"{commit}:{self._ref}")
        said = ""
        for number in range(_TRIES):
            try:
                done = self._git.run(*push, seconds=NETWORK_SECONDS)
            except GitError as exc:
                said = exc.said
            else:
                if done.returncode == 0:
                    return True
                said = self._git.said(done)
            tip = self.tip()
            if tip == commit:
                return True
            if tip != expected:
                return False
            if not is_race(said):
                break
            time.sleep(_NAP * 2**number)
        raise refused(self.where, "pushed", said)


def _failed(exc: GitError) -> JournalError:
    detail = "Check that the disk has room for temporary files, and that git is whole."
    return JournalError([error("journal-branch-git", f"git failed: {exc.said}", detail)])


@contextmanager
def open_branch(directory: Path, name: BranchName, environment: Mapping[str, str]) -> Iterator[Branch]:
    """The branch, for the repository that `directory` is in.

    Raises:
        JournalError: no repository, no remote, no git, or a name that no branch has.

    """
    remote = find_remote(directory, name.remote, environment)
    with tempfile.TemporaryDirectory(prefix="reconciler-journal-") as folder:
        private = private_environment(environment, remote.configuration)
        git = PrivateGit(Path(folder) / "git", remote.top, private, remote.secrets)
        try:
            git("check-ref-format", f"refs/heads/{name.branch}", is_inside=False)
        except GitError as exc:
            summary = f"no branch can have the name {name.branch!r}"
            raise JournalError([error("journal-branch-name", summary, "Name another with --branch.")]) from exc
        try:
            git.prepare(remote.object_format)
        except GitError as exc:
            raise _failed(exc) from exc
        yield Branch(name, remote, git)
