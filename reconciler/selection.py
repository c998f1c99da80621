"""Which declared domains a verb is about. Pure."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import Diagnostic, ManifestError, Severity, sorted_diagnostics
from reconciler.names import InvalidNameError, canonical_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.manifest.fleet import Domain, Fleet


@dataclass(frozen=True, slots=True)
class Selection:
    """Which declared domains a verb is about; both empty: all of them."""

    domains: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether nothing was chosen, and so everything is meant."""
        return not self.domains and not self.organizations


def select_domains(fleet: Fleet, selection: Selection) -> tuple[Domain, ...]:
    """The declared domains that a verb is about.

    Raises:
        ManifestError: something that is selected is not declared.

    """
    if selection.is_everything:
        return fleet.domains
    names = {_canonical_or_same(n) for n in selection.domains}
    organizations = set(selection.organizations)
    missing = [
        *_not_declared("domain", names, {d.name for d in fleet.domains}),
        *_not_declared("organization", organizations, {o.name for o in fleet.organizations}),
    ]
    if missing:
        raise ManifestError(sorted_diagnostics(missing))
    return tuple(d for d in fleet.domains if d.name in names or d.organization in organizations)


def _canonical_or_same(text: str) -> str:
    try:
        return canonical_name(text)
    except InvalidNameError:
        return text


def _not_declared(what: str, wanted: Iterable[str], declared: Iterable[str]) -> list[Diagnostic]:
    declared = set(declared)
    found = []
    for name in sorted(set(wanted) - declared):
        near = difflib.get_close_matches(name, declared, n=1)
        hint = (
            f"Did you mean {near[0].removesuffix('.')}?" if near else "Look at the manifests, or leave the option out."
        )
        found.append(
            Diagnostic(
                Severity.ERROR, f"no-such-{what}", f"no manifest declares {what} {name.removesuffix('.')!r}", hint
            )
        )
    return found
