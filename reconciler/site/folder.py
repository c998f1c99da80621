"""A folder that is ours alone: every file is replaced whole, and what an earlier report left is removed.

`.reconciler-report.json` in it lists our files. It is written before the first and after the last of them, so that
whatever a run that was killed left behind is known as ours to the next one. What it does not list is somebody else's:
then nothing is written at all. It lies where a pull request may have put it, so it is believed about files of the
shapes that a report has, and no others.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import EmitError, error
from reconciler.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

MANIFEST = ".reconciler-report.json"
_FORMAT = "1.0"
_OURS = re.compile(
    r"(?:index|organizations)\.html|domains\.csv|site\.(?:css|js)|icon\.svg|organizations/[A-Za-z0-9._~-]+\.html",
    re.ASCII,
)
_TEMPORARY = re.compile(r"\.(?P<name>[^/]+)\.[a-z0-9_]{8}", re.ASCII)
_SHOWN = 5


def write_site(folder: Path, files: Mapping[str, Callable[[], bytes]]) -> None:
    """Write every file, the last of the mapping last, then remove what an earlier report wrote and this one does not.

    Raises:
        EmitError: the folder has something that no report of ours wrote, or a file cannot be built; nothing was
            written.
        OSError: the folder cannot be written; what was there stays, each file old or new.

    """
    listed = _listed(folder)
    there = list(_found(folder))
    foreign = sorted(name for name in there if not _is_ours(name, listed))
    if foreign:
        raise _foreign_error(folder, foreign)
    whole = {name: build() for name, build in files.items()}
    _write_manifest(folder, {*listed, *whole})
    for name, octets in whole.items():
        write_atomically(folder / name, octets)
    for name in there:
        if name not in whole and name != MANIFEST and not name.endswith("/"):
            (folder / name).unlink(missing_ok=True)
    _write_manifest(folder, files)


def _listed(folder: Path) -> frozenset[str]:
    path = folder / MANIFEST
    if not path.is_file() or path.is_symlink():
        return frozenset()
    try:
        names = json.loads(path.read_bytes())["files"]
    except (ValueError, KeyError, TypeError):
        return frozenset()
    if not isinstance(names, list):
        return frozenset()
    return frozenset(n for n in names if isinstance(n, str) and _OURS.fullmatch(n))


def _found(folder: Path) -> Iterator[str]:
    """Everything in the folder but folders, by its path below it; a link to a folder is a file here."""
    if folder.exists() and not folder.is_dir():
        detail = "Name a folder that is there for the report alone."
        raise EmitError([error("report-folder", f"{folder} is no folder", detail, file=str(folder))])
    for parent, folders, names in os.walk(folder):
        links = [f for f in folders if Path(parent, f).is_symlink()]
        for name in (*names, *links):
            yield Path(parent, name).relative_to(folder).as_posix()
        if not folders and not names and Path(parent) != folder:
            yield f"{Path(parent).relative_to(folder).as_posix()}/"


def _is_ours(name: str, listed: frozenset[str]) -> bool:
    if name in {MANIFEST, "organizations/"} or name in listed:
        return True
    # what a write that was killed left beside the file that it was to become
    parent, _, last = name.rpartition("/")
    killed = _TEMPORARY.fullmatch(last)
    whole = f"{parent}/{killed['name']}" if killed and parent else killed["name"] if killed else ""
    return whole == MANIFEST or whole in listed


def _foreign_error(folder: Path, foreign: list[str]) -> EmitError:
    shown = ", ".join(foreign[:_SHOWN])
    more = f" and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else ""
    summary = f"{folder} has files that no report wrote: {shown}{more}"
    detail = "Name an empty folder, or one that has an earlier report and nothing else. Nothing was written."
    return EmitError([error("report-folder", summary, detail, file=str(folder))])


def _write_manifest(folder: Path, names: Iterable[str]) -> None:
    text = json.dumps({"format_version": _FORMAT, "files": sorted(names)}, indent=1)
    write_atomically(folder / MANIFEST, f"{text}\n".encode())
