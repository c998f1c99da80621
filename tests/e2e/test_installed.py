"""The wheel, installed far from the checkout, has its templates, catalog and schemas with it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the unpacked wheel alone."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    shutil.unpack_archive(wheel, folder / "site", "zip")
    return folder / "site"


def run(site: Path, cwd: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 3}, done.stderr
    return done.stdout


def test_it_is_the_wheel_that_runs(site: Path, tmp_path: Path) -> None:
    where = "import reconciler; print(reconciler.__file__)"
    environment = {**os.environ, "PYTHONPATH": str(site)}
    found = subprocess.check_output([sys.executable, "-c", where], cwd=tmp_path, env=environment, text=True)
    assert Path(found.strip()).is_relative_to(site)


def test_it_plans_and_emits_far_from_the_checkout(site: Path, tmp_path: Path) -> None:
    for name in ("manifests", "zones"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "reconciler.yaml", tmp_path)
    assert "Plan:" in run(site, tmp_path, "plan")
    assert "<title>Mail gateway plan</title>" in run(site, tmp_path, "plan", "--format", "html")
    assert json.loads(run(site, tmp_path, "schema", "manifest"))["title"]
    run(site, tmp_path, "emit", "instructions", "--out", "sheets")
    assert (tmp_path / "sheets" / "hooli" / "console.html").exists()
    assert "organization:" in run(site, tmp_path, "import", "wonka.example")
