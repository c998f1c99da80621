"""What users install is what the tests ran with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_PIN = re.compile(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s\\;]+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    return dict(_PIN.findall((ROOT / name).read_text(encoding="utf-8")))


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-extras.lock"])
def test_a_lock_has_the_versions_that_are_tested(lock: str) -> None:
    tested = pins("requirements-dev.lock")
    assert len(pins(lock)) > 10
    assert {
        name: (version, tested.get(name)) for name, version in pins(lock).items() if tested.get(name) != version
    } == {}


@pytest.mark.parametrize("lock", sorted(p.name for p in ROOT.glob("requirements*.lock")))
def test_a_lock_names_no_index(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--hash=sha256:" in text
