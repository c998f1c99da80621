"""The shell of `validate`: manifests to a fleet, offline; every other verb begins with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.catalog import load_catalog
from reconciler.errors import Diagnostic, ManifestError, SettingsError, Severity
from reconciler.manifest.fleet import MANUAL_PROVIDER
from reconciler.manifest.load import load_manifests, validate_paths
from reconciler.strict_yaml import MAX_OCTETS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from reconciler.catalog import Catalog
    from reconciler.invocation import Invocation
    from reconciler.manifest.fleet import Domain, Fleet
    from reconciler.settings import Settings

_BY_CATALOG = frozenset(
    {"gateway-domain", "multi-region-connection", "next-hop-gateway", "region", "residency", "verification-name"}
)
"""The codes of what another catalog may see otherwise."""


def validate(invocation: Invocation, paths: Sequence[Path]) -> tuple[Fleet, list[Diagnostic]]:
    """Check manifests offline; without paths the whole tree."""
    providers = frozenset((MANUAL_PROVIDER, *invocation.settings.providers))
    return _loaded(invocation.manifests, paths, invocation.catalog, invocation.now.date(), providers)


def _loaded(
    manifests: Path, paths: Sequence[Path], catalog: Catalog, today: date, providers: frozenset[str] | None
) -> tuple[Fleet, list[Diagnostic]]:
    if paths:
        return validate_paths(list(paths), catalog=catalog, today=today, providers=providers)
    return load_manifests(manifests, catalog=catalog, today=today, providers=providers)


def errors_beside(
    refused: SettingsError, settings_file: Path, manifests: Path | None, paths: Sequence[Path], today: date
) -> list[Diagnostic]:
    """The errors of the catalog and the manifests whose settings have errors, as far as they do not depend on those.

    Which providers there are nobody knows then. Where it is not known either which catalog counts, by the shipped one
    is judged what any catalog says alike. Without `manifests` nothing is said of them.
    """
    catalog, unjudged, found = load_catalog(), frozenset[str](), list[Diagnostic]()
    if refused.catalog is not None:
        try:
            catalog = load_catalog(refused.catalog)
        except SettingsError as exc:
            unjudged, found = _BY_CATALOG, list(exc.diagnostics)
    elif _may_name_catalog(settings_file):
        unjudged = _BY_CATALOG
    if manifests is None or not (paths or manifests.is_dir()):
        return found
    try:
        _loaded(manifests, paths, catalog, today, None)
    except ManifestError as exc:
        found += (d for d in exc.diagnostics if d.severity is Severity.ERROR and d.code not in unjudged)
    return found


def _may_name_catalog(settings_file: Path) -> bool:
    try:
        with settings_file.open("rb") as stream:
            octets = stream.read(MAX_OCTETS)
    except OSError:
        return True
    return b"catalog" in octets or b"\\" in octets or b"\0" in octets  # also by an escape, or in UTF-16


def provider_of(domain: Domain, settings: Settings) -> str:
    """The name of the provider that writes a domain's zone."""
    return domain.provider or settings.default_provider
