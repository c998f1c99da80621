"""The manifests of a commit that are other ones now, loaded by the ordinary loader from a temporary folder.

The files there are numbered: a path in a commit may be anything, and what is compared does not depend on it. Those
that stand in the working tree as they did declare the same, and are not loaded twice.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from reconciler.changed.repository import REGULAR
from reconciler.errors import ManifestError, Severity
from reconciler.manifest.fleet import Fleet, Source
from reconciler.manifest.load import load_manifests
from reconciler.strict_yaml import MAX_OCTETS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from reconciler.catalog import Catalog
    from reconciler.changed.repository import Entry, Repository

MAX_FILES = 100_000
MAX_TOTAL_OCTETS = 512 * 1024 * 1024

_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class ManifestsThen:
    """What manifests of a commit declare; `paths` are those below the repository's root, by their numbers."""

    fleet: Fleet
    paths: tuple[str, ...]

    def place(self, source: Source) -> Source:
        """Where in the commit it stands."""
        return Source(self.paths[int(Path(source.file).stem)], source.line)


NOTHING = ManifestsThen(Fleet((), ""), ())


class UnusableManifestsError(Exception):
    """The commit's manifests cannot be compared with; the text says why, as part of a sentence."""


def load_manifests_then(
    repository: Repository, listed: Mapping[str, Entry], catalog: Catalog, today: date
) -> ManifestsThen:
    """What these manifests of a commit declare, by their paths below the root.

    Raises:
        UnusableManifestsError: they are too many, too large, links, or not valid.
        RevisionError: git does not give them.

    """
    if not listed:
        return NOTHING
    link = next((path for path, e in listed.items() if e.mode not in REGULAR), None)
    if link is not None:
        message = f"{link} is no regular file"
        raise UnusableManifestsError(message)
    blobs = [e.blob for e in listed.values()]
    sizes = repository.sizes(blobs) if len(blobs) <= MAX_FILES else []
    if len(blobs) > MAX_FILES or sum(sizes) > MAX_TOTAL_OCTETS or max(sizes) > MAX_OCTETS:
        raise UnusableManifestsError("they are too many, or too large")
    with tempfile.TemporaryDirectory(prefix="reconciler-") as place:
        for index, octets in enumerate(repository.contents(blobs)):
            (Path(place) / f"{index:06}.yaml").write_bytes(octets)
        try:
            fleet, _ = load_manifests(Path(place), catalog=catalog, today=today)
        except ManifestError as exc:
            if {d.code for d in exc.diagnostics if d.severity is Severity.ERROR} == {"no-domains"}:
                return NOTHING  # a manifest without domains beside others that have some
            raise UnusableManifestsError(_first_problem(exc, list(listed))) from exc
    return ManifestsThen(fleet, tuple(listed))


def is_manifest(path: str, folder: str) -> bool:
    """Whether the loader would take a file below `folder` (empty for the root): as `manifest/files.py` finds them."""
    if folder and not path.startswith(f"{folder}/"):
        return False
    below = PurePosixPath(path).parts[len(PurePosixPath(folder).parts) :]
    return path.lower().endswith(_SUFFIXES) and not any(part.startswith(".") for part in below)


def _first_problem(refused: ManifestError, paths: Sequence[str]) -> str:
    first = refused.diagnostics[0]
    number = Path(first.file).stem
    place = f"{paths[int(number)]}:{first.line}: " if number.isdigit() and int(number) < len(paths) else ""
    return f"{place}{first.summary}"
