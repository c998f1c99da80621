"""Golden drift: each case holds manifests, zones and settings, and the drift that a reviewer reads in six forms.

Where a case has `applied/`, those zones were there a day before, and were applied to. With RECONCILER_UPDATE_GOLDEN=1
the expected files are written, and the run fails so that nobody forgets to read them. Digests are written as dots.
"""

from __future__ import annotations

import os
import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from builders import NOW
from drift_forms import assert_form_is_sound

from reconciler.cli import main

GOLDEN = Path(__file__).parent.parent / "golden" / "drift"
INPUTS = {"manifests", "zones", "reconciler.yaml"}
FORMATS = {
    "drift.txt": "text",
    "drift.json": "json",
    "drift.md": "markdown",
    "drift.html": "html",
    "drift.sarif": "sarif",
    "drift.xml": "junit",
}
# with --detailed-exitcode
CASES = {"drifted": 2, "in_sync": 0, "hostile": 2, "origins": 2}


def _apply_a_day_before(case: Path) -> None:
    shutil.copytree("zones", "now")
    shutil.rmtree("zones")
    shutil.copytree(case / "applied", "zones")
    for minutes in (0, 5):
        main(["--now", (NOW - timedelta(days=1) + timedelta(minutes=minutes)).isoformat(), "apply", "--auto-approve"])
    shutil.rmtree("zones")
    Path("now").rename("zones")


def _drift(case: str, form: str, capsys: pytest.CaptureFixture[str]) -> str:
    code = main(["--now", NOW.isoformat(), "drift", "--detailed-exitcode", "--format", form])
    captured = capsys.readouterr()
    assert (code, captured.err) == (CASES[case], "")
    return captured.out


@pytest.mark.parametrize("case", sorted(CASES))
def test_drift_is_as_reviewed(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(GOLDEN / case, tmp_path / case, ignore=shutil.ignore_patterns("drift.*", "applied"))
    monkeypatch.chdir(tmp_path / case)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    if (GOLDEN / case / "applied").is_dir():
        _apply_a_day_before(GOLDEN / case)
        capsys.readouterr()
    made = {name: _drift(case, form, capsys) for name, form in FORMATS.items()}
    masked = {name: re.sub(r"sha256:[0-9a-f]{64}", "sha256:...", text) for name, text in made.items()}
    if os.environ.get("RECONCILER_UPDATE_GOLDEN") == "1":
        for name, text in masked.items():
            (GOLDEN / case / name).write_text(text, encoding="utf-8")
        pytest.fail("written; read them")
    assert masked == {name: (GOLDEN / case / name).read_text(encoding="utf-8") for name in FORMATS}


def test_no_case_has_an_orphan_or_misses_a_file() -> None:
    assert {p.name for p in GOLDEN.iterdir()} == set(CASES)
    assert [
        p for p in GOLDEN.iterdir() if {c.name for c in p.iterdir()} - {"applied", "exports"} != {*INPUTS, *FORMATS}
    ] == []


@pytest.mark.parametrize("case", sorted(CASES))
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_whatever_stands_in_a_zone_stays_text(case: str, name: str) -> None:
    """Of the expected files themselves: nobody accepts a bad one by updating."""
    assert_form_is_sound(FORMATS[name], (GOLDEN / case / name).read_text(encoding="utf-8"))
