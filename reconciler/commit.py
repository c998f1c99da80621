"""The commit that a folder is at, as git says."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# a pull request can hold files that look like a repository, whose settings then name programs to run
TRUST_NO_CONTENT = ("-c", "safe.bareRepository=explicit", "-c", "core.fsmonitor=false", "--no-optional-locks")

# the commit stands in the headers of a status: git is run once, and counts no commits that were not pushed
_STATUS = ("status", "--porcelain=v2", "--branch", "--no-ahead-behind", "--untracked-files=normal", "--", ".")
_HEADER, _COMMIT, _NONE_YET = b"# ", b"# branch.oid ", b"(initial)"


def commit_of(manifests: Path) -> str | None:
    """The commit that the manifests are at; None without git or a commit, or when they differ from it."""
    if not manifests.is_dir():
        return None
    command = ["git", *TRUST_NO_CONTENT, "-C", str(manifests), *_STATUS]
    try:
        status = subprocess.run(command, capture_output=True, check=True, timeout=30)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    lines = status.stdout.splitlines()
    commit = next((line.removeprefix(_COMMIT) for line in lines if line.startswith(_COMMIT)), _NONE_YET)
    is_as_committed = all(line.startswith(_HEADER) for line in lines)
    return commit.decode("ascii") if is_as_committed and commit != _NONE_YET else None
