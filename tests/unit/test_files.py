"""Files are replaced whole, and nothing but files: no link, no device, and never more is read than is allowed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from laboratory import Workspace

from reconciler.files import write_atomically


@pytest.mark.parametrize("is_dangling", [False, True])
def test_a_link_to_a_file_is_neither_followed_nor_replaced(tmp_path: Path, *, is_dangling: bool) -> None:
    """`/dev/stdout` is such a link, and a pull request may bring one to any file of the machine."""
    target, link = tmp_path / "target", tmp_path / "link"
    if not is_dangling:
        target.write_text("old")
    link.symlink_to(target)
    with pytest.raises(OSError, match="symbolic link"):
        write_atomically(link, b"new")
    assert link.is_symlink()
    assert target.exists() != is_dangling
    assert is_dangling or target.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2 - is_dangling


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_atomically(pipe, b"new")
        assert os.read(reader, 10) == b"new"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_an_endless_list_is_not_read_to_its_end(tmp_path: Path) -> None:
    ran = Workspace(tmp_path).run("import", "--from", "/dev/zero")
    assert ran.code == 1
    assert "error[import-size]" in ran.err


def test_a_folder_whose_name_is_not_utf8_is_refused(tmp_path: Path) -> None:
    """Its name could not stand in the plan's JSON."""
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/man\xff")
    Path(folder).mkdir()
    Path(folder, "acme.yaml").write_text("organization: acme\n")
    ran = Workspace(tmp_path).run("--manifests", folder, "plan", "--format", "json")
    assert ran.code == 1
    assert "error[file-name]" in ran.err
    assert "Traceback" not in ran.err
