"""A user's repository in git, and fleets that differ from one another."""

from __future__ import annotations

import json
import subprocess
import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builders import catalog

from reconciler.manifest.load import load_manifests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.manifest.fleet import Fleet

TODAY = date(2026, 11, 21)


def git(folder: Path, *arguments: str) -> str:
    """What git says; nobody's own settings count."""
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@acme.example", "-c", "commit.gpgsign=false")
    command = ["git", "-C", str(folder), *identity, "-c", "init.defaultBranch=main", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.strip()


def committed(folder: Path) -> str:
    """Everything in the folder as a commit; its id."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "as it is")
    return git(folder, "rev-parse", "HEAD")


def fleet_of(manifests: Mapping[str, Any]) -> Fleet:
    """The fleet that these manifests declare: data by file name, or text as it stands in the file."""
    with tempfile.TemporaryDirectory() as place:
        for name, content in manifests.items():
            text = content if isinstance(content, str) else json.dumps(content, indent=1)
            (Path(place) / name).write_text(text, encoding="utf-8")
        return load_manifests(Path(place), catalog=catalog(), today=TODAY)[0]
