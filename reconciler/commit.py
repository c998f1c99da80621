"""The commit that a folder is at, as git says."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# a pull request can hold files that look like a repository, whose settings then name programs to run
TRUST_NO_CONTENT = ("-c", "safe.bareRepository=explicit", "-c", "core.fsmonitor=false", "--no-optional-locks")


def commit_of(manifests: Path) -> str | None:
    """The commit that the manifests are at; None without git, or when they differ from it."""
    if not manifests.is_dir():
        return None
    git = ["git", *TRUST_NO_CONTENT, "-C", str(manifests)]
    try:
        status = subprocess.run([*git, "status", "--porcelain", "--", "."], capture_output=True, check=True, timeout=30)  # noqa: S603
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, check=True, timeout=30, text=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return None if status.stdout.strip() else head.stdout.strip()
