"""Reading and writing the files of an octoDNS repository: below its root alone, whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.emit.octodns_values import RefusedError
from reconciler.errors import EmitError, error
from reconciler.files import write_atomically

if TYPE_CHECKING:
    from pathlib import Path


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


def write_text(path: Path, text: str) -> None:
    """Put a file in place, its mode kept; killed at any moment there is the old file or the new one.

    Raises:
        EmitError: it cannot be written; files written before stay.

    """
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        write_atomically(path, text.encode("utf-8"), mode=mode)
    except OSError as exc:
        summary = f"{path} cannot be written: {exc.strerror}"
        detail = "The files before it were written whole. Make room or correct the permissions, and run again."
        raise EmitError([error("emit-write", summary, detail, file=str(path))]) from exc
