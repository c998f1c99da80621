"""A verb imports what it uses: each of these modules would cost every run of a short verb more than the verb does."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_IN_SYNC = Path(__file__).parents[1] / "golden" / "drift" / "in_sync"

_FOR_OTHER_VERBS = frozenset(
    {
        "asyncio",
        "dns",
        "httpx",
        "jinja2",
        "octodns",
        "reconciler.document",
        "reconciler.gates",
        "reconciler.journal",
        "reconciler.observe",
        "reconciler.plan",
        "reconciler.run",
        "reconciler.state",
        "reconciler.targets.base",
        "reconciler.targets.postfix",
        "sqlalchemy",
        "ssl",
        "subprocess",
        "tqdm",
    }
)
_FOR_ODD_FILES = frozenset(
    {
        "_ruamel_yaml",
        "annotated_types",
        "difflib",
        "pydantic",
        "pydantic_core",
        "reconciler.manifest.models",
        "reconciler.yaml_models",
        "ruamel.yaml",
    }
)
_FOR_EVERY_VERB = frozenset({"publicsuffixlist", "reconciler.manifest"})
_MANIFEST = """\
organization: acme
region: eu
escalation_contacts: [secops@acme.example]
services:
  - name: hq
    kind: postfix
    domains:
      - name: acme.example
        next_hops: [mail.acme.example]
        verification: {primary: token}
"""
_PROGRAM = """
import sys
from reconciler.cli import main
code = 0
try:
    code = main(sys.argv[1:])
except SystemExit as exc:
    code = exc.code
print(*sorted(sys.modules), sep="\\n", file=sys.stderr)
sys.exit(code)
"""


def _imported(folder: Path, *arguments: str, code: int = 0) -> set[str]:
    command = [sys.executable, "-c", _PROGRAM, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == code
    return set(done.stderr.splitlines())


def test_validate_imports_nothing_that_observes_decides_or_reports(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text(_MANIFEST, encoding="utf-8")
    imported = _imported(tmp_path, "validate", "acme.yaml")
    assert imported & (_FOR_OTHER_VERBS | _FOR_ODD_FILES) == set()
    assert imported >= _FOR_EVERY_VERB


_SETTINGS = """\
observe: {zonefiles: zones}
default_provider: files
providers: {files: {class: octodns_bind.ZoneFileProvider, directory: zones, file_extension: .zone}}
journal: sqlite:///.reconciler/journal.sqlite3
limits: {switches_per_run: 50}
"""


def test_usual_settings_need_neither_the_parser_nor_the_models(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text(_MANIFEST, encoding="utf-8")
    (tmp_path / "reconciler.yaml").write_text(_SETTINGS, encoding="utf-8")
    imported = _imported(tmp_path, "validate", "acme.yaml")
    assert imported & _FOR_ODD_FILES == set()
    assert "reconciler.settings.plain" in imported
    (tmp_path / "reconciler.yaml").write_text(_SETTINGS.replace("run: 50", "run: -50"), encoding="utf-8")
    assert "pydantic" in _imported(tmp_path, "validate", "acme.yaml", code=1)


def test_a_drift_in_sync_with_settings_needs_neither(tmp_path: Path) -> None:
    """The one that runs every few minutes."""
    folder = tmp_path / "in_sync"
    shutil.copytree(_IN_SYNC, folder)
    imported = _imported(folder, "--now", "2026-11-21T12:00:00Z", "drift", "--detailed-exitcode")
    assert imported & _FOR_ODD_FILES == set()
    assert imported >= {"reconciler.settings.plain", "reconciler.run_in_sync"}


def test_a_manifest_that_is_not_plain_is_for_the_parser_and_the_models(tmp_path: Path) -> None:
    """Or the test above would hold the names of modules that nothing ever imports."""
    escaped, strange = _MANIFEST.replace("token", '"\\x41"'), _MANIFEST.replace("kind: postfix", "kind: postfx")
    (tmp_path / "acme.yaml").write_text(escaped, encoding="utf-8")
    assert _imported(tmp_path, "validate", "acme.yaml") & _FOR_ODD_FILES == {"_ruamel_yaml", "ruamel.yaml"}
    (tmp_path / "acme.yaml").write_text(strange, encoding="utf-8")
    assert _imported(tmp_path, "validate", "acme.yaml", code=1) >= _FOR_ODD_FILES


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_imports_nothing_that_a_verb_does(tmp_path: Path, option: str) -> None:
    assert _imported(tmp_path, option) & (_FOR_OTHER_VERBS | _FOR_ODD_FILES | _FOR_EVERY_VERB) == set()
