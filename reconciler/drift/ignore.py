"""Ignore rules: which findings a person lets be, until when. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from reconciler.drift.finding import Finding, Resource
    from reconciler.manifest.fleet import DriftIgnore


def with_ignored(finding: Finding, rules: Iterable[DriftIgnore], today: date) -> Finding:
    """The finding, marked with the first rule that counts today and speaks of it."""
    return replace(finding, ignored_by=next((r for r in rules if r.expires >= today and _speaks_of(r, finding)), None))


def _speaks_of(rule: DriftIgnore, finding: Finding) -> bool:
    if rule.finding not in {finding.code, finding.cause.drift_class.value}:
        return False
    return rule.resource is None or (finding.resource is not None and _names(rule.resource, finding.resource))


def _names(text: str, resource: Resource) -> bool:
    name = resource.name.removesuffix(".").casefold()
    written = " ".join(text.split()).casefold().removesuffix(".")
    return written in {name, resource.type.casefold(), f"{resource.type} {name}".casefold()}
