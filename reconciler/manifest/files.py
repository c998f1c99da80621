"""Finding and reading manifest files, which come from pull requests: links, devices and odd names are refused."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import Diagnostic, error
from reconciler.strict_yaml import MAX_OCTETS

if TYPE_CHECKING:
    from collections.abc import Iterable

_SUFFIXES = (".yaml", ".yml")
_READABLE = "Make it readable."


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """`file` is the path as people gave it, for diagnostics; `relative` the path below the tree, with slashes."""

    file: str
    relative: str
    path: Path


@dataclass(slots=True)
class Found:
    """Files in the order of their paths, and what was refused."""

    files: list[ManifestFile] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def refuse(self, code: str, path: Path, summary: str, detail: str) -> None:
        """Refuse one path."""
        self.diagnostics.append(error(code, summary, detail, file=ascii(str(path))[1:-1]))


def find_manifests(directory: Path) -> Found:
    """Every `*.yaml` and `*.yml` below a directory; names that begin with a dot are passed over.

    A link may lead to a file below the same directory, and nowhere else.
    """
    found = Found()
    if directory.is_dir():
        _walk(directory, "", directory.resolve(), found)
    elif directory.exists():
        found.refuse("manifests-missing", directory, "the manifests' path is no directory", "Name a directory.")
    else:
        detail = "Create it, or name another with --manifests."
        found.refuse("manifests-missing", directory, "the manifests' directory does not exist", detail)
    found.files.sort(key=lambda f: f.relative)
    return found


def find_named(paths: Iterable[Path]) -> Found:
    """The files that `paths` name, and all below the directories among them, each once."""
    found = Found()
    for path in paths:
        if path.is_dir():
            below = find_manifests(path)
            found.files += below.files
            found.diagnostics += below.diagnostics
        elif path.is_file():
            found.files.append(ManifestFile(str(path), path.name, path))
        else:
            found.refuse("manifest-missing", path, "there is no such file, and no such directory", "Correct the path.")
    first = {f.path.resolve(): f for f in reversed(found.files)}
    found.files = sorted(first.values(), key=lambda f: f.file)
    return found


def _walk(directory: Path, prefix: str, root: Path, found: Found) -> None:
    try:
        with os.scandir(directory) as entries:
            visible = sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)
    except OSError as exc:
        found.refuse("manifest-unreadable", directory, f"the directory cannot be read: {exc.strerror}", _READABLE)
        return
    for entry in visible:
        path = directory / entry.name
        try:
            _visit(entry, path, f"{prefix}{entry.name}", root, found)
        except OSError as exc:
            found.refuse("manifest-unreadable", path, f"it cannot be looked at: {exc.strerror}", _READABLE)


def _visit(entry: os.DirEntry[str], path: Path, relative: str, root: Path, found: Found) -> None:
    # the entry knows what it is from the directory's reading; a link is followed by the path, which takes no offence at
    # one that leads to itself
    is_manifest = relative.lower().endswith(_SUFFIXES)
    if entry.is_dir(follow_symlinks=False):
        _walk(path, f"{relative}/", root, found)
    elif entry.is_symlink() and (path.is_dir() or (is_manifest and not _is_below(path, root))):
        detail = "Replace the link by what it leads to, or remove it."
        found.refuse("symlink", path, "the link leads to a directory, or out of the manifests' directory", detail)
    elif is_manifest and not (path if entry.is_symlink() else entry).is_file():
        found.refuse("manifest-unreadable", path, "it is no regular file", "Replace it by a file, or remove it.")
    elif is_manifest and not str(path).isprintable():
        summary = "the file's path has characters that cannot be shown"
        found.refuse("file-name", path, summary, "Rename the file, or the folder.")
    elif is_manifest:
        found.files.append(ManifestFile(str(path), relative, path))


def _is_below(path: Path, root: Path) -> bool:
    # realpath, because Path.resolve raises on a link that leads to itself
    return Path(os.path.realpath(path)).is_relative_to(root)


def read_octets(file: ManifestFile) -> tuple[bytes, Diagnostic | None]:
    """A file's octets (one more than is allowed, at most), or why there are none."""
    try:
        with file.path.open("rb") as stream:
            return stream.read(MAX_OCTETS + 1), None
    except OSError as exc:
        summary = f"the file cannot be read: {exc.strerror}"
        return b"", error("manifest-unreadable", summary, _READABLE, file=file.file)


class TreeDigest:
    """`sha256:` over each path and its octets, each with its length in front, so that no two trees run together."""

    def __init__(self) -> None:
        """Of a tree without files."""
        self._hash = hashlib.sha256()

    def add(self, relative: str, octets: bytes) -> None:
        """The next file, in the order of their paths."""
        name = relative.encode()
        self._hash.update(b"%d %d\n" % (len(name), len(octets)))
        self._hash.update(name)
        self._hash.update(octets)

    def __str__(self) -> str:
        """As it stands in documents."""
        return f"sha256:{self._hash.hexdigest()}"
