"""What the README shows is what the program prints."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text()


def test_the_plan_in_the_readme_is_the_plan() -> None:
    (shown,) = re.findall(r"```\n(globex\n.*?)```", README, flags=re.DOTALL)
    now = ["--now", "2026-11-21T12:00:00+00:00"]
    plan = [sys.executable, "-m", "reconciler", *now, "plan", "--organization", "globex"]
    printed = subprocess.run(plan, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    assert shown.strip() in printed


def test_the_manifest_in_the_readme_is_in_the_examples() -> None:
    (shown,) = re.findall(r"```yaml\n(organization: globex\n.*?)```", README, flags=re.DOTALL)
    written = (ROOT / "manifests" / "globex.yaml").read_text()
    lines = [line for line in written.splitlines() if not line.lstrip().startswith("#")]
    assert shown.strip() in "\n".join(lines)


def test_every_verb_and_every_make_target_in_the_readme_is_there() -> None:
    usage = subprocess.check_output([sys.executable, "-m", "reconciler", "--help"], cwd=ROOT, text=True)
    verbs = set(re.findall(r"^\| `([a-z]+)", README.split("| verb |")[1].split("\n\n")[0], flags=re.MULTILINE))
    assert verbs == set(re.findall(r"^    ([a-z]+) ", usage, flags=re.MULTILINE))
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"\$ make ([a-z]+)", README):
        assert f"\n{target}:" in makefile
