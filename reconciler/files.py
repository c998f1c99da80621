"""Writing files so that a reader sees the old or the new one, never a half; and never outside the folder meant."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from hashlib import sha256
from pathlib import Path

_MAX_NAME = 200  # octets; with an extension below what file systems take
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]", re.ASCII)
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)  # devices on Windows


def write_atomically(path: Path, octets: bytes, *, mode: int = 0o644) -> None:
    """Replace `path` by a file of these octets; on any failure the old file stays and no temporary one is left.

    What is there and no regular file (a pipe, `/dev/null`) is written to instead, and never replaced.

    Raises:
        OSError: the folder cannot be written, the disk is full, or `path` is a link to a file; it names `path`.

    """
    try:
        _refuse_link(path)
        if path.exists() and not path.is_file():
            path.write_bytes(octets)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, octets, mode)
    except OSError as exc:
        raise OSError(exc.errno, exc.strerror, str(path)) from exc


def _refuse_link(path: Path) -> None:
    # replaced, it would be `/dev/stdout` that is gone; followed, a pull request would say what is overwritten
    if path.is_symlink() and (path.is_file() or not path.exists()):
        raise OSError(errno.ELOOP, "it is a symbolic link to a file; remove it, or name that file")


def _replace(path: Path, octets: bytes, mode: int) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(octets)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def safe_file_name(text: str) -> str:
    """A file name for any text, without its extension: the text itself where it is one on every system.

    Otherwise what can be kept of it, and a part of its digest, so that different texts have different names.
    """
    kept = _UNSAFE.sub("-", text)[:_MAX_NAME].strip(".-") or "unnamed"
    if kept == text and not _RESERVED.fullmatch(kept):
        return kept
    digest = sha256(text.encode(errors="surrogatepass")).hexdigest()
    return f"_{kept}-{digest[:8]}"


def contained_path(root: Path, *parts: str) -> Path:
    """The path of `parts` below `root`.

    Raises:
        ValueError: it leads outside, through a symlink or through its parts.

    """
    path = root.joinpath(*parts)
    if not path.resolve().is_relative_to(root.resolve()) or path.resolve() == root.resolve():
        message = f"{path} leads outside {root}"
        raise ValueError(message)
    return path
