"""Mail domains that left the manifests without off-boarding: reported, and never touched. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import Diagnostic, Severity
from reconciler.names import display_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime
    from typing import Protocol

    from reconciler.manifest.fleet import Fleet
    from reconciler.names import Name

    class KnownDomain(Protocol):
        """What the journal knows of a mail domain."""

        @property
        def organization(self) -> str:
            """The organization that declared it last."""
            ...

        @property
        def is_gone(self) -> bool:
            """Whether it had left the gateway when it was last seen."""
            ...

        @property
        def is_switched(self) -> bool:
            """Whether its mail went through the gateway when it was last seen."""
            ...

        @property
        def written(self) -> Collection[object]:
            """The values that were written and not removed since."""
            ...

        @property
        def last_seen(self) -> datetime:
            """When a run last looked at it."""
            ...


def find_orphans(fleet: Fleet, known: Mapping[Name, KnownDomain]) -> Iterable[Diagnostic]:
    """A warning for each domain that the journal knows to be connected and that no manifest declares."""
    declared = {d.name for d in fleet.domains}
    for name in sorted(known.keys() - declared):
        domain = known[name]
        if domain.is_gone or not (domain.is_switched or domain.written):
            continue
        shown = display_name(name)
        yield Diagnostic(
            Severity.WARNING,
            "orphaned",
            f"{shown} is declared no more, and was never off-boarded: its MX and values stay as they are",
            f"Declare it again in {domain.organization} with `lifecycle: offboarded` until the plan says that it is "
            f"gone. It was last looked at on {domain.last_seen.date().isoformat()}.",
            domain=shown,
        )
