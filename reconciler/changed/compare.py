"""What two fleets declare, compared by meaning. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.declaration import Declarations
from reconciler.manifest.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.manifest.fleet import Domain
    from reconciler.names import Name


@dataclass(frozen=True, slots=True)
class Comparison:
    """`touched` are the declared domains of which something changed; `undeclared` those that are declared no more."""

    touched: frozenset[Name]
    undeclared: tuple[Domain, ...]


def compare_fleets(then: Fleet, now: Fleet, same: Collection[str] = frozenset()) -> Comparison:
    """What is declared otherwise than it was, or was not at all; a service's change is one of all its domains.

    `same` are the files whose organizations are known to be declared now as they were; `then` can do without them.
    """
    declared_then = _digests(then)
    declared_now = _digests(Fleet(tuple(o for o in now.organizations if o.source.file not in same), now.digest))
    touched = {name for name, digest in declared_now.items() if declared_then.get(name) != digest}
    names = {d.name for d in now.domains}
    return Comparison(frozenset(touched), tuple(d for d in then.domains if d.name not in names))


def _digests(fleet: Fleet) -> dict[Name, str]:
    declarations = Declarations(fleet)
    return {domain.name: declarations.of_domain(domain) for domain in fleet.domains}
