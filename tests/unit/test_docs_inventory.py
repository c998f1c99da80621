"""What the documentation lists is all that there is."""

from __future__ import annotations

from pathlib import Path

import reconciler
from reconciler.journal.tables import METADATA, SCHEMA_VERSION

_PACKAGE = Path(reconciler.__file__).parent
_DOCS = _PACKAGE.parent / "docs"


def test_every_part_of_the_program_is_in_the_architecture() -> None:
    text = (_DOCS / "explanation" / "architecture.md").read_text(encoding="utf-8")
    packages = sorted(path.parent.name for path in _PACKAGE.glob("*/__init__.py"))
    assert packages
    assert [name for name in packages if f"`{name}/`" not in text] == []


def test_every_table_of_the_journal_is_described_in_the_version_that_it_has() -> None:
    text = (_DOCS / "reference" / "journal.md").read_text(encoding="utf-8")
    assert [name for name in METADATA.tables if f"| `{name}` |" not in text] == []
    assert f"The tables are of version {SCHEMA_VERSION}." in text
