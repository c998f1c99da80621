"""What is remembered between runs, to read from: the journal, or nothing where there is none yet."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from reconciler.settings import journal_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.errors import Diagnostic
    from reconciler.history import History
    from reconciler.journal.entries import DriftCounts, Event, ReviewedPlan, Told
    from reconciler.names import Name
    from reconciler.orphans import KnownDomain
    from reconciler.settings import Settings


_SQLITE = "sqlite:///"


class Memory(Protocol):
    """What is remembered from earlier runs."""

    @property
    def diagnostics(self) -> Sequence[Diagnostic]:
        """What is unusual about it."""
        ...

    def histories(self, names: Iterable[Name]) -> Mapping[Name, History]:
        """The history of every domain that was ever seen."""
        ...

    def known_domains(self) -> Mapping[Name, KnownDomain]:
        """Every domain that the program knows, declared or not."""
        ...

    def timelines(self, names: Iterable[Name]) -> Mapping[Name, Sequence[Event]]:
        """What happened to these domains, oldest first."""
        ...

    def reviewed_plans(self) -> Sequence[ReviewedPlan]:
        """The reviewed plans of which steps are held, oldest first."""
        ...

    def told(self) -> Sequence[Told]:
        """What people were told by notifications, oldest first."""
        ...

    def drift_counts(self) -> Sequence[DriftCounts]:
        """How much drift the recorded looks found, oldest first."""
        ...


class NoMemory:
    """Where nothing is remembered."""

    diagnostics: Sequence[Diagnostic] = ()

    def histories(self, names: Iterable[Name]) -> Mapping[Name, History]:
        """No history."""
        del names
        return {}

    def known_domains(self) -> Mapping[Name, KnownDomain]:
        """No domain."""
        return {}

    def timelines(self, names: Iterable[Name]) -> Mapping[Name, Sequence[Event]]:
        """Nothing that happened."""
        del names
        return {}

    def reviewed_plans(self) -> Sequence[ReviewedPlan]:
        """No plan."""
        return ()

    def told(self) -> Sequence[Told]:
        """Nothing."""
        return ()

    def drift_counts(self) -> Sequence[DriftCounts]:
        """Nobody looked."""
        return ()


@contextmanager
def open_memory(settings: Settings) -> Iterator[Memory]:
    """The journal of the settings, to read from: nothing is created, changed or locked.

    Raises:
        JournalError: it cannot be read, is damaged, or of a newer version.
        SettingsError: its password is not set in the environment.

    """
    url = journal_url(settings.journal, os.environ)
    path = url.removeprefix(_SQLITE)
    if path != url and not (settings.directory / path).exists():
        yield NoMemory()
        return
    from reconciler.journal import read_journal  # noqa: PLC0415 - SQLAlchemy, only where there is a journal to be read

    with read_journal(url, directory=settings.directory, state_directory=settings.state_directory) as reader:
        yield reader
