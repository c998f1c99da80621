"""The whole world of one mail service: its zone, the gateway, its origin, everybody who writes to it, and the time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulator.authority import Key, Records, Zone
from simulator.clock import HOUR, Clock
from simulator.gateway import Gateway
from simulator.mail import STRANGER, Senders
from simulator.origin import Origin, OriginList, Reception, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.catalog.model import Catalog

APEX = "acme.example."
HOPS = ("mail.acme.example.", "mail2.acme.example.")
OLD_HOSTS = ("mx1.host.example.", "mx2.host.example.")
FOREIGN_TOKEN = '"somebody-elses-token"'  # noqa: S105 - a verification value, for all to see
FOREIGN_ENTRY = "192.0.2.0/24"
TOKEN_TTL = 1800


@dataclass(frozen=True, slots=True)
class ListKind:
    """A list of the origin: its target, whether it keeps others out, how hard in the end, and what can be read."""

    restricts: bool
    is_exported: bool = True
    hardest: Refusal = Refusal.NONE
    target: str = "plain"
    shows_refusal: bool = True


ALLOWING = ListKind(restricts=False)
ATTESTED = ListKind(restricts=False, is_exported=False)
RESTRICTING = ListKind(restricts=True, hardest=Refusal.HARD, target="postfix-access")
DEFERRING = ListKind(restricts=True, hardest=Refusal.SOFT, target="nftables")
REFUSING = ListKind(restricts=True, hardest=Refusal.HARD, target="exchange-online-inbound-connector")
"""Refuses for good from the first day on: its target knows no deferral."""
HALF_READ = ListKind(restricts=True, hardest=Refusal.HARD, target="exim-iplsearch", shows_refusal=False)
"""Its export has the addresses; whether a rule refuses others, people vouch for."""


@dataclass(frozen=True, slots=True)
class Start:
    """How the world is before anybody declares anything.

    `old_mx` are the rdatas of the MX, none where there is none; `mx_ttl` and `negative_ttl` are in seconds, `patience`
    is the gateway's in seconds. `is_manual`: the zone is edited by people.
    """

    old_mx: tuple[str, ...] = (f"10 {HOPS[0]}",)
    mx_ttl: int = HOUR
    negative_ttl: int = HOUR
    patience: int = HOUR
    servers: int = 2
    domains: int = 1
    lists: tuple[ListKind, ...] = (ALLOWING, RESTRICTING)
    has_foreign_token: bool = True
    is_manual: bool = False


@dataclass
class World:
    """What there is. `may_open` is whether somebody declared what needs an origin that takes mail from everybody."""

    start: Start
    clock: Clock
    catalog: Catalog
    zone: Zone
    gateway: Gateway
    origin: Origin
    senders: Senders
    domains: tuple[str, ...]
    may_open: bool = False
    _was_restricted: bool = field(default=False)

    def token(self, domain: str, region: str, rank: str) -> str:
        """The verification value that the console shows for a domain in a region."""
        return f'"{domain.split(".", maxsplit=1)[0]}-{region}-{rank}"'

    def watch(self) -> None:
        """The gateway looks at DNS; what is nobody's business of ours has to stay, and a restriction too."""
        self.gateway.look()
        if self.start.has_foreign_token:
            for domain in self.domains:
                if FOREIGN_TOKEN not in self.zone.shown(0, self.gateway.token_key(domain)).rdatas:
                    self.senders.report(domain, "a foreign verification value was removed")
        for each in self.origin.lists:
            if not set(each.foreign) <= set(each.entries):
                self.senders.report("", f"a foreign entry of {each.name} was removed")
        is_restricted = self.origin.refusal is not Refusal.NONE
        if is_restricted and self.origin.receive(STRANGER, is_gateway=False) is Reception.ACCEPTED:
            self.senders.report("", "a stranger passes by the gateway although the origin is restricted")
        if self._was_restricted and not is_restricted and not self.may_open:
            self.senders.report("", "the origin was opened although every domain stays behind the gateway")
        self._was_restricted = is_restricted


def build_world(start: Start, catalog: Catalog) -> World:
    """The world as it starts."""
    clock = Clock()
    domains = tuple(f"{name}.{APEX}" if name else APEX for name in ("", "sub")[: start.domains])
    content: dict[Key, Records] = {}
    for domain in domains:
        if start.old_mx:
            content[domain, "MX"] = Records(frozenset(start.old_mx), start.mx_ttl)
        if start.has_foreign_token:
            key = (f"{catalog.verification_label}.{domain}", "TXT")
            content[key] = Records(frozenset({FOREIGN_TOKEN}), TOKEN_TTL)
    contents: list[Mapping[Key, Records]] = [dict(content) for _ in range(start.servers)]
    names = tuple(f"ns{i + 1}.{APEX}" for i in range(start.servers))
    zone = Zone(clock, APEX, names, contents, [0] * start.servers)
    gateway = Gateway(clock, catalog, zone, start.patience)
    lists = tuple(
        OriginList(
            f"list{i}",
            kind.target,
            kind.restricts,
            kind.is_exported,
            (FOREIGN_ENTRY,),
            kind.hardest,
            kind.shows_refusal,
        )
        for i, kind in enumerate(start.lists)
    )
    origin = Origin(HOPS, lists)
    senders = Senders(clock, zone, gateway, origin, domains, OLD_HOSTS, start.negative_ttl)
    world = World(start, clock, catalog, zone, gateway, origin, senders, domains)
    clock.watchers.insert(0, world.watch)
    return world
