"""One zone in authoritative DNS: a primary that is written to, and secondaries that follow after a lag.

A secondary transfers the zone as a whole and in order (RFC 5936), so that it shows what the primary showed some time
ago, never a mixture.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simulator.clock import Clock

Key = tuple[str, str]
"""An owner name and a type, as in ("acme.example.", "MX")."""


class Records(NamedTuple):
    """An rrset's rdatas, as a set of their texts, and its TTL in seconds; no rdatas: no such rrset."""

    rdatas: frozenset[str]
    ttl: int


ABSENT = Records(frozenset(), 0)


@dataclass(frozen=True, slots=True)
class Write:
    """One write to the primary that was carried out."""

    when: int
    key: Key
    before: Records
    after: Records
    by: str


class WrongExpectationError(Exception):
    """The rrset is not what the writer expected: nothing was written."""


@dataclass
class Zone:
    """A zone; `contents` is what each server shows now, the primary's first."""

    clock: Clock
    apex: str
    server_names: tuple[str, ...]
    contents: list[Mapping[Key, Records]]
    lags: list[int]
    writes: list[Write] = field(default_factory=list)
    observers: list[Callable[[int, Mapping[Key, Records]], None]] = field(default_factory=list)
    _serials: list[int] = field(default_factory=list)
    _serial: int = 0

    def __post_init__(self) -> None:
        """All servers begin with the same serial."""
        self._serials = [0] * len(self.contents)

    def shown(self, server: int, key: Key) -> Records:
        """What one server answers."""
        return self.contents[server].get(key, ABSENT)

    def is_shown_everywhere(self, key: Key, rdata: str) -> bool:
        """Whether every server shows the value."""
        return all(rdata in content.get(key, ABSENT).rdatas for content in self.contents)

    def write(self, key: Key, expected: Records | None, wanted: Records, by: str) -> None:
        """Compare and swap at the primary (RFC 2136 section 2.4); `expected` None writes whatever is there.

        Raises:
            WrongExpectationError: there is something else than expected.

        """
        before = self.shown(0, key)
        if expected is not None and before != expected:
            message = f"{key}: expected {expected}, found {before}"
            raise WrongExpectationError(message)
        after = wanted if wanted.rdatas else ABSENT
        self.writes.append(Write(self.clock.now, key, before, after, by))
        self._serial += 1
        content = {**self.contents[0], key: after}
        self._show(0, self._serial, content)
        for server in range(1, len(self.contents)):
            self._transfer_later(server, self._serial, content)

    def _transfer_later(self, server: int, serial: int, content: Mapping[Key, Records]) -> None:
        self.clock.schedule(self.clock.now + self.lags[server], lambda: self._show(server, serial, content))

    def _show(self, server: int, serial: int, content: Mapping[Key, Records]) -> None:
        if serial > self._serials[server] or server == 0:
            self._serials[server] = serial
            self.contents[server] = content
            for observer in self.observers:
                observer(server, content)
