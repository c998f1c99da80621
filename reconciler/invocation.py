"""What every verb needs: where the manifests are, the settings and catalog in force, the time, and the commit."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from reconciler.catalog import load_catalog
from reconciler.errors import Diagnostic, Severity
from reconciler.settings import DnsSettings, OfflineSettings, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from reconciler.catalog import Catalog
    from reconciler.settings import Settings

_QUICK_LOOK: Final = timedelta(minutes=1)  # far below what every wait has added for settling


def _nothing(_text: str) -> None:
    """Nobody listens."""


class Progress(Protocol):
    """Shows how far a long piece of work is, where somebody is looking."""

    def __call__(self, what: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
        """A context whose value is called with how many of `total` are done."""
        ...


@dataclass(frozen=True, slots=True)
class Invocation:
    """What every verb needs.

    `holder` is who runs, for the journal: user, host and process, or the name of a CI run. `say` tells a person who
    waits why. `started` is the monotonic time that `now` stands for. Where `is_offline` nobody is asked anything. What
    earlier runs saw of mail servers and policies counts only with `are_kept_probes_used`: never for who writes.
    """

    manifests: Path
    settings: Settings
    catalog: Catalog
    now: datetime
    commit: str | None
    progress: Progress
    holder: str = "somebody"
    say: Callable[[str], None] = _nothing
    started: float = field(default_factory=time.monotonic)
    is_offline: bool = False
    are_kept_probes_used: bool = False

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What whoever reads the result must know of how it was made."""
        if not isinstance(self.settings.observe, OfflineSettings):
            return ()
        summary = "nobody was asked (--offline): what is there is not known, and only what is declared is shown"
        detail = "Plan without --offline, which asks DNS and mail servers, to see what would be done."
        return (Diagnostic(Severity.ADVISORY, "offline", summary, detail),)

    def moment(self) -> datetime:
        """The time by now: the run's own, and what has passed since it began."""
        return self.now + timedelta(seconds=time.monotonic() - self.started)

    def looked_at(self) -> datetime:
        """The time that a look of this run has for those who wait since: never long before anything was seen.

        Of a quick look it is the run's own. A long one, with many shards or slow servers, may have seen something only
        at its end, and a wait that counts from its beginning would be too short.
        """
        now = self.moment()
        return self.now if now - self.now < _QUICK_LOOK else now

    def offline(self) -> Invocation:
        """The same without any network: files are read as ever, and what only a network tells is unknown."""
        observe = self.settings.observe
        if isinstance(observe, DnsSettings):
            observe = OfflineSettings("not asked: --offline")
        return replace(self, settings=self.settings._replace(observe=observe), is_offline=True)

    def with_kept_probes(self) -> Invocation:
        """The same for who only looks: good results of probes that the settings' cache has are not asked for again."""
        return replace(self, are_kept_probes_used=True)

    def sharing(self, count: int) -> Invocation:
        """The same as one of `count` that look at the same time: together they ask nobody faster than one would."""
        settings = self.settings
        if isinstance(settings.observe, DnsSettings):
            settings = settings._replace(observe=settings.observe._replace(share=count))
        probes = settings.probes
        at_once = max(1, probes.per_address // count)
        spacing = probes.spacing * count
        probes = replace(probes, per_address=at_once, spacing=spacing)
        return replace(self, settings=settings._replace(probes=probes))

    def later(self) -> Invocation:
        """The same, begun now."""
        return replace(self, now=self.moment(), started=time.monotonic())


def open_invocation(  # noqa: PLR0913 - what the command line has to say
    *,
    manifests: Path,
    settings_file: Path,
    is_settings_required: bool,
    now: datetime,
    commit: str | None,
    progress: Progress,
    holder: str = "somebody",
    say: Callable[[str], None] = _nothing,
) -> Invocation:
    """Read the settings and the catalog that they name."""
    settings = load_settings(settings_file, required=is_settings_required)
    return Invocation(manifests, settings, load_catalog(settings.catalog), now, commit, progress, holder, say)
