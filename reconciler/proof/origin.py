"""The lists of an origin as the model of mail knows them. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from reconciler.addresses import address_set, parse_address_set
from reconciler.gates.allowlist import unattested_addresses
from reconciler.gates.attestations import ORIGIN_OPEN, RESTRICTED, RESTRICTED_HARD, attested_enforcement, is_in_force
from reconciler.mailflow import OriginList, Restriction
from reconciler.proof.world import gateway_addresses
from reconciler.state import Unknown
from reconciler.targets.base import AllowlistContent, Enforcement, Intent
from reconciler.targets.enforcement import shows_enforcement

if TYPE_CHECKING:
    from reconciler.gates import Facts
    from reconciler.origin import AllowlistFact, OriginFacts

RESTRICTIONS = {
    Enforcement.NONE: Restriction.NONE,
    Enforcement.SOFT: Restriction.SOFT,
    Enforcement.HARD: Restriction.HARD,
}

_WORDS = frozenset({ORIGIN_OPEN, RESTRICTED, RESTRICTED_HARD})


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
    facts: Facts, origin: OriginFacts | None, waived: frozenset[str], *, is_moving: bool
) -> tuple[OriginList, ...]:
    """Each list as it is; a person who waived its gate answers for what it lets in, or for its being open.

    `is_moving`: the MX may move now, so that the hardest answer that anybody may get counts.
    """
    everything = frozenset(gateway_addresses(facts.catalog))
    is_presumed_open = facts.domain.is_leaving and ORIGIN_OPEN in waived
    lists = []
    for name, fact in named_lists(origin).items():
        enforcement = Enforcement.NONE
        if fact.allowlist.declared.intent is Intent.RESTRICT and not is_presumed_open:
            enforcement = _enforcement(facts, fact, is_moving=is_moving)
        allowed = everything if "allowlist" in waived else _allowed(facts, fact)
        lists.append(OriginList(name, allowed, RESTRICTIONS[enforcement]))
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
    declared, observed = fact.allowlist.declared, fact.observed
    if isinstance(observed, Unknown):
        return Enforcement.NONE
    if observed is not None and shows_enforcement(declared.target):
        return observed.refusal if is_moving else observed.enforcement
    # where no export tells, people do; the service's attestations are the domain's too
    words = [a for a in facts.domain.attestations if a.what in _WORDS and is_in_force(a, facts.today)]
    if not words and observed is not None and is_moving:
        return observed.refusal
    return attested_enforcement(words, declared, facts.today)
