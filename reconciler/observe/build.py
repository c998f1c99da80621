"""The observer that the settings ask for. What the other one needs is not imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reconciler.observe import Observer
    from reconciler.observe.exchange import DnsSettings


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


def build_observer(settings: DnsSettings | ZonefileSettings, progress: Callable[[int], None] | None = None) -> Observer:
    """The observer for the settings; `progress` is called with the number of observations done so far."""
    if isinstance(settings, ZonefileSettings):
        from reconciler.observe.zonefile import ZonefileObserver  # noqa: PLC0415 - lazy, as the module says

        return ZonefileObserver(settings.directory, settings.extension, progress)
    from reconciler.observe.dns import LiveObserver  # noqa: PLC0415 - lazy, as the module says

    return LiveObserver(settings, progress)
