"""What is remembered between runs, to read from: the journal, or nothing where there is none yet."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from reconciler.errors import Diagnostic, Severity
from reconciler.settings import journal_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.history import History
    from reconciler.journal.entries import DriftCounts, Event, ReviewedPlan, Told
    from reconciler.names import Name
    from reconciler.orphans import KnownDomain
    from reconciler.settings import Settings


_SQLITE = "sqlite:///"
_NOT_ASKED = Diagnostic(
    Severity.ADVISORY,
    "journal-not-asked",
    "the journal is in a database that was not asked (--offline): nothing is remembered here",
    "Plan without --offline to see what depends on what was done and seen before.",
)


class Memory(Protocol):
    """What is remembered from earlier runs."""

    @property
    def diagnostics(self) -> Sequence[Diagnostic]:
        """What is unusual about it."""
        ...

    @property
    def mark(self) -> str:
        """Which journal it is, and how often it had been written to; empty where there is none."""
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

    def is_plan_used(self, plan_id: str) -> bool:
        """Whether a saved plan was applied before, and may not be again."""
        ...

    def told(self) -> Sequence[Told]:
        """What people were told by notifications, oldest first."""
        ...

    def drift_counts(self) -> Sequence[DriftCounts]:
        """How much drift the recorded looks found, oldest first."""
        ...


class NoMemory:
    """Where nothing is remembered, or what is cannot be asked; `diagnostics` says so."""

    mark = ""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        """Keep what is unusual about it."""
        self.diagnostics: Sequence[Diagnostic] = diagnostics

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

    def is_plan_used(self, plan_id: str) -> bool:
        """As far as anybody knows it was not."""
        del plan_id
        return False

    def told(self) -> Sequence[Told]:
        """Nothing."""
        return ()

    def drift_counts(self) -> Sequence[DriftCounts]:
        """Nobody looked."""
        return ()


@contextmanager
def open_memory(settings: Settings, *, is_offline: bool = False) -> Iterator[Memory]:
    """The journal of the settings, to read from: nothing is created, changed or locked.

    Where `is_offline` a database that is reached by a network is not asked.

    Raises:
        JournalError: it cannot be read, is damaged, or of a newer version.
        SettingsError: its password is not set in the environment.

    """
    if is_offline and not settings.journal.url.startswith(_SQLITE):
        yield NoMemory(_NOT_ASKED)
        return
    url = journal_url(settings.journal, os.environ)
    path = url.removeprefix(_SQLITE)
    if path != url and not (settings.directory / path).exists():
        yield NoMemory()
        return
    from reconciler.journal import read_journal  # noqa: PLC0415 - SQLAlchemy, only where there is a journal to be read

    with read_journal(url, directory=settings.directory, state_directory=settings.state_directory) as reader:
        yield reader
