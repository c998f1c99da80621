"""Lists of pages, from the pages' own titles: whoever adds one has not to add it anywhere else."""

from __future__ import annotations

from pathlib import Path

from reference.marks import written_by_people

_DOCS = Path(__file__).resolve().parents[2] / "docs"


def render_decisions() -> str:
    """A line for each decision record, in the order of their numbers."""
    return _listed([path for path in (_DOCS / "adr").glob("*.md") if path.name != "README.md"])


def render_tasks() -> str:
    """A line for each how-to that the index of them does not name."""
    index = written_by_people((_DOCS / "how-to" / "index.md").read_text(encoding="utf-8"))
    pages = [path for path in (_DOCS / "how-to").glob("*.md") if path.name != "index.md"]
    return _listed([path for path in pages if f"({path.name})" not in index])


def _listed(pages: list[Path]) -> str:
    return "\n".join(f"- [{_title(path)}]({path.name})" for path in sorted(pages))


def _title(path: Path) -> str:
    return path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
