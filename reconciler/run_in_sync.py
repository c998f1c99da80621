"""The beginning of `drift`, and all of it where a fleet is in sync: nothing is planned, and no document is made.

What planning, proving and documents need takes longer to import than ten thousand mail domains take to be settled at
sight. It is imported when something is found that has to be told; nobody is asked twice for it.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from reconciler.memory import open_memory
from reconciler.observing import Begun, observe_domains, with_histories
from reconciler.orphans import find_orphans
from reconciler.run_validate import validate
from reconciler.selection import select_domains
from reconciler.settled import SettledAtSight

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.drift import DriftDocument
    from reconciler.errors import Diagnostic
    from reconciler.invocation import Invocation
    from reconciler.manifest.fleet import Domain, Fleet
    from reconciler.memory import Memory
    from reconciler.selection import Selection


class InSync(NamedTuple):
    """Each of so many mail domains is as declared, and there is nothing to be told."""

    domains: int


def drift_unless_in_sync(invocation: Invocation, selection: Selection) -> DriftDocument | InSync:
    """What `run_drift.drift` finds; without its document where that would tell of nothing.

    Where origins are planned, with all of their mail domains, and of a part of a fleet, there always is a document.

    Raises:
        ManifestError: the manifests, ignore rules included, cannot be used.
        JournalError: the journal cannot be read.

    """
    invocation = invocation.with_kept_probes()
    with open_memory(invocation.settings) as memory:
        declared = validate(invocation, ())
        begun = Begun(declared, None)
        if selection.shard is None and selection.changed_since is None and not _has_origins(declared[0]):
            domains = select_domains(declared[0], selection)
            has_settled = SettledAtSight(invocation.catalog).has_settled
            unsettled = with_histories(observe_domains(invocation, domains), memory.histories, has_settled)
            first = next(unsettled, None)
            if first is None and not any(_told(invocation, declared, domains, selection, memory)):
                return InSync(len(domains))
            begun = Begun(declared, unsettled if first is None else chain([first], unsettled))
        from reconciler.run_drift import drift_begun  # noqa: PLC0415 - as the module says

        return drift_begun(invocation, selection, memory, begun)


def _has_origins(fleet: Fleet) -> bool:
    return any(s.allowlists or s.spam_rule for o in fleet.organizations for s in o.services)


def _told(
    invocation: Invocation,
    declared: tuple[Fleet, list[Diagnostic]],
    domains: Sequence[Domain],
    selection: Selection,
    memory: Memory,
) -> Iterator[Diagnostic]:
    """What a plan of settled mail domains tells; limits, a freeze and the kill switch hold nothing of it."""
    fleet, diagnostics = declared
    read = {domain.source.file for domain in domains} if diagnostics else set()
    yield from (d for d in diagnostics if d.file in read)
    yield from memory.diagnostics
    if selection.is_everything:
        yield from find_orphans(fleet, memory.known_domains())
    yield from invocation.diagnostics
