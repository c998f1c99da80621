"""A verb imports what it uses: each of these modules would cost every run of a short verb more than the verb does."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

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
_FOR_EVERY_VERB = frozenset({"_ruamel_yaml", "publicsuffixlist", "pydantic", "reconciler.manifest", "ruamel.yaml"})
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


def _imported(folder: Path, *arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return set(done.stderr.splitlines())


def test_validate_imports_nothing_that_observes_decides_or_reports(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text(_MANIFEST, encoding="utf-8")
    imported = _imported(tmp_path, "validate", "acme.yaml")
    assert imported & _FOR_OTHER_VERBS == set()
    assert "pydantic" in imported


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_imports_nothing_that_a_verb_does(tmp_path: Path, option: str) -> None:
    assert _imported(tmp_path, option) & (_FOR_OTHER_VERBS | _FOR_EVERY_VERB) == set()
