"""Who changed the lines of manifests last, and which manifests are as they were: as git says, of committed content.

Git reads commits alone here, never the files of a checkout: whatever a pull request brings (attributes, a file that
looks like a repository) names no program to run. What git does not know for sure is not told.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from reconciler.commit import TRUST_NO_CONTENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_SECONDS = 30
_LINES_AT_ONCE = 500  # as arguments of one process
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_HEADER = re.compile(r"(?P<commit>[0-9a-f]{40,64}) \d+ (?P<line>\d+)(?: \d+)?")
# a partial clone fetches what it lacks, by programs that its settings name
_ENVIRONMENT = {"GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}


class Author(NamedTuple):
    """Who changed a line last: name and e-mail address as the commit has them, and when."""

    author: str
    commit: str
    at: datetime


def authors_of(lines: Iterable[tuple[str, int]], commit: str | None) -> dict[tuple[str, int], Author]:
    """The author of each line (a file's path, a line counted from 1) as of a commit; those that git knows.

    Without a commit, where manifests differ from it, nothing is known. In a shallow clone lines are not told that are
    as old as it is, or older.
    """
    if commit is None or not _COMMIT.fullmatch(commit):
        return {}
    by_file: dict[str, set[int]] = defaultdict(set)
    for file, line in lines:
        by_file[file].add(line)
    found = {}
    for file, numbers in by_file.items():
        for line, author in _blame(Path(file), sorted(numbers), commit):
            found[file, line] = author
    return found


def unchanged_since(pairs: Iterable[tuple[str, str]], commit: str | None) -> frozenset[tuple[str, str]]:
    """Of pairs of a commit and a file's path, those in which the file was as it is at `commit`."""
    if commit is None:
        return frozenset()
    wanted = [(c, f) for c, f in pairs if _COMMIT.fullmatch(c)]
    blobs: Mapping[tuple[str, str], str] = _blobs({*wanted, *((commit, file) for _, file in wanted)})
    return frozenset((c, f) for c, f in wanted if (c, f) in blobs and blobs[c, f] == blobs.get((commit, f)))


def _blame(file: Path, lines: list[int], commit: str) -> Iterator[tuple[int, Author]]:
    is_shallow = _git(file.parent, "rev-parse", "--is-shallow-repository")
    if is_shallow is None:
        return
    for start in range(0, len(lines), _LINES_AT_ONCE):
        ranges = [f"-L{n},{n}" for n in lines[start : start + _LINES_AT_ONCE]]
        options = ["--porcelain", "--no-textconv", "--encoding=UTF-8", *ranges]
        told = _git(file.parent, "-c", "blame.ignoreRevsFile=", "blame", *options, commit, "--", f"./{file.name}")
        if told is not None:
            yield from _parsed(told, is_shallow=is_shallow.strip() != "false")


def _parsed(told: str, *, is_shallow: bool) -> Iterator[tuple[int, Author]]:
    """Git tells of each commit once, at its first line; the content of a line begins with a tab."""
    commits: dict[str, dict[str, str]] = {}
    commit, line = "", 0
    for text in told.split("\n"):
        header = _HEADER.fullmatch(text)
        if text.startswith("\t"):
            about = commits.get(commit, {})
            if {"author", "author-time"} <= about.keys() and not (is_shallow and "boundary" in about):
                yield line, _author(commit, about)
        elif header is not None:
            commit, line = header["commit"], int(header["line"])
            commits.setdefault(commit, {})
        else:
            key, _, value = text.partition(" ")
            commits.setdefault(commit, {})[key] = value


def _author(commit: str, about: Mapping[str, str]) -> Author:
    author = " ".join(filter(None, (about["author"], about.get("author-mail", ""))))
    return Author(author, commit, datetime.fromtimestamp(int(about["author-time"]), UTC))


def _blobs(wanted: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    by_folder: dict[Path, list[tuple[str, str]]] = defaultdict(list)
    for commit, file in sorted(wanted):
        by_folder[Path(file).parent].append((commit, file))
    found: dict[tuple[str, str], str] = {}
    for folder, pairs in by_folder.items():
        named = [pair for pair in pairs if "\n" not in pair[1]]
        asked = "".join(f"{commit}:./{Path(file).name}\n" for commit, file in named)
        told = _git(folder, "cat-file", "--batch-check=%(objectname)", given=asked)
        answers = zip(named, (told or "").splitlines(), strict=False)
        found.update({pair: answer for pair, answer in answers if _COMMIT.fullmatch(answer)})
    return found


def _git(folder: Path, *arguments: str, given: str = "") -> str | None:
    """What git says; None where it does not."""
    command = ["git", *TRUST_NO_CONTENT, "-C", str(folder), *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and what is data comes after `--` or on stdin
            command,
            input=given.encode("utf-8", "surrogateescape"),
            capture_output=True,
            check=True,
            timeout=_SECONDS,
            env={**os.environ, **_ENVIRONMENT},
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")
