"""From a directory of manifests to a fleet, or to every error in all of them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.collector import paused_collection
from reconciler.errors import Diagnostic, ManifestError, Severity, error, sorted_diagnostics
from reconciler.manifest.declared import read_declared
from reconciler.manifest.files import Found, ManifestFile, TreeDigest, find_manifests, find_named, read_octets
from reconciler.manifest.findings import Context, Findings
from reconciler.manifest.fleet import Fleet, Organization
from reconciler.manifest.resolve import build_organization
from reconciler.manifest.rules import KNOWN_GATES
from reconciler.strict_yaml import load_yaml

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from reconciler.catalog import Catalog

Loaded = tuple[Fleet, list[Diagnostic]]


def load_manifests(
    directory: Path,
    *,
    catalog: Catalog,
    today: date,
    known_gates: frozenset[str] = KNOWN_GATES,
    tolerated: frozenset[str] = frozenset(),
    providers: frozenset[str] | None = None,
) -> Loaded:
    """All manifests below a directory, with warnings and advisories, sorted.

    `today` decides what has expired; `known_gates` are the ids that a waiver may name; `tolerated` are the codes of
    rules whose errors are warnings here, for a caller that can do without what they ask for; `providers` are those that
    may be named, any where None.

    Raises:
        ManifestError: every error of every file, sorted, warnings and advisories after them.

    """
    context = Context(catalog, today, known_gates, providers)
    return _load(find_manifests(directory), str(directory), context, tolerated)


def validate_paths(
    paths: Sequence[Path],
    *,
    catalog: Catalog,
    today: date,
    known_gates: frozenset[str] = KNOWN_GATES,
    providers: frozenset[str] | None = None,
) -> Loaded:
    """As `load_manifests`, for files and directories; rules across files hold over what is named."""
    return _load(find_named(paths), str(paths[0]) if paths else "", Context(catalog, today, known_gates, providers))


def _load(found: Found, named: str, context: Context, tolerated: frozenset[str] = frozenset()) -> Loaded:
    organizations: list[Organization] = []
    diagnostics = list(found.diagnostics)
    digest = TreeDigest()
    with paused_collection():
        for file in found.files:
            octets, unreadable = read_octets(file)
            if unreadable is not None:
                diagnostics.append(unreadable)
                continue
            digest.add(file.relative, octets)
            organization, said = _load_file(file, octets, context)
            diagnostics += (d._replace(severity=Severity.WARNING) if d.code in tolerated else d for d in said)
            if organization is not None:
                organizations.append(organization)
    if not any(d.severity is Severity.ERROR for d in diagnostics):
        diagnostics += _refuse_empty(found, organizations, named)
    diagnostics = sorted_diagnostics(diagnostics)
    if any(d.severity is Severity.ERROR for d in diagnostics):
        raise ManifestError(diagnostics)
    return Fleet(tuple(organizations), str(digest)), diagnostics


def _load_file(file: ManifestFile, octets: bytes, context: Context) -> tuple[Organization | None, list[Diagnostic]]:
    document = load_yaml(octets, file.file)
    if document.data is None:
        return None, list(document.diagnostics)
    declared, refused = read_declared(document)
    said = [*document.diagnostics, *refused]
    if declared is None:
        return None, said
    findings = Findings(document, declared.refused)
    organization = build_organization(declared, context, findings)
    return organization, said + findings.diagnostics


def _refuse_empty(found: Found, organizations: Sequence[Organization], named: str) -> list[Diagnostic]:
    """Nothing declared is never a wish: it is a wrong path, a failed checkout, or a mistake."""
    if not found.files:
        detail = "Nothing is planned from nothing. Put manifests (*.yaml) there, or correct the path."
        return [error("no-manifests", "there is no manifest", detail, file=named)]
    if not any(o.domains for o in organizations):
        detail = "Nothing is planned from nothing. Declare a domain in one of the manifests."
        return [error("no-domains", "no manifest declares a domain", detail, file=named)]
    return []
