"""The observer that the settings ask for. What the others need is not imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reconciler.observe import Observer
    from reconciler.observe.exchange import DnsSettings

    ObserveSettings: TypeAlias = "DnsSettings | ZonefileSettings | OfflineSettings"


@runtime_checkable
class ZonefileSettings(Protocol):
    """What the settings say about master files: their folder, and what follows a zone's name in a file's name."""

    @property
    def directory(self) -> Path:
        """The folder."""
        ...

    @property
    def extension(self) -> str:
        """As in `.zone`."""
        ...


@runtime_checkable
class OfflineSettings(Protocol):
    """Nobody is to be asked, and why."""

    @property
    def why(self) -> str:
        """One sentence for people, told of each rrset."""
        ...


def build_observer(settings: ObserveSettings, progress: Callable[[int], None] | None = None) -> Observer:
    """The observer for the settings; `progress` is called with the number of observations done so far."""
    if isinstance(settings, OfflineSettings):
        from reconciler.observe.offline import OfflineObserver  # noqa: PLC0415 - lazy, as the module says

        return OfflineObserver(settings.why, progress)
    if isinstance(settings, ZonefileSettings):
        from reconciler.observe.zonefile import ZonefileObserver  # noqa: PLC0415 - lazy, as the module says

        return ZonefileObserver(settings.directory, settings.extension, progress)
    from reconciler.observe.dns import LiveObserver  # noqa: PLC0415 - lazy, as the module says

    return LiveObserver(settings, progress)
