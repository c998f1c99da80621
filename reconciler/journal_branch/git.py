"""Git in a subprocess, in a private bare repository: the one in which the program runs is asked, and never changed."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.commit import TRUST_NO_CONTENT
from reconciler.errors import JournalError, error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

LOCAL_SECONDS = 120
NETWORK_SECONDS = 600
_MAX_SAID = 600

# what git itself calls local to a repository (`git rev-parse --local-env-vars`), but for the configuration
_OF_A_REPOSITORY = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_NAMESPACE",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_QUARANTINE_PATH",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)
_PRIVATE = (
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "gc.auto=0"),
    *("-c", "maintenance.auto=false"),
    *("-c", "transfer.fsckObjects=true"),
    *("-c", "push.gpgSign=false"),
    *("-c", "push.followTags=false"),
    *("-c", "push.recurseSubmodules=no"),
    *("-c", "fetch.recurseSubmodules=no"),
)
Configuration = tuple[tuple[str, str], ...]
"""Keys and values for git, in the order in which they count."""


class GitError(Exception):
    """Git ended with an error; `said` is what it printed, without secrets, fit for one line."""

    def __init__(self, said: str) -> None:
        """Keep what it said."""
        super().__init__(said)
        self.said = said


def said_by_git(octets: bytes, secrets: Iterable[str] = ()) -> str:
    """What git printed on stderr, in one line and not too long, and no secret in it."""
    text = octets.decode(errors="replace")
    for secret in secrets:
        text = text.replace(secret, "***")
    lines = [line.strip() for line in text.replace("\r", "\n").splitlines() if line.strip()]
    return "; ".join(lines)[:_MAX_SAID] or "it said nothing"


def run_git(
    arguments: Iterable[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    octets: bytes = b"",
    seconds: float = LOCAL_SECONDS,
) -> subprocess.CompletedProcess[bytes]:
    """Run git to its end.

    Its output goes through files: a helper that outlives a git which was stopped would hold a pipe open.

    Raises:
        JournalError: git is not installed.
        GitError: it did not end in time.

    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as said:
        given.write(octets)
        given.seek(0)
        command = ["git", *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - git, with arguments that no content chooses
                command,
                cwd=cwd,
                env=dict(environment),
                stdin=given,
                stdout=out,
                stderr=said,
                timeout=seconds,
                check=False,
            )
        except FileNotFoundError as exc:
            detail = "Install git, or keep the journal in PostgreSQL."
            raise JournalError([error("journal-branch-git", "git is not installed", detail)]) from exc
        except subprocess.TimeoutExpired as exc:
            message = f"no answer within {seconds:g} seconds"
            raise GitError(message) from exc
        out.seek(0)
        said.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, out.read(), said.read())


def private_environment(environment: Mapping[str, str], configuration: Configuration) -> dict[str, str]:
    """The environment of git in the private repository: nothing of another one, no trace, no prompt, no translation."""
    kept = {k: v for k, v in environment.items() if k not in _OF_A_REPOSITORY and not k.startswith("GIT_TRACE")}
    count = int(kept["GIT_CONFIG_COUNT"]) if kept.get("GIT_CONFIG_COUNT", "").isdecimal() else 0
    for number, (key, value) in enumerate(configuration, start=count):
        kept |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "reconciler"), ("EMAIL", "reconciler@localhost"))
    }
    return {
        **kept,
        **who,
        "GIT_CONFIG_COUNT": str(count + len(configuration)),
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


@dataclass(frozen=True, slots=True)
class PrivateGit:
    """Git in a bare repository of our own; `cwd` is where a relative path of a remote counts from."""

    directory: Path
    cwd: Path
    environment: Mapping[str, str]
    secrets: tuple[str, ...]

    def prepare(self, object_format: str) -> None:
        """Make the repository, without hooks."""
        options = ("--quiet", "--bare", "--template=", f"--object-format={object_format}")
        self("init", *options, str(self.directory), is_inside=False)

    def __call__(
        self, *arguments: str, octets: bytes = b"", seconds: float = LOCAL_SECONDS, is_inside: bool = True
    ) -> bytes:
        """What git prints.

        Raises:
            JournalError: git is not installed.
            GitError: it ended with an error, or not in time.

        """
        done = self.run(*arguments, octets=octets, seconds=seconds, is_inside=is_inside)
        if done.returncode:
            raise GitError(self.said(done))
        return done.stdout

    def run(
        self, *arguments: str, octets: bytes = b"", seconds: float = LOCAL_SECONDS, is_inside: bool = True
    ) -> subprocess.CompletedProcess[bytes]:
        """The same, with its exit code as a result.

        Raises:
            JournalError: git is not installed.
            GitError: it did not end in time.

        """
        where = (f"--git-dir={self.directory}",) if is_inside else ()
        command = (*TRUST_NO_CONTENT, *_PRIVATE, *where, *arguments)
        return run_git(command, cwd=self.cwd, environment=self.environment, octets=octets, seconds=seconds)

    def said(self, done: subprocess.CompletedProcess[bytes]) -> str:
        """What it printed for people; of a push the refusals first, which `--porcelain` prints on stdout."""
        refusals = b"".join(line for line in done.stdout.splitlines(keepends=True) if line.startswith(b"!"))
        return said_by_git(refusals + done.stderr, self.secrets)
