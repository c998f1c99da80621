"""Applying many domains: writes to one server in sequence, servers side by side, each domain alone.

A domain that fails never stops another. `apply_domains` yields an outcome per domain as it comes.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING

from reconciler.apply import ApplyError, StaleError, ZoneWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from reconciler.diff import Change
    from reconciler.names import Name

_MAX_SERVERS_AT_ONCE = 8
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DomainWork:
    """The changes of one mail domain, all in one zone, in the order in which they are written."""

    domain: Name
    provider: str
    zone: Name
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one domain's work: `error` is None after a write that was read back and found right."""

    work: DomainWork
    error: ApplyError | None

    @property
    def is_stale(self) -> bool:
        """Whether nothing was written because the world had moved on."""
        return isinstance(self.error, StaleError)


def apply_domains(
    works: Sequence[DomainWork],
    build: Callable[[str], ZoneWriter],
    server_of: Callable[[str], str],
) -> Generator[Outcome, None, None]:
    """Write every domain's changes and yield the outcomes in the order in which they are finished.

    `build` makes the writer of a provider's id, and may raise `ApplyError`; it is called once for each provider in use,
    so that only their secrets are read. `server_of` names the server behind a provider's id: two providers of one
    server take turns.
    """
    by_server: dict[str, list[DomainWork]] = defaultdict(list)
    for work in works:
        by_server[server_of(work.provider)].append(work)
    outcomes: SimpleQueue[Outcome | BaseException] = SimpleQueue()
    stopping: list[bool] = []
    with ThreadPoolExecutor(max_workers=_MAX_SERVERS_AT_ONCE) as pool:
        for queue in by_server.values():
            pool.submit(_write_in_sequence, queue, build, outcomes, stopping)
        try:
            for _ in works:
                outcome = outcomes.get()
                if isinstance(outcome, BaseException):
                    raise outcome
                yield outcome
        finally:
            # an interrupted run ends after the writes that are under way, never inside one
            stopping.append(True)


def _write_in_sequence(
    works: Sequence[DomainWork],
    build: Callable[[str], ZoneWriter],
    outcomes: SimpleQueue[Outcome | BaseException],
    stopping: Sequence[bool],
) -> None:
    writers: dict[str, ZoneWriter | ApplyError] = {}
    try:
        for work in works:
            if stopping:
                return
            if work.provider not in writers:
                writers[work.provider] = _built(work.provider, build)
            outcomes.put(Outcome(work, _write(work, writers)))
    except BaseException as exc:  # noqa: BLE001 - a bug in one thread must stop the run, not vanish with the thread
        outcomes.put(exc)


def _built(provider: str, build: Callable[[str], ZoneWriter]) -> ZoneWriter | ApplyError:
    try:
        return build(provider)
    except ApplyError as exc:
        return exc


def _write(work: DomainWork, writers: Mapping[str, ZoneWriter | ApplyError]) -> ApplyError | None:
    writer = writers[work.provider]
    if isinstance(writer, ApplyError):
        return writer
    try:
        writer.write(work.zone, work.changes)
    except ApplyError as exc:
        _log.info("%s: %s", work.domain, exc)
        return exc
    return None
