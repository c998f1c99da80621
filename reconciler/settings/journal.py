"""The journal's URL to open: the secret that it does not say, put in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import SettingsError, error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.settings.values import JournalSettings


def journal_url(journal: JournalSettings, environment: Mapping[str, str]) -> str:
    """The URL to open, with the password out of the environment in it: never print it.

    Raises:
        SettingsError: the variable of the password is not set, or empty.

    """
    if journal.password is None:
        return journal.url
    name = journal.password.removeprefix("env/")
    password = environment.get(name)
    if not password:
        summary = f"the journal's password is in {name}, which is not set here"
        raise SettingsError([error("journal-password", summary, f"Set {name} in the environment of this run.")])
    from sqlalchemy.engine import make_url  # noqa: PLC0415 - it takes long to import, and SQLite needs none of it here

    return make_url(journal.url).set(password=password).render_as_string(hide_password=False)
