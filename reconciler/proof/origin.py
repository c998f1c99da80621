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
        enforcement = Enforcement.NONE
        if fact.allowlist.declared.intent is Intent.RESTRICT:
            enforcement = _enforcement(facts, fact, is_moving=is_moving)
        lists.append(OriginList(name, everything if is_waived else _allowed(facts, fact), RESTRICTIONS[enforcement]))
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


def _enforcement(facts: Facts, fact: AllowlistFact, *, is_moving: bool) -> Enforcement:
    observed = fact.observed
    if isinstance(observed, AllowlistContent):
        return observed.refusal if is_moving else observed.enforcement
    if observed is not None:
        return Enforcement.NONE
    # without an export the latest word of a person counts; the service's attestations are the domain's too
    words = {"restricted", "origin-open"}
    found = [
        (a.on, a.what == "origin-open")
        for a in facts.domain.attestations
        if a.what in words and is_in_force(a, facts.today)
    ]
    if not found or max(found)[1]:
        return Enforcement.NONE
    return hardest_enforcement(fact.allowlist.declared)
