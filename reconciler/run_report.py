"""The shell of `report`: look as `drift` does, read the journal, write the page. Nothing is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.decide import Wanted
from reconciler.memory import open_memory
from reconciler.run import plan_with_origins
from reconciler.run_drift import drift_of
from reconciler.site import Seen, build_site, find_coverage, write_site

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.invocation import Invocation
    from reconciler.selection import Selection


def report(invocation: Invocation, selection: Selection, folder: Path) -> int:
    """Write the page of the fleet, or of a part of it, into a folder; returns how many files it has.

    Raises:
        ManifestError: the manifests cannot be used.
        JournalError: the journal cannot be read.
        EmitError: the folder has files of somebody else, or a template cannot be used.

    """
    files = build_site(look(invocation, selection), invocation.settings.templates)
    write_site(folder, files)
    return len(files)


def look(invocation: Invocation, selection: Selection) -> Seen:
    """Everything that the page is made from."""
    with open_memory(invocation.settings) as memory:
        wanted = Wanted(facts=True, seen=False)
        planned = plan_with_origins(invocation.with_kept_probes(), selection, memory, wanted=wanted)
        return Seen(
            plan=planned.document,
            drift=drift_of(invocation, planned, memory),
            domains=planned.domains,
            gateway=invocation.catalog.gateway,
            coverage=tuple(find_coverage(planned.facts)),
            timelines=memory.timelines([domain.name for domain in planned.domains]),
            counts=memory.drift_counts(),
            is_whole=selection.is_everything,
        )
