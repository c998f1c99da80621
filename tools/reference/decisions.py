"""The list of decisions, from the pages' own titles."""

from __future__ import annotations

from pathlib import Path

DECISIONS = Path(__file__).resolve().parents[2] / "docs" / "adr"


def render_decisions() -> str:
    """A line for each record, in the order of their numbers."""
    records = sorted(path for path in DECISIONS.glob("*.md") if path.name != "README.md")
    return "\n".join(f"- [{_title(path)}]({path.name})" for path in records)


def _title(path: Path) -> str:
    return path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
