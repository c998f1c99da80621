"""The shell of `validate`: manifests to a fleet, offline; every other verb begins with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import Diagnostic, ManifestError, Severity, sorted_diagnostics
from reconciler.manifest.fleet import MANUAL_PROVIDER
from reconciler.manifest.load import load_manifests, validate_paths
from reconciler.names import display_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reconciler.invocation import Invocation
    from reconciler.manifest.fleet import Domain, Fleet
    from reconciler.settings import Settings


def validate(invocation: Invocation, paths: Sequence[Path]) -> tuple[Fleet, list[Diagnostic]]:
    """Check manifests offline; without paths the whole tree."""
    today = invocation.now.date()
    if paths:
        return validate_paths(list(paths), catalog=invocation.catalog, today=today)
    return load_manifests(invocation.manifests, catalog=invocation.catalog, today=today)


def provider_of(domain: Domain, settings: Settings) -> str:
    """The name of the provider that writes a domain's zone."""
    return domain.provider or settings.default_provider


def check_providers(fleet: Fleet, settings: Settings) -> None:
    """Raise ManifestError when a domain's provider is not in the settings."""
    known = {MANUAL_PROVIDER, *settings.providers}
    wrong = [
        Diagnostic(
            Severity.ERROR,
            "unknown-provider",
            f"provider {provider_of(domain, settings)!r} is not in the settings",
            f"Use one of {', '.join(sorted(known))}, or add its octoDNS block under `providers:`.",
            domain.source.file,
            domain.source.line,
            domain=display_name(domain.name),
        )
        for domain in fleet.domains
        if provider_of(domain, settings) not in known
    ]
    if wrong:
        raise ManifestError(sorted_diagnostics(wrong))
