"""Every rule has a case: manifests, and what is said about them, as files that a reviewer reads.

With RECONCILER_UPDATE_GOLDEN=1 the expected files are written, and the run fails so that nobody forgets to read them.
"""

import os
import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest

import reconciler
from reconciler.catalog import load_catalog
from reconciler.errors import Diagnostic, ManifestError
from reconciler.manifest.load import load_manifests

CASES = Path(__file__).parents[2] / "golden" / "manifest_errors"
TODAY = date(2026, 11, 21)
ELSEWHERE = {
    "yaml-size",  # test_strict_yaml.py: a mebibyte is no golden file
    "unknown-provider",  # test_all_errors_at_once.py: no manifest alone has it
}


def _rendered(diagnostics: Iterable[Diagnostic]) -> str:
    lines = (f"{d.place}: {d.severity}[{d.code}] {d.summary}\n    {d.detail}\n" for d in diagnostics)
    return "".join(lines)


@pytest.mark.parametrize("case", sorted(p.name for p in CASES.iterdir()))
def test_says_what_is_expected(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES / case)
    try:
        _, diagnostics = load_manifests(Path("manifests"), catalog=load_catalog(), today=TODAY)
    except ManifestError as exc:
        diagnostics = list(exc.diagnostics)
    expected = Path("expected.txt")
    if os.environ.get("RECONCILER_UPDATE_GOLDEN") == "1":
        expected.write_text(_rendered(diagnostics), encoding="utf-8")
        pytest.fail("written; read it")
    assert _rendered(diagnostics) == expected.read_text(encoding="utf-8")


def test_no_case_has_an_orphan_or_misses_a_file() -> None:
    assert [p for p in CASES.iterdir() if {c.name for c in p.iterdir()} != {"manifests", "expected.txt"}] == []


def test_every_code_has_a_case() -> None:
    """A rule whose code is in no expected file was never seen to speak."""
    package = Path(reconciler.__file__).parent
    sources = [*(package / "manifest").glob("*.py"), package / "strict_yaml.py", package / "yaml_events.py"]
    text = "".join(p.read_text(encoding="utf-8") for p in sources)
    codes = set(re.findall(r'(?:findings\.(?:error|warning)|refusal)\(\s*"([a-z-]+)"', text))
    codes |= {f"yaml-{code}" for code in re.findall(r'(?:self|reports)\.report\("([a-z-]+)"', text)}
    said = "".join(p.read_text(encoding="utf-8") for p in CASES.glob("*/expected.txt"))
    assert len(codes) > 40
    assert {code for code in codes - ELSEWHERE if f"[{code}]" not in said} == set()
