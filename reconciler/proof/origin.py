"""The lists of an origin as the model of mail knows them. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from reconciler.addresses import address_set, parse_address_set
from reconciler.gates.allowlist import is_in_force, unattested_addresses
from reconciler.mailflow import OriginList, Restriction
from reconciler.proof.world import gateway_addresses
from reconciler.targets.base import AllowlistContent, Enforcement, Intent
from reconciler.targets.enforcement import hardest_enforcement

if TYPE_CHECKING:
    from reconciler.gates import Facts
    from reconciler.origin import AllowlistFact, OriginFacts

RESTRICTIONS = {
    Enforcement.NONE: Restriction.NONE,
    Enforcement.SOFT: Restriction.SOFT,
    Enforcement.HARD: Restriction.HARD,
}


def named_lists(origin: OriginFacts | None) -> dict[str, AllowlistFact]:
    """Every list by what its steps' ids begin with."""
    if origin is None:
        return {}
    service = origin.service
    named = {}
    for fact in origin.allowlists:
        declared = fact.allowlist.declared
        parts = (service.organization, service.name, declared.target, declared.name)
        named["/".join(filter(None, parts))] = fact
    return named


def build_lists(
    facts: Facts, origin: OriginFacts | None, *, is_moving: bool, is_waived: bool
) -> tuple[OriginList, ...]:
    """Each list as it is.

    `is_moving`: the MX may move now, so that the hardest answer that anybody gets counts. `is_waived`: a person answers
    for what the lists let in.
    """
    everything = frozenset(gateway_addresses(facts.catalog))
    lists = []
    for name, fact in named_lists(origin).items():
        allowed = everything if is_waived else _allowed(facts, fact)
        lists.append(OriginList(name, allowed, _restriction(facts, origin, fact, is_moving=is_moving)))
    return tuple(lists)


def _allowed(facts: Facts, fact: AllowlistFact) -> frozenset[str]:
    relays = gateway_addresses(facts.catalog)
    if isinstance(fact.observed, AllowlistContent):
        return allowed_addresses(fact.observed, relays)
    # what nobody attests is not let in, and of a list that cannot be read nothing is known to be
    return frozenset(relays).difference(unattested_addresses(facts)) if fact.observed is None else frozenset()


@lru_cache(maxsize=256)
def allowed_addresses(
    content: AllowlistContent, relays: tuple[str, ...], without: frozenset[str] = frozenset()
) -> frozenset[str]:
    """Those of the addresses that a list lets in, also once the entries that are written like `without` are gone."""
    kept = address_set(e.interval for e in content.entries if e.written not in without) - content.refused
    return frozenset(a for a in relays if kept.covers(parse_address_set([a])))


def _restriction(facts: Facts, origin: OriginFacts | None, fact: AllowlistFact, *, is_moving: bool) -> Restriction:
    if fact.allowlist.declared.intent is not Intent.RESTRICT:
        return Restriction.NONE
    if isinstance(fact.observed, AllowlistContent):
        return RESTRICTIONS[fact.observed.refusal if is_moving else fact.observed.enforcement]
    if fact.observed is not None or origin is None:
        return Restriction.NONE
    # without an export the latest word of a person counts
    words = {"restricted", "origin-open"}
    found = [
        (a.on, a.what == "origin-open")
        for a in (*facts.domain.attestations, *origin.service.attestations)
        if a.what in words and is_in_force(a, facts.today)
    ]
    if not found or max(found)[1]:
        return Restriction.NONE
    return RESTRICTIONS[hardest_enforcement(fact.allowlist.declared)]
