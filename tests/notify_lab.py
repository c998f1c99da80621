"""A folder with endpoints in its settings and documents to tell of, for `reconciler notify`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from builders import NOW
from command import SETTINGS

ALL = "[drift-opened, drift-closed, switch-done, hold-too-long]"
JOURNAL = Path(".reconciler/journal.sqlite3")
LATER = NOW + timedelta(hours=1)
MUCH_LATER = NOW + timedelta(hours=73)


def declare(*endpoints: str, per_run: int = 20) -> None:
    """Write settings with these endpoints."""
    lines = "".join(f"    {line}\n" for line in endpoints)
    Path("reconciler.yaml").write_text(f"{SETTINGS}notifications:\n  per_run: {per_run}\n  endpoints:\n{lines}")


def say(text: str, name: str = "news.json") -> str:
    """Write a document; its name."""
    Path(name).write_text(text)
    return name
