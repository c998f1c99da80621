"""Which files of the working tree are not as they are at a commit, octet by octet.

A file that is reached through a link counts as changed: what the link led to at the commit is not looked for. A file
outside of the repository is none of the commit's, and does not count.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.changed.repository import REGULAR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.changed.repository import Entry

_SHA1_DIGITS = 40
_CHUNK = 1 << 20


class FileComparison:
    """Compares files below `root` with the entries of a commit's tree."""

    def __init__(self, root: Path, entries: Mapping[str, Entry]) -> None:
        """Keep them; nothing is read yet."""
        self._root = root
        self._prefix = f"{root}/".replace("//", "/")
        self._folders: dict[Path, str] = {}
        self._entries = entries
        is_sha1 = all(len(e.blob) == _SHA1_DIGITS for e in entries.values())
        self._algorithm = "sha1" if is_sha1 else "sha256"

    def is_changed(self, folder: Path, relative: str) -> bool:
        """Whether a file, there or not, is another one than at the commit."""
        full = os.path.normpath(os.path.join(self._real(folder), relative))  # noqa: PTH118 - for thousands of files
        return full.startswith(self._prefix) and self.is_other(full.removeprefix(self._prefix))

    def is_other(self, path: str) -> bool:
        """Whether what is at a path below the root, with slashes, is another file than at the commit."""
        full = f"{self._prefix}{path}"
        if os.path.realpath(full) != full:
            return True
        entry = self._entries.get(path)
        then = None if entry is None else (entry.blob if entry.mode in REGULAR else "not a regular file")
        return then != self._blob(full)

    def _real(self, folder: Path) -> str:
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        return self._folders[folder]

    def is_folder_changed(self, folder: Path) -> bool:
        """Whether any file below a folder is another one, new, or there no more."""
        real = Path(os.path.realpath(folder))
        now = {
            Path(at, name).relative_to(real).as_posix()
            for at, folders, names in os.walk(real)
            for name in (*names, *(f for f in folders if Path(at, f).is_symlink()))
        }
        return any(self.is_changed(real, name) for name in sorted(now | self.names_then(folder)))

    def names_then(self, folder: Path) -> set[str]:
        """The files below a folder at the commit, with slashes."""
        real = Path(os.path.realpath(folder))
        if not real.is_relative_to(self._root):
            return set()
        prefix = "" if real == self._root else f"{real.relative_to(self._root).as_posix()}/"
        return {path.removeprefix(prefix) for path in self._entries if path.startswith(prefix)}

    def _blob(self, path: str) -> str | None:
        """The id that git gives to a file's octets; None where there is no file."""
        try:
            # a FIFO must not be waited for
            with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    return "no regular file"
                digest = hashlib.new(self._algorithm, b"blob %d\0" % status.st_size, usedforsecurity=False)
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
                return digest.hexdigest()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            return "unreadable"
