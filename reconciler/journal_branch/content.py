"""What may be on the branch, and nothing else: few regular files of known names, limited in size and number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import JournalError, error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

JOURNAL, MARK, CLAIM, README, UNDO = "journal.sqlite3", "journal.mark", "in-use", "README.md", "undo"
MEBIBYTE = 2**20
MAX_JOURNAL = 95 * MEBIBYTE
"""Octets. GitHub refuses files of more than 100 MiB."""
WARN_JOURNAL = 48 * MEBIBYTE
"""Octets. From 50 MiB on GitHub warns, and every run moves that much twice."""
MAX_UNDO = 100
"""Undo plans on the branch. An older one undoes nothing any more: its time is over, or something was built on it."""
MAX_UNDO_OCTETS = 64 * MEBIBYTE
"""All of them together."""

_MAX_SMALL = 16384
_MAX_LISTING = 4 * MAX_UNDO
_LARGEST = {JOURNAL: MAX_JOURNAL, MARK: _MAX_SMALL, CLAIM: _MAX_SMALL, README: _MAX_SMALL}
_UNDO_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}\.undo\.json", re.ASCII)
_LISTED = re.compile(rb"(\d{6}) (\w+) ([0-9a-f]{40}|[0-9a-f]{64}) +(\d+|-)\t(.+)", re.DOTALL)

README_TEXT = """# The journal of reconciler

What the program remembers between its runs: the journal, its mark, and in `undo` the plans that undo what
`apply --continue` and `apply --auto-approve` wrote; an `apply FILE` writes its own beside FILE. The file `in-use` is
there while a run is writing. The program replaces this branch's only commit; nobody else has to write here.

It may be deleted at any time: then less is known, every wait is the full one from then on, and no mail is lost.
"""


@dataclass(frozen=True, slots=True)
class File:
    """A file of the branch: the name of its blob, and how many octets it has."""

    blob: str
    octets: int


def is_undo_name(name: str) -> bool:
    """Whether a file of this name, without its folder, may be an undo plan."""
    return _UNDO_NAME.fullmatch(name) is not None


def read_listing(listing: bytes, where: str) -> dict[str, File]:
    """The files of a tree, from `git ls-tree -r -z -l`, by their paths.

    Raises:
        JournalError: something is there that the program does not write, or too much of it.

    """
    entries = [entry for entry in listing.split(b"\0") if entry]
    if len(entries) > _MAX_LISTING:
        raise foreign_content(where, f"{len(entries)} files are too many")
    files = dict(_read_entry(entry, where) for entry in entries)
    undo = [file for name, file in files.items() if name.startswith(f"{UNDO}/")]
    if len(undo) > MAX_UNDO or sum(file.octets for file in undo) > MAX_UNDO_OCTETS:
        raise foreign_content(where, "there are too many undo plans, or they are too large")
    return files


def _read_entry(entry: bytes, where: str) -> tuple[str, File]:
    match = _LISTED.fullmatch(entry)
    if match is None:
        raise foreign_content(where, f"git lists {ascii(entry)[:80]}")
    mode, kind, blob, octets, raw = match.groups()
    name = raw.decode("ascii", errors="backslashreplace")
    folder, _, last = name.rpartition("/")
    if mode != b"100644" or kind != b"blob":
        raise foreign_content(where, f"{ascii(name)[:80]} is no regular file")
    if not (name in _LARGEST or (folder == UNDO and is_undo_name(last))):
        raise foreign_content(where, f"{ascii(name)[:80]} is nothing that the program writes")
    if int(octets) > _LARGEST.get(name, MAX_UNDO_OCTETS):
        raise foreign_content(where, f"{name} has {int(octets)} octets, which is too many")
    return name, File(blob.decode(), int(octets))


def foreign_content(where: str, reason: str) -> JournalError:
    """The branch is not the journal's, or somebody else wrote there; nothing of it is used, and nothing overwritten."""
    summary = f"the branch {where} has what no journal's branch has: {reason}"
    detail = (
        "Name the journal's own branch with --branch. If a newer program wrote this one, install that here too; "
        "otherwise delete the branch: every wait begins anew, and no mail is lost."
    )
    return JournalError([error("journal-branch-content", summary, detail)])


def kept_undo(sizes: Mapping[str, int]) -> tuple[list[str], list[str]]:
    """Of undo plans, by name, those that stay on the branch and those that do not: the newest stay.

    Their names begin with the time at which they were written.
    """
    kept: list[str] = []
    octets = 0
    for name in sorted(sizes, reverse=True):
        if len(kept) == MAX_UNDO or octets + sizes[name] > MAX_UNDO_OCTETS:
            break
        kept.append(name)
        octets += sizes[name]
    return kept, sorted(sizes.keys() - set(kept))


def render_tree(files: Iterable[tuple[str, File]]) -> bytes:
    """The input of `git mktree -z` for the files of one folder."""
    return b"".join(f"100644 blob {file.blob}\t{name}\0".encode() for name, file in files)
