"""From a revision to what is touched since: git, the manifests of then and now, and the files beside them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import reconciler.catalog
from reconciler.changed.compare import compare_fleets
from reconciler.changed.files import FileComparison
from reconciler.changed.manifests_then import UnusableManifestsError, is_manifest, load_manifests_then
from reconciler.changed.repository import Repository
from reconciler.names import Name, deepest_apex
from reconciler.settings import ZonefileSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from reconciler.catalog import Catalog
    from reconciler.changed.repository import Base
    from reconciler.errors import Diagnostic
    from reconciler.manifest.fleet import Domain, Fleet, Service, Source
    from reconciler.selection import ChangedSince
    from reconciler.settings import Settings


@dataclass(frozen=True, slots=True)
class Changes:
    """What is touched since a commit.

    `everything` says why every domain is, as sentences' parts, and is empty where only the `touched` ones are.
    `undeclared` are the domains that the commit declares and the working tree does not, each with its place there.
    """

    since: Base
    touched: frozenset[Name]
    everything: tuple[str, ...]
    undeclared: tuple[tuple[Domain, Source], ...]

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What is unusual about the commit."""
        return self.since.diagnostics


def find_changes(
    since: ChangedSince, fleet: Fleet, *, manifests: Path, settings: Settings, catalog: Catalog, today: date
) -> Changes:
    """Compare the working tree, of which `fleet` are the manifests, with a revision.

    Raises:
        RevisionError: the revision is unknown, or its commit cannot be read.

    """
    repository = Repository(manifests)
    base = repository.base_of(since.revision)
    entries = repository.entries(base.commit)
    files = FileComparison(repository.root, entries)
    everything = list(_shared_files(files, since.settings_file, settings))
    touched = _touched_by_exports(files, fleet, settings) | _touched_by_zones(files, fleet, settings, catalog)
    undeclared: tuple[tuple[Domain, Source], ...] = ()
    others = {p: e for p, e in entries.items() if is_manifest(p, repository.folder) and files.is_other(p)}
    try:
        then = load_manifests_then(repository, others, catalog, today)
    except UnusableManifestsError as exc:
        everything.append(f"its manifests are of no use ({exc}), so that what was taken out since is not known")
    else:
        compared = compare_fleets(then.fleet, fleet, _same(files, fleet))
        touched |= compared.touched
        undeclared = tuple((domain, then.place(domain.source)) for domain in compared.undeclared)
    return Changes(base, frozenset(touched), tuple(everything), undeclared)


def _same(files: FileComparison, fleet: Fleet) -> frozenset[str]:
    """The manifests that are as they were, octet by octet."""
    every = (Path(o.source.file) for o in fleet.organizations)
    return frozenset(str(path) for path in every if not files.is_changed(path.parent, path.name))


def _shared_files(files: FileComparison, settings_file: Path, settings: Settings) -> Iterator[str]:
    """What every plan is made from, and is not as it was."""
    if files.is_changed(settings_file.parent, settings_file.name):
        yield f"the settings ({settings_file}) are not the same"
    catalog = settings.catalog or Path(reconciler.catalog.__file__).with_name("catalog.yaml")
    if files.is_changed(catalog.parent, catalog.name):
        yield f"the catalog ({catalog.name}) is not the same"
    if settings.templates is not None and files.is_folder_changed(settings.templates):
        yield f"the templates ({settings.templates}) are not the same"


def _touched_by_exports(files: FileComparison, fleet: Fleet, settings: Settings) -> set[Name]:
    @cache
    def is_changed(export: str) -> bool:
        return files.is_changed(settings.directory, export)

    services = (s for o in fleet.organizations for s in o.services)
    changed = {(s.organization, s.name) for s in services if any(map(is_changed, _exports(s)))}
    return {d.name for d in fleet.domains if (d.organization, d.service) in changed}


def _exports(service: Service) -> Iterator[str]:
    rule = () if service.spam_rule is None else (service.spam_rule.export,)
    return filter(None, (*(a.export for a in service.allowlists), *rule))


def _touched_by_zones(files: FileComparison, fleet: Fleet, settings: Settings, catalog: Catalog) -> set[Name]:
    """The domains whose zone is in another master file, or in one that changed."""
    zones = settings.observe
    if not isinstance(zones, ZonefileSettings):
        return set()
    now = {path.name for path in zones.directory.iterdir()} if zones.directory.is_dir() else set()
    then = files.names_then(zones.directory)
    apexes = [{_apex(n, zones) for n in names if n.endswith(zones.extension)} for names in (now, then)]
    every = apexes[0] | apexes[1]
    changed = {apex for apex in every if files.is_changed(zones.directory, f"{apex[:-1]}{zones.extension}")}

    def holding(domain: Domain) -> set[Name | None]:
        names = (domain.name, catalog.verification_name(domain.name))
        return {domain.zone, *(deepest_apex(name, known) for name in names for known in apexes)}

    return {d.name for d in fleet.domains if not changed.isdisjoint(holding(d))}


def _apex(file: str, zones: ZonefileSettings) -> Name:
    return Name(f"{file.removesuffix(zones.extension)}.")
