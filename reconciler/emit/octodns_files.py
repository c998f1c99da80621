"""Reading and writing the files of an octoDNS repository: below its root alone, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from reconciler.emit.octodns_values import RefusedError
from reconciler.errors import EmitError, error


def checked_path(root: Path, path: Path) -> Path:
    """The file that a path leads to, symlinks followed.

    Raises:
        RefusedError: it lies outside the root.

    """
    resolved = path.resolve()
    if not resolved.is_relative_to(root.resolve()):
        reason = "the path leads outside the repository"
        raise RefusedError(reason, "Emit into the repository that holds the file.", file=str(path))
    return resolved


def read_text(root: Path, path: Path) -> str:
    """A file's text with its own line ends.

    Raises:
        RefusedError: it cannot be read, is not UTF-8, or lies outside the root.

    """
    try:
        return checked_path(root, path).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        reason = f"the file cannot be read: {exc}"
        raise RefusedError(reason, "Make it a readable file in UTF-8.", file=str(path)) from exc


def write_atomically(path: Path, text: str) -> None:
    """Put a file in place by a rename, its mode kept; killed at any moment there is the old file or the new one.

    Raises:
        EmitError: it cannot be written; files written before stay.

    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~_umask()
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(text.encode("utf-8"))
                stream.flush()
                os.fsync(stream.fileno())
            temporary.chmod(mode)
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                temporary.unlink()
            raise
    except OSError as exc:
        detail = "The files before it were written whole. Make room or correct the permissions, and run again."
        raise EmitError(
            [error("emit-write", f"{path} cannot be written: {exc.strerror}", detail, file=str(path))]
        ) from exc


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current
