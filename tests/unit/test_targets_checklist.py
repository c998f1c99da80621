"""Checklists for consoles that have no export."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from exchange_builders import GATEWAY, STALE, declared, emission, list_scripts

from reconciler.targets.base import Intent, UnreadableExportError
from reconciler.targets.registry import ALLOWLIST_TARGETS

GOLDEN = Path(__file__).parent.parent / "golden" / "checklists"
CASES = {
    "zoho": declared("zoho"),
    "google-workspace": declared("google-workspace"),
    "google-workspace-restrict": declared("google-workspace", intent=Intent.RESTRICT),
}


@pytest.mark.parametrize("case", sorted(CASES))
def test_a_checklist_is_the_golden_one(case: str) -> None:
    """With RECONCILER_UPDATE_GOLDEN=1 the file is written anew, to be read before it is committed."""
    (text,) = list_scripts(emission(CASES[case])).values()
    golden = GOLDEN / f"{case}.md"
    if os.environ.get("RECONCILER_UPDATE_GOLDEN") == "1":
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(text)
    assert golden.read_text() == text


def test_no_golden_checklist_is_an_orphan() -> None:
    assert {p.stem for p in GOLDEN.iterdir()} == set(CASES)


@pytest.mark.parametrize("target", ["zoho", "google-workspace"])
def test_a_checklist_has_every_address_once_and_what_may_go(target: str) -> None:
    (text,) = list_scripts(emission(declared(target))).values()
    assert all(text.count(f"`{address}`") == 1 for address in (*GATEWAY, STALE))
    (text,) = list_scripts(emission(declared(target), remove=())).values()
    assert STALE not in text
    numbers = [line.split(".")[0] for line in text.splitlines() if line[:1].isdigit()]
    assert numbers == [str(i) for i in range(1, len(numbers) + 1)]


def test_names_are_escaped() -> None:
    (text,) = list_scripts(emission(declared("zoho"), service="<b>[x](javascript:1)")).values()
    assert "<b>" not in text
    assert "[x](" not in text


@pytest.mark.parametrize("target", ["zoho", "google-workspace"])
def test_there_is_nothing_to_read(target: str) -> None:
    found = ALLOWLIST_TARGETS[target]
    assert not found.is_readable
    with pytest.raises(UnreadableExportError, match="has no export"):
        found.read("{}", declared(target))
