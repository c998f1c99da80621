"""Files that a reader sees whole or not at all, and that stay in their folder."""

from __future__ import annotations

import os
import pty
import resource
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hostile import HOSTILE
from hypothesis import given
from hypothesis import strategies as st

from reconciler.files import contained_path, safe_file_name, write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def _small_files(octets: int) -> Iterator[None]:
    """A disk on which no file grows beyond some octets."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_file_is_written_with_its_folders_and_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "plan.json"
    write_atomically(path, b"new", mode=0o600)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    write_atomically(path, b"newer")
    assert path.read_bytes() == b"newer"
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(path.parent.iterdir()) == [path]


def test_on_a_full_disk_the_old_file_stays_and_no_other_is_left(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(b"old")
    with _small_files(1000), pytest.raises(OSError, match="plan") as caught:
        write_atomically(path, b"x" * 5000)
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["folder", "file/below"])
def test_what_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match=name) as caught:
        write_atomically(tmp_path / name, b"x")
    assert caught.value.filename == str(tmp_path / name)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["file", "folder"]


def test_a_device_is_written_to_and_not_replaced() -> None:
    """A terminal of our own: in its file system no file can be made, so that wrong code run by root breaks nothing."""
    master, slave = pty.openpty()
    try:
        terminal = Path(os.ttyname(slave))
        write_atomically(terminal, b"x")
        assert os.read(master, 10) == b"x"
        assert terminal.is_char_device()
    finally:
        os.close(slave)
        os.close(master)


def test_a_pipe_gets_the_octets(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(pipe.read_bytes)
        write_atomically(pipe, b"through")
        assert read.result(timeout=10) == b"through"
    assert pipe.is_fifo()


def test_a_reader_never_sees_a_half(tmp_path: Path) -> None:
    """Two writers and a reader at once."""
    path = tmp_path / "plan.json"
    contents = {bytes([c]) * 100_000 for c in b"ab"}
    write_atomically(path, b"a" * 100_000)
    done = threading.Event()

    def read() -> set[bytes]:
        seen = set()
        while not done.is_set():
            seen.add(path.read_bytes())
        return seen

    def write(octets: bytes) -> None:
        for _ in range(30):
            write_atomically(path, octets)

    with ThreadPoolExecutor(3) as pool:
        reader = pool.submit(read)
        writers = [pool.submit(write, octets) for octets in contents]
        for writer in writers:
            writer.result(timeout=60)
        done.set()
        assert reader.result(timeout=10) <= contents
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_to_a_file_is_neither_followed_nor_replaced(tmp_path: Path) -> None:
    target, link, dangling = tmp_path / "target", tmp_path / "link", tmp_path / "dangling"
    target.write_bytes(b"old")
    link.symlink_to(target)
    dangling.symlink_to(tmp_path / "nothing")
    for path in (link, dangling):
        with pytest.raises(OSError, match="symbolic link"):
            write_atomically(path, b"new")
    assert target.read_bytes() == b"old"
    assert not (tmp_path / "nothing").exists()
    assert link.is_symlink()


@pytest.mark.parametrize("name", ["acme", "acme.example", "xn--mller-kva.example", "a_b-c", "A1"])
def test_a_good_name_stays(name: str) -> None:
    assert safe_file_name(name) == name


@given(st.text())
def test_any_text_has_a_name_that_every_system_takes(text: str) -> None:
    name = safe_file_name(text)
    assert name.isascii()
    assert name.isprintable()
    assert 0 < len(name) <= 220
    assert not set(name) & set('/\\:*?"<>| ')
    assert not name.startswith((".", "-"))


@given(st.text(), st.text())
def test_different_texts_have_different_names(one: str, other: str) -> None:
    assert (safe_file_name(one) == safe_file_name(other)) == (one == other)


@pytest.mark.parametrize("device", ["con", "NUL", "aux.txt", "com1", "lpt9.example"])
def test_the_name_of_a_device_is_avoided(device: str) -> None:
    assert safe_file_name(device).startswith("_")


@pytest.mark.parametrize("text", [*HOSTILE, "..", ".", "/etc/passwd", "a/../../b"])
def test_a_safe_name_stays_in_its_folder(text: str, tmp_path: Path) -> None:
    assert contained_path(tmp_path, safe_file_name(text)).parent == tmp_path


@pytest.mark.parametrize("parts", [("..", "x"), ("/etc/passwd",), (".",), ("a", "..", ".."), ()])
def test_a_path_that_leads_outside_is_refused(parts: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="leads outside"):
        contained_path(tmp_path, *parts)


def test_a_link_that_leads_outside_is_refused(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path)
    with pytest.raises(ValueError, match="leads outside"):
        contained_path(tmp_path / "root", "link", "x")
