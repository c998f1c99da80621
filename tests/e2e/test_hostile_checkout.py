"""What a pull request brings is read and never run, and a stream that is closed is no reason to stop."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from laboratory import Workspace, laboratory, manifest

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "@ 3600 IN SOA ns hostmaster 1 3600 600 86400 300\n@ 3600 IN NS ns\nns 3600 IN A 127.0.0.1\n"


def made(directory: Path) -> Workspace:
    with laboratory("zonefile", {"good.example.": HEAD}, directory) as (workspace, _):
        workspace.write("manifests/acme.yaml", manifest("good.example"))
    return workspace


def test_manifests_that_look_like_a_repository_name_no_program_to_run(tmp_path: Path) -> None:
    """Git takes a folder with HEAD, objects and refs for a repository, and runs what its `core.fsmonitor` says."""
    workspace = made(tmp_path)
    manifests, ran = workspace.directory / "manifests", tmp_path / "ran"
    subprocess.run(["git", "init", "--quiet", "--bare", manifests], check=True)
    (manifests / "config").write_text(
        f'[core]\nrepositoryformatversion = 0\nbare = false\nworktree = .\nfsmonitor = "touch {ran}; false"\n'
    )
    assert workspace.run("plan").code in {0, 3}
    assert not ran.exists()


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_what_is_written_with_closed_streams_is_written_and_the_exit_code_says_so(tmp_path: Path, closed: str) -> None:
    workspace = made(tmp_path)
    script = f'exec "$0" -m reconciler "$@" {closed}'
    ran = workspace.run_program(["sh", "-c", script, sys.executable], "apply", "--auto-approve")
    assert "Traceback" not in ran.err
    assert ran.code == 3, ran.err
    assert workspace.statuses()["good.example/verification"] == "done"
