"""An origin: the mail servers behind the gateway, and the lists before them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Refusal(IntEnum):
    """What a restricting list does with everybody who is not on it: lets them in, replies 4xx, or replies 5xx."""

    NONE = 0
    SOFT = 1
    HARD = 2


class Reception(IntEnum):
    """What becomes of one delivery to an origin, from good to bad.

    `SORTED_OUT`: the server takes it and its filter throws it away, or its limits turn it down, because nobody told it
    that this client is the gateway.
    """

    ACCEPTED = 0
    DEFERRED = 1
    SORTED_OUT = 2
    REFUSED = 3


@cache
def _stands_for(entry: str, address: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(entry)


@dataclass
class OriginList:
    """One list: the entries as written.

    `is_exported` where the program can read it, `shows_refusal` where it can read too what becomes of others; what it
    cannot read, people vouch for. `hardest` is the refusal that is declared.
    """

    name: str
    target: str
    restricts: bool
    is_exported: bool
    foreign: tuple[str, ...]
    hardest: Refusal
    shows_refusal: bool
    entries: list[str] = field(default_factory=list)
    refusal: Refusal = Refusal.NONE
    edits: int = 0

    def __post_init__(self) -> None:
        """A list begins with what is not ours."""
        self.entries = list(self.foreign)

    def has(self, address: str) -> bool:
        """Whether an entry stands for the address."""
        return any(_stands_for(entry, address) for entry in self.entries)

    def edit(self, *, add: Iterable[str], remove: Iterable[str]) -> None:
        """What a person does to it."""
        gone = set(remove)
        self.entries = [e for e in self.entries if e not in gone]
        self.entries += [e for e in add if e not in self.entries]
        self.edits += 1

    def receive(self, client: str, *, is_gateway: bool) -> Reception:
        """What it does to a delivery from a client."""
        if self.restricts:
            if self.refusal is Refusal.NONE or self.has(client):
                return Reception.ACCEPTED
            return Reception.DEFERRED if self.refusal is Refusal.SOFT else Reception.REFUSED
        return Reception.ACCEPTED if not is_gateway or self.has(client) else Reception.SORTED_OUT


@dataclass
class Origin:
    """The servers of one mail service, all behind the same lists."""

    hosts: tuple[str, ...]
    lists: tuple[OriginList, ...]

    def receive(self, client: str, *, is_gateway: bool) -> Reception:
        """What becomes of a delivery from a client: the worst that one of the lists does to it."""
        return max((each.receive(client, is_gateway=is_gateway) for each in self.lists), default=Reception.ACCEPTED)

    @property
    def refusal(self) -> Refusal:
        """What becomes of mail that passes by the gateway."""
        return max((each.refusal for each in self.lists if each.restricts), default=Refusal.NONE)
