"""What every verb opens: the settings, the catalog, the time and the commit; and the domains that it is about."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.cli.parser import DEFAULT_SETTINGS
from reconciler.console import progress, say

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from reconciler.invocation import Invocation
    from reconciler.selection import Selection


def opened(
    arguments: argparse.Namespace, *, is_about_manifests_alone: bool = False, reads_manifests: bool = True
) -> Invocation:
    """What the options before the verb say; who runs and at which commit matters where more than manifests do.

    Raises:
        SettingsError: the settings have errors; all of them, and those of the manifests where the verb reads them.

    """
    from reconciler.errors import SettingsError, sorted_diagnostics  # noqa: PLC0415 - keeps `--help` quick
    from reconciler.invocation import open_invocation  # noqa: PLC0415 - likewise

    settings, now = arguments.settings or DEFAULT_SETTINGS, arguments.now or datetime.now(UTC)
    try:
        return open_invocation(
            manifests=arguments.manifests,
            settings_file=settings,
            is_settings_required=arguments.settings is not None,
            now=now,
            commit=None if is_about_manifests_alone else _commit_of(arguments.manifests),
            progress=progress,
            holder="nobody" if is_about_manifests_alone else _holder(),
            say=say,
        )
    except SettingsError as exc:
        from reconciler.run_validate import errors_beside  # noqa: PLC0415 - for errors alone

        paths = arguments.paths if is_about_manifests_alone else ()
        manifests = arguments.manifests if reads_manifests else None
        beside = errors_beside(exc, settings, manifests, paths, now.date())
        raise SettingsError(sorted_diagnostics([*exc.diagnostics, *beside])) from exc


def _commit_of(manifests: Path) -> str | None:
    from reconciler.commit import commit_of  # noqa: PLC0415 - as above

    return commit_of(manifests)


def _holder() -> str:
    from reconciler.holder import name_of_this_run  # noqa: PLC0415 - as above

    return name_of_this_run(os.environ)


def selected(arguments: argparse.Namespace) -> Selection:
    """The domains that `--domain` and `--organization` choose, of these what is touched, and of that the shard."""
    from reconciler.selection import ChangedSince, Selection  # noqa: PLC0415

    revision = getattr(arguments, "changed_since", None)  # only the verbs that have the option
    since = None if revision is None else ChangedSince(revision, arguments.settings or DEFAULT_SETTINGS)
    shard = getattr(arguments, "shard", None)  # likewise
    return Selection(tuple(arguments.domain), tuple(arguments.organization), since, shard)
