"""What the model is made of: the world now, what a plan does to it, and what is found out. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Mx = tuple[tuple[int, str], ...]
"""An MX rrset: (preference, host), sorted; empty where there is none, so that the domain's own address counts."""


class Restriction(IntEnum):
    """What an origin does with mail that does not come from an address on its list."""

    NONE = 0
    SOFT = 1
    HARD = 2


@dataclass(frozen=True, slots=True)
class Gateway:
    """A host of the gateway: the addresses that it relays from, and the verification values that it needs in DNS."""

    relays: tuple[str, ...]
    needs: frozenset[str]


@dataclass(frozen=True, slots=True)
class OriginList:
    """One list of the origin: the gateway addresses that it lets in, and what it does with everybody else."""

    name: str
    allowed: frozenset[str]
    restriction: Restriction = Restriction.NONE


@dataclass(frozen=True, slots=True)
class World:
    """What moves change.

    `mx` is None where it is not known; `ttl` is its TTL in seconds, the negative one where there is no MX; `tokens` are
    the verification values that every server of the zone shows.
    """

    mx: Mx | None
    ttl: int
    tokens: frozenset[str]
    lists: tuple[OriginList, ...]


@dataclass(frozen=True, slots=True)
class Cached:
    """An MX rrset that is not shown any more and that senders may hold until then; `mx` None: any at all."""

    mx: Mx | None
    until: datetime


@dataclass(frozen=True, slots=True)
class SetMx:
    """Publishes another MX, or the same with another TTL (seconds), where it still is as before."""

    before: Mx
    after: Mx
    ttl: int

    def apply(self, world: World) -> World:
        """The world afterwards."""
        return replace(world, mx=self.after, ttl=self.ttl) if world.mx == self.before else world


@dataclass(frozen=True, slots=True)
class SetTokens:
    """Adds and removes verification values."""

    added: frozenset[str]
    removed: frozenset[str]

    def apply(self, world: World) -> World:
        """The world afterwards."""
        return replace(world, tokens=(world.tokens | self.added) - self.removed)


@dataclass(frozen=True, slots=True)
class SetList:
    """Changes one list of the origin: gateway addresses, and, if given, what becomes of everybody else."""

    name: str
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    restriction: Restriction | None = None

    def apply(self, world: World) -> World:
        """The world afterwards."""
        lists = tuple(one if one.name != self.name else self._applied(one) for one in world.lists)
        return replace(world, lists=lists)

    def _applied(self, one: OriginList) -> OriginList:
        restriction = one.restriction if self.restriction is None else self.restriction
        return OriginList(one.name, (one.allowed | self.added) - self.removed, restriction)


@dataclass(frozen=True, slots=True)
class Move:
    """What one step of a plan does to the world.

    `is_open`: somebody may do it now, or at `not_before`; else it is done when everything before it is, and not before
    `not_before`. `is_excused`: a person answers for what it does, so that it is never to blame.
    """

    id: str
    phase: str
    effect: SetMx | SetTokens | SetList
    is_open: bool
    not_before: datetime | None = None
    is_excused: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """The world now, and what a plan would do to it, in the plan's order.

    `gateways` are the gateway's hosts; `next_hops` the origin's, of which `looping` lead to the gateway itself;
    `known_hosts` are further mail servers of the domain. Times are aware.
    """

    domain: str
    now: datetime
    world: World
    gateways: Mapping[str, Gateway]
    next_hops: tuple[str, ...]
    moves: tuple[Move, ...]
    cached: tuple[Cached, ...] = ()
    looping: frozenset[str] = field(default_factory=frozenset)
    known_hosts: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Failure:
    """How mail is lost: by which step, the earliest moment, the MX that a sender then holds, and what becomes of it.

    `text` is all of it in one sentence.
    """

    step: str
    moment: datetime
    mx: str
    fate: str

    @property
    def text(self) -> str:
        """The sentence; names in it come from DNS and are to be escaped where they are shown."""
        when = self.moment.isoformat(timespec="minutes")
        return f"after {self.step}, at {when}, a sender that holds {self.mx} loses mail: {self.fate}"


@dataclass(frozen=True, slots=True)
class Proof:
    """That a plan loses no mail, with one line for each phase that changes something; or how it would."""

    lines: tuple[str, ...] = ()
    failure: Failure | None = None

    @property
    def is_ok(self) -> bool:
        """Whether no mail is lost."""
        return self.failure is None
