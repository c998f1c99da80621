"""Builders for the model of mail: a world with one gateway and one origin, and the moves of a mail domain's life."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from reconciler.mailflow import (
    Gateway,
    Move,
    OriginList,
    Proof,
    Restriction,
    Scenario,
    SetList,
    SetMx,
    SetTokens,
    World,
    prove,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
OLD = ((10, "mail.acme.example."),)
NEW = ((0, "eu.gateway.example."),)
OTHER = ((0, "us.gateway.example."),)
BOTH = (*NEW, *OLD)
GATEWAYS = {
    "eu.gateway.example.": Gateway(("192.0.2.1", "192.0.2.2"), frozenset({"token"})),
    "us.gateway.example.": Gateway(("192.0.2.9",), frozenset()),
}
EU = frozenset({"192.0.2.1", "192.0.2.2"})
TOKEN = frozenset({"token"})
NOTHING: frozenset[str] = frozenset()


def world(mx: object = OLD, *lists: OriginList, tokens: frozenset[str] = TOKEN, ttl: int = 3600) -> World:
    return World(mx, ttl, tokens, lists)  # type: ignore[arg-type]


def origin(*addresses: str, restriction: Restriction = Restriction.NONE) -> OriginList:
    return OriginList("firewall", frozenset(addresses or EU), restriction)


def proved(now: World, *moves: Move, **changes: object) -> Proof:
    given: dict[str, object] = {"next_hops": ("mail.acme.example.",), "gateways": GATEWAYS} | changes
    return prove(Scenario("acme.example.", NOW, now, moves=moves, **given))  # type: ignore[arg-type]


def fate(proof: Proof) -> str:
    assert proof.failure is not None
    return proof.failure.fate


def switch(*, is_open: bool = True, not_before: datetime | None = None, ttl: int = 3600) -> Move:
    return Move("mx", "switch", SetMx(OLD, NEW, ttl), is_open, not_before)


def back(*, is_open: bool = True) -> Move:
    return Move("mx", "switch", SetMx(NEW, OLD, 3600), is_open)


def untoken(*, is_open: bool = False, not_before: datetime | None = None) -> Move:
    return Move("retired", "contract", SetTokens(NOTHING, TOKEN), is_open, not_before)


def restrict(how: Restriction, *, is_open: bool = False, not_before: datetime | None = None) -> Move:
    return Move("restrict", "contract", SetList("firewall", restriction=how), is_open, not_before)
