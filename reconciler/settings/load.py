"""Loading the settings; where there is no file, nothing that reads one is even imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.errors import SettingsError, error
from reconciler.settings.values import default_settings
from reconciler.strict_yaml import MAX_OCTETS

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.settings.values import Settings


def load_settings(path: Path, *, required: bool) -> Settings:
    """The settings in a file; the defaults when there is none and it is not `required`.

    Raises:
        SettingsError: it is missing, cannot be read, or has errors; every error, with its place.

    """
    try:
        with path.open("rb") as stream:
            octets = stream.read(MAX_OCTETS + 1)
    except FileNotFoundError as exc:
        if required:
            detail = "Create it, or name another with --settings."
            raise SettingsError([error("settings-missing", "there is no such file", detail, file=str(path))]) from exc
        return default_settings(path.parent)
    except OSError as exc:
        summary = f"the settings cannot be read: {exc.strerror}"
        detail = "Make it readable, or name another with --settings."
        raise SettingsError([error("settings-unreadable", summary, detail, file=str(path))]) from exc
    from reconciler.settings.build import read_settings  # noqa: PLC0415 - no file needs none of it

    return read_settings(octets, path)


def settings_schema() -> dict[str, Any]:
    """The JSON Schema of the settings file, for editors."""
    from reconciler.settings.modelled import build_schema  # noqa: PLC0415 - models, which no run needs

    return build_schema()
