"""Golden plans: each case holds manifests, zones and settings, and the plan that a reviewer reads in four forms.

With RECONCILER_UPDATE_GOLDEN=1 the expected files are written, and the run fails so that nobody forgets to read them.
Digests are written as dots: what goes into them is tested with the document.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import jsonschema
import pytest
from builders import NOW
from hostile import assert_html_is_safe, assert_log_is_safe, assert_markdown_is_safe, assert_no_controls

from reconciler.cli import main

TESTS = Path(__file__).parent.parent
GOLDEN = TESTS / "golden" / "plan"
SCHEMA = TESTS.parent / "docs" / "schemas" / "plan.schema.json"
INPUTS = {"manifests", "zones", "reconciler.yaml"}
FORMATS = {"plan.json": "json", "plan.txt": "text", "plan.md": "markdown", "plan.html": "html"}
# with --detailed-exitcode
CASES = {
    "onboarding": 2,
    "multi_region_and_region": 2,
    "beside_the_gateway": 1,
    "not_known": 1,
    "people": 2,
    "in_sync": 0,
    "origins": 2,
    "hostile": 1,
}


def _plan(case: str, kind: str, capsys: pytest.CaptureFixture[str]) -> str:
    code = main(["--now", NOW.isoformat(), "plan", "--detailed-exitcode", "--format", kind])
    captured = capsys.readouterr()
    assert (code, captured.err) == (CASES[case], "")
    return captured.out


@pytest.mark.parametrize("case", sorted(CASES))
def test_plans_are_as_reviewed(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(GOLDEN / case, tmp_path / case, ignore=shutil.ignore_patterns("plan.*"))
    monkeypatch.chdir(tmp_path / case)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    made = {name: _plan(case, kind, capsys) for name, kind in FORMATS.items()}

    document = json.loads(made["plan.json"])
    jsonschema.validate(document, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert document["digest"] in made["plan.md"]
    assert document["digest"] in made["plan.html"]
    assert {p.name for p in Path().iterdir()} - {"exports"} == INPUTS

    masked = {name: re.sub(r"sha256:[0-9a-f]{64}", "sha256:...", text) for name, text in made.items()}
    if os.environ.get("RECONCILER_UPDATE_GOLDEN") == "1":
        for name, text in masked.items():
            (GOLDEN / case / name).write_text(text, encoding="utf-8")
        pytest.fail("written; read them")
    assert masked == {name: (GOLDEN / case / name).read_text(encoding="utf-8") for name in FORMATS}


def test_no_case_has_an_orphan_or_misses_a_file() -> None:
    assert {p.name for p in GOLDEN.iterdir()} == set(CASES)
    assert [p for p in GOLDEN.iterdir() if {c.name for c in p.iterdir()} - {"exports"} != {*INPUTS, *FORMATS}] == []


def _unused_zones(case: Path) -> set[str]:
    text = (case / "plan.json").read_text(encoding="utf-8")
    return {p.stem for p in (case / "zones").iterdir() if f'"{p.stem}."' not in text}


@pytest.mark.parametrize("case", sorted(CASES))
def test_every_zone_of_a_case_is_in_its_plan(case: str) -> None:
    assert _unused_zones(GOLDEN / case) == set()


@pytest.mark.parametrize("case", sorted(CASES))
def test_whatever_stands_in_a_zone_stays_text(case: str) -> None:
    """Of the expected files themselves: nobody accepts a bad one by updating."""
    texts = {name: (GOLDEN / case / name).read_text(encoding="utf-8") for name in FORMATS}
    assert_log_is_safe(texts["plan.txt"])
    assert_markdown_is_safe(texts["plan.md"])
    assert_html_is_safe(texts["plan.html"])
    assert texts["plan.json"].isascii()
    assert_no_controls(texts["plan.json"])
